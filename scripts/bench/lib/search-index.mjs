// A process that opens an index and searches it: see fresh-process.mjs. Phases: "started" (library loaded), "opened",
// "searched" (one caller) and "concurrent" (four callers).

import { serveTask } from "./fresh-process.mjs";

const CALLERS = 4;

serveTask(async ({ folder, queries, searches, options, open }, endPhase) => {
  const { Index } = await import("../../../dist/engine/index.js");
  endPhase("started");
  const before = performance.now();
  const index = await Index.open(folder, open);
  const openMilliseconds = performance.now() - before;
  endPhase("opened");
  try {
    const times = [];
    for (let s = 0; s < searches; s++) times.push(await timed(index, queries[s % queries.length], options));
    endPhase("searched");
    if (searches > 0) {
      let next = 0;
      const caller = async () => {
        while (next < searches) await timed(index, queries[next++ % queries.length], options);
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
    }
    endPhase("concurrent");
    return { openMilliseconds, first: times[0], times };
  } finally {
    await index.close();
  }
});

async function timed(index, vectors, options) {
  const before = performance.now();
  await index.searchEmbeddings(vectors, options);
  return performance.now() - before;
}
