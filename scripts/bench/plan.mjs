#!/usr/bin/env node
/**
 * Latency of the exhaustive and the pruned plan as a corpus grows, on one and on two threads, and what the parameters
 * of the pruned plan keep and cost. Encoder and catalog are not part of the times.
 *
 *   npm run build && node scripts/bench/plan.mjs [--data DIR] [--collection scifact] [--queries 100] [--rounds 3]
 *     [--sizes 50000,100000,200000,400000,800000] [--threads 1,2] [--no-sweep]
 *
 * Plans take turns query by query. Times are medians over queries and rounds on the clock; p95 beside them.
 */
import { parseArgs } from "node:util";
import { centroidBudget } from "../../dist/codec/sample.js";
import { trainCodec } from "../../dist/codec/train.js";
import { selectKernels } from "../../dist/kernels/select.js";
import { ScorePool } from "../../dist/workers/score-pool.js";
import { DEFAULT_DATA, missingCollection, readCollection } from "../lib/collections.mjs";
import { floatCollection } from "../lib/float-vectors.mjs";
import { measuredIndex } from "../lib/measured-index.mjs";
import {
  memorySnapshot,
  passagesWithin,
  quantizedPassages,
  searchOnce,
  trainingSample,
} from "../lib/memory-snapshot.mjs";
import { machine, median, overlap, quantile, table } from "../lib/report.mjs";

const K = 10;
const PLANS = [
  ["exhaustive", { effort: "exact" }],
  ["balanced", { effort: "balanced", exhaustiveTokens: 0 }],
  ["fast", { effort: "fast", exhaustiveTokens: 0 }],
];
const SWEEP = [2, 4, 8, 16].flatMap((nprobe) =>
  [1024, 4096].flatMap((approximate) =>
    [128, 256, 512].map((refine) => ({ nprobe, approximate, refine, exhaustiveTokens: 0 })),
  ),
);

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    data: { type: "string", default: DEFAULT_DATA },
    collection: { type: "string", default: "scifact" },
    queries: { type: "string", default: "100" },
    rounds: { type: "string", default: "3" },
    sizes: { type: "string", default: "50000,100000,200000,400000,800000" },
    threads: { type: "string", default: "1,2" },
    sweep: { type: "boolean", default: true },
  },
});
const missing = missingCollection(options.data, options.collection);
if (missing !== undefined) {
  console.log(`skipped: ${missing}`);
  process.exit(0);
}
const { backend: kernels, info } = selectKernels();
const collection = await readCollection(options.data, options.collection);
const float = await floatCollection(collection, (await measuredIndex(collection, 4)).folder);
const queries = float.queries.slice(0, Number(options.queries));
const rounds = Number(options.rounds);

function snapshotOf(tokens) {
  const passages = passagesWithin(float.lengths, tokens);
  const quantized = quantizedPassages(float, passages);
  const { vectors, tokenIds, lengths, documents } = quantized;
  const budget = centroidBudget(vectors.count);
  const codec = trainCodec({ ...trainingSample(quantized), nbits: 4, seed: 42, budget }, kernels);
  return memorySnapshot(codec, codec.encode(vectors, tokenIds, kernels), lengths, documents);
}

/** Rankings of each plan, and its times in milliseconds; plans take turns. */
async function compare(snapshot, plans, scorer) {
  const results = plans.map(() => ({ rankings: [], times: [], processor: [] }));
  // Round 0 warms caches, compiled code and threads, and gives the rankings.
  for (let round = 0; round <= rounds; round++) {
    for (const { vectors } of queries) {
      for (const [p, tuning] of plans.entries()) {
        const found = await searchOnce(snapshot, vectors, K, tuning, { kernels, scorer });
        if (round === 0) results[p].rankings.push(found.documents);
        else {
          results[p].times.push(found.milliseconds);
          results[p].processor.push(found.processor);
        }
      }
    }
  }
  return results;
}

const cell = (times) => `${median(times).toFixed(2)} (${quantile(times, 0.95).toFixed(1)})`;

console.log(`${machine()}, kernels ${info.backend} ${info.isa}`);
const tokensOfQuery = median(queries.map(({ vectors }) => vectors.length / float.dim));
console.log(
  `${collection.name}, ${queries.length} queries of ${tokensOfQuery} token vectors (median), 4 bits`,
);
const threadCounts = options.threads.split(",").map(Number);
const rows = [];
let snapshot;
for (const tokens of options.sizes.split(",").map(Number)) {
  snapshot = snapshotOf(tokens);
  for (const threads of threadCounts) {
    const scorer = new ScorePool(kernels, threads);
    try {
      const results = await compare(
        snapshot,
        PLANS.map(([, tuning]) => tuning),
        scorer,
      );
      const [exhaustive, balanced, fast] = results;
      rows.push([
        snapshot.tokens,
        snapshot.segments[0].passages,
        snapshot.codec.codebook.size,
        threads,
        ...results.map(({ times }) => cell(times)),
        ...results.map(({ processor }) => median(processor).toFixed(2)),
        overlap(exhaustive.rankings, balanced.rankings, K).toFixed(4),
        overlap(exhaustive.rankings, fast.rankings, K).toFixed(4),
      ]);
      console.error(rows.at(-1).join("  "));
    } finally {
      await scorer.close();
    }
  }
}
console.log(
  table(
    [
      "tokens",
      "passages",
      "centroids",
      "threads",
      ...PLANS.map(([name]) => `${name} ms p50 (p95)`),
      ...PLANS.map(([name]) => `${name} processor ms`),
      "recall@10 balanced",
      "recall@10 fast",
    ],
    rows,
  ),
);
if (options.sweep) {
  const scorer = new ScorePool(kernels, 1);
  const plans = [{ effort: "exact" }, ...SWEEP];
  const [exhaustive, ...swept] = await compare(snapshot, plans, scorer);
  await scorer.close();
  console.log(`\nPruned plan, ${snapshot.tokens} tokens, one thread; recall against the exhaustive plan:\n`);
  console.log(
    table(
      ["nprobe", "approximate", "refine", "recall@10", "ms p50 (p95)", "processor ms"],
      swept.map(({ rankings, times, processor }, i) => [
        SWEEP[i].nprobe,
        SWEEP[i].approximate,
        SWEEP[i].refine,
        overlap(exhaustive.rankings, rankings, K).toFixed(4),
        cell(times),
        median(processor).toFixed(2),
      ]),
    ),
  );
}
float.close();
