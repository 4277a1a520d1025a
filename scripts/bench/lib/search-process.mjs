// Memory and start of processes that search an index.

import { inFreshProcess } from "./fresh-process.mjs";
import { spread } from "./statistics.mjs";

/**
 * Memory of a process that searches with `effort`; bytes. Undefined numbers where the system does not tell.
 *
 * @param {string} folder
 * @param {readonly Float32Array[]} queries
 * @param {{effort?: string, searches: number, open?: object, k?: number}} options
 */
export async function searchMemory(folder, queries, { effort = "balanced", searches, open = {}, k = 10 }) {
  const task = { folder, queries, searches, options: { effort, k }, open };
  const { result, phases } = await inFreshProcess("search-index.mjs", task);
  const of = (name) => phases.find((phase) => phase.name === name)?.memory;
  const all = phases.map(({ memory }) => memory).filter((memory) => memory !== undefined);
  const largest = (key) => (all.length === 0 ? undefined : Math.max(...all.map((memory) => memory[key])));
  return {
    openMilliseconds: result.openMilliseconds,
    firstMilliseconds: result.first,
    started: of("started")?.anonymous,
    opened: of("opened")?.anonymous,
    searched: of("searched")?.anonymous,
    concurrent: of("concurrent")?.anonymous,
    anonymous: largest("anonymous"),
    file: largest("file"),
    resident: largest("resident"),
  };
}

/** Milliseconds of Index.open in new processes, the files being in the system's cache. */
export async function openTimes(folder, rounds) {
  const times = [];
  // The first one fills the cache.
  for (let round = 0; round <= rounds; round++) {
    const task = { folder, queries: [], searches: 0, options: {}, open: {} };
    const { result } = await inFreshProcess("search-index.mjs", task);
    if (round > 0) times.push(result.openMilliseconds);
  }
  return spread(times);
}
