#!/usr/bin/env node
/**
 * Speed of the kernels: every instruction set of the addon, WASM and plain JavaScript, in interleaved rounds, medians.
 *
 *   node scripts/build-native.mjs && npx tsc -p tsconfig.json && node scripts/bench/kernels.mjs [--quick] [--json]
 *
 * hot: 64 passages of 70 tokens that stay in the cache. cold: 4096 random ones of 200,000 passages of 70 tokens
 * (about 0.5 GB at 2 bits, 1 GB at 4 bits). Times are processor time of one thread.
 */
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { Random } from "../../dist/common/random.js";
import { addonCandidates, nativeBackend } from "../../dist/kernels/native.js";
import { packCodebook, packQuery, packWeights, quantizeVectors } from "../../dist/kernels/pack.js";
import { referenceBackend } from "../../dist/kernels/reference.js";
import { wasmBackend } from "../../dist/kernels/wasm.js";
import { WasmMemory } from "../../dist/kernels/wasm-memory.js";

const quick = process.argv.includes("--quick");
const json = process.argv.includes("--json");
const DIM = 128;
const PASSAGE = 70;
const HOT_PASSAGES = 64;
const COLD_PASSAGES = quick ? 20_000 : 200_000;
const COLD_SCORED = quick ? 1024 : 4096;
const CENTROIDS = 16_384;
const ROUNDS = quick ? 5 : 15;

const random = new Random(42);

function normals(length) {
  return Float32Array.from({ length }, () => random.normal());
}

/** Fills a large array quickly: a block of random words, repeated. */
function randomBytes(length) {
  const block = Uint32Array.from({ length: 1 << 18 }, () => random.uint32());
  const source = new Uint8Array(block.buffer);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += source.length) bytes.set(source.subarray(0, length - i), i);
  return bytes;
}

function loadAddon() {
  const reasons = [];
  for (const path of addonCandidates()) {
    try {
      return createRequire(import.meta.url)(path);
    } catch (error) {
      reasons.push(error.message.split("\n", 1)[0]);
    }
  }
  console.error(`no addon is measured: ${reasons.join("; ")}`);
  return undefined;
}

function loadWasmContestant() {
  try {
    return [{ name: "wasm", backend: wasmBackend(new WasmMemory()), activate: () => {} }];
  } catch (error) {
    console.error(`no WASM is measured: ${error.message}`);
    return [];
  }
}

function median(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Contestants: name, backend, what to do before a call. */
function contestants() {
  const addon = loadAddon();
  const native = (addon?.isas() ?? []).map((isa) => ({
    name: isa,
    backend: nativeBackend(addon),
    activate: () => addon.forceIsa(isa),
  }));
  return [...native, ...loadWasmContestant(), { name: "js", backend: referenceBackend, activate: () => {} }];
}

/** Processor time of this process in nanoseconds: unlike the clock, it does not count what neighbours take. */
function processorTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Nanoseconds a unit of each contestant, median of interleaved rounds of 20 milliseconds or one call each. */
function measure(runs, units) {
  const times = runs.map(() => []);
  const repeats = runs.map((run) => {
    run();
    const started = processorTime();
    run();
    return Math.max(1, Math.min(2000, Math.round(20e6 / (processorTime() - started + 1000))));
  });
  for (let round = 0; round < ROUNDS; round++) {
    runs.forEach((run, i) => {
      // Three rounds are enough for what takes more than half a second.
      if (round >= 3 && median(times[i]) * units > 5e8) return;
      const started = processorTime();
      for (let n = 0; n < repeats[i]; n++) run();
      times[i].push((processorTime() - started) / (repeats[i] * units));
    });
  }
  return times.map(median);
}

const rows = [];
const entrants = contestants();

function report(what, unit, runs, units) {
  const measured = measure(runs, units);
  const row = { what, unit };
  entrants.forEach((entrant, i) => {
    row[entrant.name] = measured[i];
  });
  rows.push(row);
  if (json) return;
  const cells = entrants.map((entrant) => `${entrant.name} ${row[entrant.name].toFixed(2)}`);
  console.log(`${what.padEnd(46)} ns/${unit.padEnd(9)} ${cells.join("   ")}`);
}

/** One run a contestant; `call` gets the backend. */
function runsOf(call) {
  return entrants.map(({ backend, activate }) => () => {
    activate();
    call(backend);
  });
}

if (!json) {
  console.log(
    `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}, ${process.platform}`,
  );
}

const codebook = packCodebook(normals(CENTROIDS * DIM), DIM);
const tokens = COLD_PASSAGES * PASSAGE;
const codes = new Uint16Array(tokens);
for (let t = 0; t < tokens; t++) codes[t] = random.below(CENTROIDS);
const offsets = Uint32Array.from({ length: COLD_PASSAGES + 1 }, (_, i) => i * PASSAGE);
const inverseNorms = new Uint16Array(tokens).fill(0x3c00);
const hot = Uint32Array.from({ length: HOT_PASSAGES }, (_, i) => i);
const out = new Float32Array(COLD_SCORED);

for (const queryTokens of [16, 32]) {
  const query = packQuery(normals(queryTokens * DIM), queryTokens, DIM);
  const table = new Float32Array(CENTROIDS * query.lanes);
  referenceBackend.centroidScores(query, codebook, table);
  /** Another choice of passages each time, so that caches do not help. */
  const cold = () => Uint32Array.from({ length: COLD_SCORED }, () => random.below(COLD_PASSAGES));
  for (const nbits of [4, 2]) {
    const compressed = { codes, residuals: randomBytes((tokens * DIM * nbits) / 8), inverseNorms };
    const quantizer = {
      nbits,
      cutoffs: normals(2 ** nbits - 1).sort(),
      ...packWeights(normals(2 ** nbits).sort()),
    };
    const run = (passages) =>
      runsOf((backend) => backend.maxsim(query, quantizer, table, compressed, offsets, passages(), out));
    const name = `maxsim ${queryTokens} query tokens ${nbits} bits`;
    report(
      `${name} hot`,
      "token",
      run(() => hot),
      HOT_PASSAGES * PASSAGE,
    );
    report(`${name} cold`, "token", run(cold), COLD_SCORED * PASSAGE);
  }
  const approximate = (passages) =>
    runsOf((backend) => backend.approximate(query, table, codes, offsets, passages(), out));
  report(
    `approximate ${queryTokens} query tokens hot`,
    "token",
    approximate(() => hot),
    HOT_PASSAGES * PASSAGE,
  );
  report(`approximate ${queryTokens} query tokens cold`, "token", approximate(cold), COLD_SCORED * PASSAGE);
  report(
    `centroidScores ${queryTokens} query tokens`,
    "centroid",
    runsOf((backend) => backend.centroidScores(query, codebook, table)),
    CENTROIDS,
  );
  const ids = new Uint32Array(queryTokens * 32);
  const scores = new Float32Array(queryTokens * 32);
  report(
    `topCentroids ${queryTokens} query tokens nprobe 32`,
    "centroid",
    runsOf((backend) => backend.topCentroids(table, CENTROIDS, query, 32, ids, scores)),
    CENTROIDS,
  );
}

const vectors = quantizeVectors(normals(256 * DIM), 256, DIM);
const assigned = new Uint32Array(256);
report(
  `assign to all of ${CENTROIDS} centroids`,
  "pair",
  runsOf((backend) => backend.assign(vectors, codebook, null, assigned)),
  256 * CENTROIDS,
);
const ranges = Uint32Array.from({ length: 512 }, (_, i) =>
  i % 2 === 0 ? (i * 30) % 16_000 : (((i - 1) * 30) % 16_000) + 64,
);
report(
  "assign in ranges of 64 centroids",
  "pair",
  runsOf((backend) => backend.assign(vectors, codebook, ranges, assigned)),
  256 * 64,
);
for (const nbits of [4, 2]) {
  const quantizer = {
    nbits,
    cutoffs: normals(2 ** nbits - 1).sort(),
    ...packWeights(normals(2 ** nbits).sort()),
  };
  const residuals = new Uint8Array((256 * DIM * nbits) / 8);
  const norms = new Uint16Array(256);
  report(
    `compress ${nbits} bits`,
    "token",
    runsOf((backend) => backend.compress(vectors, codebook, quantizer, assigned, residuals, norms)),
    256,
  );
}
if (json) console.log(JSON.stringify({ cpu: cpus()[0]?.model, node: process.version, rows }, undefined, 2));
