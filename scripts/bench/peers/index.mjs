#!/usr/bin/env node
/**
 * The engines that maxsim is compared with, on a vector set (see vector-set.mjs), built and run on demand.
 *
 *   node scripts/bench/peers/index.mjs --set DIR [--peers next-plaid,lancedb] [--queries 50] [--k 10] [--nbits 4]
 *     [--threads N] [--cache DIR] [--parameters '{"next-plaid":{"nIvfProbe":32}}']
 *
 * prints a table: latency, recall against `exact.json` of the set ([[passage, ...], ...], best first) if it is there,
 * build time, memory and bytes.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot, say as sayOnStderr } from "../../lib/project.mjs";
import { machine, overlap, quantile, table } from "../../lib/report.mjs";
import { lancedb } from "./lancedb/peer.mjs";
import { LineProcess, output } from "./line-process.mjs";
import { nextPlaid } from "./next-plaid/peer.mjs";
import { readVectorSet, vectorSetKey } from "./vector-set.mjs";

const PEERS = [nextPlaid, lancedb];
const DEFAULT_CACHE = join(projectRoot, ".cache", "bench", "peers");
/** What the build of an index took, beside the index. */
const BUILT = "built.json";

/**
 * What a build took. `seconds` leaves reading the vector set out where the engine takes it from memory.
 *
 * @typedef {object} Built
 * @property {number} [seconds] missing where the codes of maxsim were imported
 * @property {number} [peakRssBytes]
 * @property {number} bytesOnDisk everything that the engine keeps, vectors included
 * @property {boolean} cached the index was there: the figures are those of the build that made it
 *
 * @typedef {object} Found
 * @property {number} q
 * @property {number} ms of the search call alone, measured inside the process of the engine
 * @property {number} cpuMs processor time of all threads of that process meanwhile
 * @property {number[]} ids passages, best first
 * @property {number[]} scores
 *
 * @typedef {object} Running
 * @property {number} openMs
 * @property {(q: number) => Promise<Found>} query
 * @property {() => Promise<{peakRssBytes: number, anonymousBytes: number, kernel: string}>} stop
 *   `anonymousBytes` is resident memory without mapped files, `kernel` what the engine said it ran, or empty
 *
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} version
 * @property {Record<string, unknown>} parameters `k`, `nbits` and those of the engine, defaults included
 * @property {() => Promise<Built>} build
 * @property {(overrides?: {threads?: number, parameters?: object}) => Promise<Running>} start
 *   a process of its own for each call; the index must have been built
 */

/**
 * Peers that can run here, and the reason for each that cannot.
 *
 * @param {object} options
 * @param {readonly string[]} [options.names]
 * @param {string} options.set folder of the vector set
 * @param {string} [options.cache] folder for programs and indexes
 * @param {number} [options.nbits] bits a dimension, where the engine has the choice
 * @param {number} [options.k]
 * @param {number} [options.threads] of builds and searches
 * @param {Record<string, object>} [options.parameters] by peer: see `parameters` in the peer.mjs of each
 * @param {(message: string) => void} [options.say]
 * @returns {Promise<(Peer | {name: string, version: string, skipped: string})[]>}
 */
export async function openPeers(options) {
  const { names = PEERS.map(({ name }) => name), say = sayOnStderr } = options;
  const { cache = DEFAULT_CACHE, threads = availableParallelism() } = options;
  const set = readVectorSet(options.set);
  const peers = [];
  for (const name of names) {
    const engine = PEERS.find((each) => each.name === name);
    if (engine === undefined) {
      throw new Error(`unknown peer ${name}; there are ${PEERS.map((each) => each.name).join(", ")}`);
    }
    const { version } = engine;
    const parameters = { k: 10, nbits: 4, ...engine.parameters(set), ...options.parameters?.[name] };
    if (options.k !== undefined) parameters.k = options.k;
    if (options.nbits !== undefined) parameters.nbits = options.nbits;
    const key = JSON.stringify([version, vectorSetKey(set), engine.indexKey(parameters)]);
    const digest = createHash("sha256").update(key).digest("hex").slice(0, 16);
    const folder = join(cache, name, `index-${digest}`);
    const ready = existsSync(join(folder, BUILT)) || importsCodes(engine, parameters);
    const skipped = ready ? undefined : tooLarge(engine.buildMemory(set, threads));
    if (skipped !== undefined) {
      peers.push({ name, version, skipped });
      continue;
    }
    try {
      const program = await engine.prepare(join(cache, name), say);
      peers.push(peer({ engine, program, set, folder, parameters, threads, say }));
    } catch (error) {
      const missing = error.code === "ENOENT" && error.syscall?.startsWith("spawn");
      peers.push({ name, version, skipped: missing ? `${error.path} is not installed` : error.message });
    }
  }
  return peers;
}

/** Whether the engine reads an index of maxsim, converted, instead of building its own: see `importCodes` of an engine. */
function importsCodes(engine, { codes }) {
  return codes !== undefined && engine.importCodes !== undefined;
}

/** The reason why a build that holds so many bytes at once cannot be run, or undefined. */
function tooLarge(needed) {
  const free = process.availableMemory();
  if (needed <= free) return undefined;
  const [wanted, there] = [needed, free].map((bytes) => (bytes / 2 ** 30).toFixed(1));
  return `a build would hold about ${wanted} GiB of memory, ${there} GiB are free`;
}

/** @returns {Peer} */
function peer({ engine, program, set, folder, parameters, threads, say }) {
  const { name, version } = engine;
  const record = join(folder, BUILT);

  function command(verb, index, options) {
    return [...program.command, verb, set.folder, index, ...program.options, ...options.map(String)];
  }

  return {
    name,
    version,
    parameters,
    async build() {
      if (existsSync(record)) return { ...JSON.parse(readFileSync(record, "utf8")), cached: true };
      say(`${name}: building an index of ${set.tokens} token vectors`);
      // Renamed when it is whole.
      const unfinished = `${folder}.part`;
      rmSync(unfinished, { recursive: true, force: true });
      mkdirSync(unfinished, { recursive: true });
      const index = join(unfinished, "index");
      const build = command("build", index, engine.buildOptions(parameters));
      const figures = importsCodes(engine, parameters)
        ? await engine.importCodes(parameters.codes, index)
        : JSON.parse(await output(build, engine.environment(threads)));
      const built = { ...figures, threads, version, set: set.name };
      writeFileSync(join(unfinished, BUILT), JSON.stringify(built));
      rmSync(folder, { recursive: true, force: true });
      renameSync(unfinished, folder);
      return { ...built, cached: false };
    },
    async start(overrides = {}) {
      const chosen = { ...parameters, ...overrides.parameters };
      const serve = command("serve", join(folder, "index"), engine.serveOptions(chosen));
      const running = new LineProcess(serve, engine.environment(overrides.threads ?? threads));
      const { openMs } = await running.read();
      return {
        openMs,
        query: (q) => running.ask(q),
        async stop() {
          const memory = await running.ask("memory");
          await running.end();
          const kernel = [engine.kernel(running.messages), program.note].filter(Boolean).join(", ");
          return { ...memory, kernel };
        },
      };
    },
  };
}

/** One row of the table: every query once to warm up, once to be measured. */
async function measure(each, set, queries, exact, k) {
  const built = await each.build();
  const running = await each.start();
  const found = [];
  for (let round = 0; round < 2; round++) {
    for (let q = 0; q < queries; q++) found[q] = await running.query(q);
  }
  const { peakRssBytes, anonymousBytes, kernel } = await running.stop();
  const times = found.map(({ ms }) => ms);
  const rankings = found.map(({ ids }) => ids);
  const recall = exact === undefined ? "" : overlap(exact.slice(0, queries), rankings, k).toFixed(4);
  return [
    `${each.name} ${each.version}`,
    quantile(times, 0.5).toFixed(2),
    quantile(times, 0.95).toFixed(2),
    (found.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / queries).toFixed(2),
    recall,
    built.seconds === undefined ? "" : `${built.seconds.toFixed(1)}${built.cached ? " (cached)" : ""}`,
    built.peakRssBytes === undefined ? "" : (built.peakRssBytes / 1e6).toFixed(0),
    (peakRssBytes / 1e6).toFixed(0),
    (anonymousBytes / 1e6).toFixed(0),
    (built.bytesOnDisk / set.tokens).toFixed(1),
    kernel,
  ];
}

async function main() {
  const { values: options } = parseArgs({
    options: {
      set: { type: "string" },
      peers: { type: "string", default: PEERS.map(({ name }) => name).join(",") },
      queries: { type: "string", default: "50" },
      k: { type: "string", default: "10" },
      nbits: { type: "string", default: "4" },
      threads: { type: "string", default: String(availableParallelism()) },
      cache: { type: "string" },
      parameters: { type: "string", default: "{}" },
    },
  });
  if (options.set === undefined) throw new Error("--set DIR is missing");
  const set = readVectorSet(options.set);
  const [k, nbits, threads] = [options.k, options.nbits, options.threads].map(Number);
  const peers = await openPeers({
    names: options.peers.split(","),
    set: options.set,
    ...(options.cache === undefined ? {} : { cache: options.cache }),
    ...{ k, nbits, threads, parameters: JSON.parse(options.parameters) },
  });
  const exactPath = join(options.set, "exact.json");
  const exact = existsSync(exactPath) ? JSON.parse(readFileSync(exactPath, "utf8")) : undefined;
  const queries = Math.min(Number(options.queries), set.queries);
  const rows = [];
  for (const each of peers) {
    if (each.skipped === undefined) rows.push(await measure(each, set, queries, exact, k));
    else sayOnStderr(`${each.name} skipped: ${each.skipped}`);
  }
  console.log(
    `${set.name}: ${set.passages} passages, ${set.tokens} tokens, dim ${set.dim}; ${threads} threads`,
  );
  console.log(`${machine()}\n`);
  const latency = ["p50 ms", "p95 ms", "mean CPU ms", `recall@${k}`];
  const memory = ["build MB", "search MB", "of it anonymous"];
  const head = ["engine", ...latency, "build s", ...memory, "bytes a token", "kernel"];
  console.log(table(head, rows));
}

if (process.argv[1] === import.meta.filename) {
  try {
    await main();
  } catch (error) {
    sayOnStderr(error.message);
    process.exitCode = 1;
  }
}
