/**
 * A reading process of the rig of snapshots, and, as a worker thread of itself, a reading thread: both search, refresh and open
 * the index again at random, and report every answer with its generation.
 */
import { setTimeout as wait } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Random } from "../lib/random.mjs";
import { ASKED, exactAnswer, loadPackage } from "./observe.mjs";

const BATCH = 20;

async function read({ place, dist, seed }, name, report, stopped) {
  const { Index } = await loadPackage(dist);
  const random = new Random(
    [...`${seed} ${name}`].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7),
  );
  let batch = [];
  let opened = 0;
  const flush = () => {
    if (batch.length > 0) report({ kind: "answers", answers: batch, opened });
    batch = [];
    opened = 0;
  };
  let index = await Index.open(place.folder, { threads: 1 });
  report({ kind: "ready" });
  while (!stopped()) {
    const choice = random.float();
    if (choice < 0.2) {
      await index.close();
      index = await Index.open(place.folder, { threads: 1 + random.below(2) });
      opened++;
    } else if (choice < 0.5) {
      await index.refresh();
    }
    const query = random.below(ASKED.length);
    const { generation, hits } = await exactAnswer(index, ASKED[query]);
    batch.push({ reader: `${seed} ${name}`, generation, query, hits });
    if (batch.length >= BATCH) flush();
    await wait(random.below(8));
  }
  await index.close();
  flush();
}

function describe(error) {
  return error instanceof Error ? `${error.code ?? error.name}: ${error.stack}` : String(error);
}

if (isMainThread) {
  process.once("message", async (setup) => {
    let stopped = false;
    const worker = new Worker(new URL(import.meta.url), { workerData: setup });
    worker.on("message", (message) => process.send(message));
    worker.on("error", (error) => process.send({ kind: "failure", what: describe(error) }));
    process.once("message", () => {
      stopped = true;
      worker.postMessage("stop");
    });
    try {
      await read(
        setup,
        "process",
        (message) => process.send(message),
        () => stopped,
      );
    } catch (error) {
      process.send({ kind: "failure", what: describe(error) });
    }
    worker.once("exit", () => process.disconnect());
  });
} else {
  let stopped = false;
  parentPort.once("message", () => {
    stopped = true;
  });
  await read(
    workerData,
    "thread",
    (message) => parentPort.postMessage(message),
    () => stopped,
  );
}
