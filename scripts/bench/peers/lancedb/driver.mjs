#!/usr/bin/env node
/**
 * Builds a LanceDB table with a multivector index from a vector set, and answers queries of that set one line at a time.
 *
 *   node driver.mjs build SET INDEX --modules DIR [--num-bits 1] [--num-partitions N]
 *   node driver.mjs serve SET INDEX --modules DIR [--k 10] [--nprobes 20] [--refine-factor 50]
 *
 * `--modules` is the folder whose `node_modules` holds `@lancedb/lancedb` and `apache-arrow`. Without `--num-partitions`
 * LanceDB chooses. `--refine-factor 0` leaves the scores of the index as they are.
 *
 * `build` prints one JSON line. `serve` prints `{"ready":true,...}` and then answers each line of its input: a query
 * number with `{"q","ms","cpuMs","ids","scores"}`, `all` with that line for each query in order, `memory` with
 * `{"peakRssBytes","anonymousBytes"}`. `ms` is the time of the search call with its results as an Arrow table, `cpuMs`
 * the processor time of all threads of this process meanwhile.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { passageBatches, queryVectors, readVectorSet } from "../vector-set.mjs";

const TABLE = "passages";
const COLUMN = "vectors";
/** Passages handed to LanceDB at once: below 1 GB of vectors for passages of up to 2,000 tokens of dimension 128. */
const BATCH = 1024;
const INDEX_TIMEOUT_SECONDS = 24 * 3600;

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: "string" },
    "num-bits": { type: "string", default: "1" },
    "num-partitions": { type: "string" },
    k: { type: "string", default: "10" },
    nprobes: { type: "string", default: "20" },
    "refine-factor": { type: "string", default: "50" },
  },
});
const [command, folder, index] = positionals;
if (!["build", "serve"].includes(command) || index === undefined || options.modules === undefined) {
  console.error("usage: driver.mjs build|serve SET INDEX --modules DIR [--option value]...");
  process.exit(2);
}
const load = createRequire(resolve(options.modules, "package.json"));
const lancedb = load("@lancedb/lancedb");
const arrow = load("apache-arrow");
const set = readVectorSet(folder);
await (command === "build" ? build() : serve());

async function build() {
  const begun = performance.now();
  const connection = await lancedb.connect(index);
  const table = await connection.createEmptyTable(TABLE, schema());
  for (const batch of passageBatches(set, BATCH)) await table.add(arrowTable(batch));
  const stored = performance.now();
  const { "num-partitions": partitions, "num-bits": bits } = options;
  const config = lancedb.Index.ivfRq({
    distanceType: "cosine",
    numBits: Number(bits),
    ...(partitions === undefined ? {} : { numPartitions: Number(partitions) }),
  });
  await table.createIndex(COLUMN, { config, waitTimeoutSeconds: INDEX_TIMEOUT_SECONDS });
  const done = performance.now();
  print({
    seconds: (done - begun) / 1000,
    indexSeconds: (done - stored) / 1000,
    peakRssBytes: statusBytes("VmHWM"),
    bytesOnDisk: bytesBelow(index),
    bytesOfIndex: bytesBelow(join(index, `${TABLE}.lance`, "_indices")),
    tokens: set.tokens,
  });
}

async function serve() {
  const [k, nprobes, refine] = ["k", "nprobes", "refine-factor"].map((name) => Number(options[name]));
  const queries = queryVectors(set);
  const begun = performance.now();
  const connection = await lancedb.connect(index);
  const table = await connection.openTable(TABLE);
  for (const { name } of await table.listIndices()) await table.prewarmIndex(name);
  print({ ready: true, openMs: performance.now() - begun, passages: await table.countRows() });

  async function answer(q) {
    const cpu = process.cpuUsage();
    const begun = performance.now();
    const search = table.search(queries[q]).distanceType("cosine").nprobes(nprobes).limit(k);
    if (refine > 0) search.refineFactor(refine);
    const found = await search.select(["id", "_distance"]).toArrow();
    const ms = performance.now() - begun;
    const { user, system } = process.cpuUsage(cpu);
    // Distances are 1 - MaxSim after refinement and (query tokens) - MaxSim without.
    const origin = refine > 0 ? 1 : queries[q].length;
    const scores = Array.from(found.getChild("_distance"), (distance) => origin - distance);
    return { q, ms, cpuMs: (user + system) / 1000, ids: Array.from(found.getChild("id")), scores };
  }

  for await (const line of createInterface({ input: process.stdin })) {
    const q = Number(line);
    if (line === "memory") {
      print({ peakRssBytes: statusBytes("VmHWM"), anonymousBytes: statusBytes("RssAnon") });
    } else if (line === "all") {
      for (let each = 0; each < queries.length; each++) print(await answer(each));
    } else if (Number.isInteger(q) && q >= 0 && q < queries.length) {
      print(await answer(q));
    } else {
      print({ error: `not a query number below ${queries.length}: ${line}` });
    }
  }
}

/** `id` and a list of vectors of fixed size, the column type that LanceDB takes for multivector search. */
function schema() {
  const { Field, FixedSizeList, Float32, Int32, List, Schema } = arrow;
  const vector = new FixedSizeList(set.dim, new Field("item", new Float32()));
  return new Schema([
    new Field("id", new Int32()),
    new Field(COLUMN, new List(new Field("item", vector, true)), true),
  ]);
}

/** An Arrow table over the vectors of a batch, without a copy. */
function arrowTable({ first, lengths, vectors }) {
  const fields = schema();
  const [id, list] = fields.fields.map(({ type }) => type);
  const vector = list.children[0].type;
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, p) => {
    offsets[p + 1] = offsets[p] + length;
  });
  const floats = arrow.makeData({ type: vector.children[0].type, length: vectors.length, data: vectors });
  const rows = arrow.makeData({ type: vector, length: vectors.length / set.dim, child: floats });
  const ids = Int32Array.from(lengths, (_, p) => first + p);
  const children = [
    arrow.makeData({ type: id, length: ids.length, data: ids }),
    arrow.makeData({ type: list, length: lengths.length, valueOffsets: offsets, child: rows }),
  ];
  const type = new arrow.Struct(fields.fields);
  const data = arrow.makeData({ type, length: lengths.length, children });
  return new arrow.Table(fields, [new arrow.RecordBatch(fields, data)]);
}

function print(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A memory figure of this process that Linux counts in kibibytes. */
function statusBytes(field) {
  const line = readFileSync("/proc/self/status", "utf8").match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"));
  if (line === null) throw new Error(`/proc/self/status has no ${field}`);
  return Number(line[1]) * 1024;
}

function bytesBelow(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
