// Other engines as contestants of the query suite: the same vectors, threads and k.

import { benchIndex } from "./bench-index.mjs";
import { cachedSet } from "./export-set.mjs";
import { machineFacts } from "./machine.mjs";
import { usageError } from "./options.mjs";
import { count, fixed, megabytes } from "./report.mjs";
import { searchMemory } from "./search-process.mjs";
import { bytesATokenOf } from "./section-table.mjs";
import { overlap } from "./statistics.mjs";

/** Settings of each engine unless --peer-parameters names others: its own defaults and others. */
const SETTINGS = {
  "next-plaid": [{}, { nFullScores: 1024 }, { nFullScores: 512 }],
  lancedb: [{ refineFactor: 5 }, { refineFactor: 20 }, {}],
};
/** Searches of our process whose memory is compared. */
const MEMORY_SEARCHES = 400;

/**
 * Settings of --peer-parameters: a list by engine.
 *
 * @param {string | undefined} text JSON
 * @returns {Record<string, readonly object[]>}
 */
export function peerSettings(text) {
  if (text === undefined) return SETTINGS;
  let given;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw usageError(`--peer-parameters is not JSON: ${error.message}`);
  }
  const wrong = Object.entries(given).find(([, list]) => !Array.isArray(list));
  if (given === null || typeof given !== "object" || wrong !== undefined) {
    throw usageError('--peer-parameters takes lists by engine, such as {"next-plaid":[{"nIvfProbe":16}]}');
  }
  return { ...SETTINGS, ...given };
}

/**
 * Builds and starts the engines of --peers. `rows` go with `contestants`, one each; recall is measured here.
 *
 * @param {{corpus: import("./corpus.mjs").Corpus, queries: readonly Float32Array[],
 *   float: readonly (readonly number[])[] | undefined, values: Record<string, any>, folder: string,
 *   say: (message: string) => void}} options
 */
export async function openPeerContestants({ corpus, queries, float, values, folder, say }) {
  const contestants = [];
  const rows = [];
  const built = [];
  const notes = [];
  const running = [];
  if (values.peers.length === 0) return { contestants, rows, built, notes, stop: async () => [] };
  const settings = peerSettings(values["peer-parameters"]);
  const { openPeers } = await import("../peers/index.mjs");
  const set = cachedSet(corpus, { queries, exact: float, vectors: !values["same-codes"] });
  const { nbits, k, threads } = values;
  const parameters = values["same-codes"] ? { "next-plaid": { codes: folder } } : {};
  const peers = await openPeers({ names: values.peers, set, nbits, k, threads, parameters, say });
  /** Memory of the processes, the first time; nothing is left to stop after that. */
  const stop = async () => {
    const memory = [];
    for (const { engine, process } of running.splice(0)) memory.push({ engine, ...(await process.stop()) });
    return memory;
  };
  try {
    for (const peer of peers) {
      const engine = `${peer.name} ${peer.version}`;
      if (peer.skipped !== undefined) {
        notes.push(`${engine} was skipped: ${peer.skipped}.`);
        continue;
      }
      notes.push(`Defaults of ${engine}: ${JSON.stringify(peer.parameters)}.`);
      built.push({ engine, ...(await peer.build()) });
      for (const parameters of settings[peer.name] ?? [{}]) {
        const process = await peer.start({ parameters });
        running.push({ engine, process });
        const name = settingName(parameters);
        say(`${engine}, ${name}: recall`);
        const short = [];
        for (let q = 0; q < queries.length; q++) short.push((await process.query(q)).ids);
        rows.push({ engine, name, float10: float && k >= 10 ? overlap(float, short, 10) : undefined });
        contestants.push({ name, call: (q) => timedQuery(process, q) });
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { contestants, rows, built, notes, stop };
}

async function timedQuery(process, q) {
  const { ms, cpuMs } = await process.query(q);
  return { milliseconds: ms, processor: cpuMs };
}

function settingName(parameters) {
  const parts = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  return parts.length === 0 ? "defaults" : parts.join(", ");
}

/**
 * Building, memory and size side by side; `memory` is what `stop` returned.
 *
 * @returns {Promise<{title: string, columns: import("./report.mjs").Column[], rows: object[]}>}
 */
export async function sideBySide({ corpus, queries, values, folder, record, built, memory }) {
  const ours = [{ engine: "maxsim, vocabulary ids given", folder, record }];
  if (!values["same-codes"]) {
    const flat = await benchIndex(corpus, {
      nbits: values.nbits,
      withIds: false,
      anyCode: values["any-code"],
    });
    ours.push({ engine: "maxsim, vectors alone", folder: flat.folder, record: flat.record });
  }
  const rows = [];
  for (const { engine, folder: at, record: of } of ours) {
    const used = await searchMemory(at, queries, { searches: MEMORY_SEARCHES });
    rows.push({
      engine,
      build: of.total,
      buildPeak: of.memory?.during.resident,
      own: used.anonymous,
      peak: used.resident,
      bytes: bytesATokenOf(of).whole,
      kernel: machineFacts().kernels,
    });
  }
  for (const { engine, seconds, peakRssBytes, bytesOnDisk } of built) {
    const processes = memory.filter((one) => one.engine === engine);
    rows.push({
      engine,
      build: seconds,
      buildPeak: peakRssBytes,
      own: Math.max(...processes.map(({ anonymousBytes }) => anonymousBytes)),
      peak: Math.max(...processes.map((one) => one.peakRssBytes)),
      bytes: bytesOnDisk / corpus.tokens,
      kernel: processes[0]?.kernel,
    });
  }
  const title = `Building, memory, size: ${count(corpus.tokens)} tokens, ${values.nbits} bits; search processes after all their searches`;
  return { title, columns: COLUMNS, rows };
}

const COLUMNS = [
  { key: "engine", title: "engine", left: true },
  { key: "build", title: "build s", format: fixed(1) },
  { key: "buildPeak", title: "build, peak MB", format: megabytes },
  { key: "own", title: "search, MB beyond mapped files", format: megabytes },
  { key: "peak", title: "search, peak MB", format: megabytes },
  { key: "bytes", title: "bytes a token", format: fixed(1) },
  { key: "kernel", title: "kernel", left: true },
];
