#!/usr/bin/env node
/**
 * What clustering and quantizer cost and keep: token-aware clustering with several budgets around PLAID's rule against
 * flat clustering, and Lloyd-Max against bare quantiles. Recall is against exhaustive float32 MaxSim.
 *
 *   npm run build && node scripts/bench/codec.mjs [--data DIR] [--collection scifact] [--nbits 4,2]
 *
 * Times are processor time of one thread.
 */
import { parseArgs } from "node:util";
import { Codec } from "../../dist/codec/codec.js";
import { quantile } from "../../dist/codec/quantile.js";
import { sortedResiduals, trainQuantizer } from "../../dist/codec/quantizer.js";
import { centroidBudget } from "../../dist/codec/sample.js";
import { trainCodec } from "../../dist/codec/train.js";
import { evaluate } from "../../dist/evaluation/evaluate.js";
import { packWeights } from "../../dist/kernels/pack.js";
import { selectKernels } from "../../dist/kernels/select.js";
import { InlineScorer } from "../../dist/search/scorer.js";
import { DEFAULT_DATA, missingCollection, readCollection } from "../lib/collections.mjs";
import { floatCollection } from "../lib/float-vectors.mjs";
import { measuredIndex } from "../lib/measured-index.mjs";
import { memorySnapshot, quantizedPassages, searchOnce, trainingSample } from "../lib/memory-snapshot.mjs";
import { machine, overlap, table } from "../lib/report.mjs";

const K = 10;

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: DEFAULT_DATA },
    collection: { type: "string", default: "scifact" },
    nbits: { type: "string", default: "4,2" },
  },
});
const missing = missingCollection(options.data, options.collection);
if (missing !== undefined) {
  console.log(`skipped: ${missing}`);
  process.exit(0);
}
const { backend: kernels, info } = selectKernels();
const scorer = new InlineScorer(kernels);
const judged = await readCollection(options.data, options.collection);
const float = await floatCollection(judged, (await measuredIndex(judged, 4)).folder);
const quantized = quantizedPassages(float);
float.close();
const { vectors, tokenIds, lengths, documents } = quantized;
const sample = trainingSample(quantized);
const exact = float.rankings.map((ranking) => ranking.slice(0, K).map(({ id }) => id));

function timed(work) {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (user + system) / 1e6 };
}

/** Codecs of one clustering: training is timed once, and gives the codebook that all quantizers are made for. */
function cluster(tokenAware, budget) {
  const tokenIds = tokenAware ? sample.tokenIds : null;
  const { result, seconds } = timed(() =>
    trainCodec({ ...sample, tokenIds, nbits: 4, seed: 42, budget }, kernels),
  );
  return { trained: result, tokenAware, seconds, residuals: heldOutResiduals(result, tokenAware) };
}

/** The same centroids, but every vector takes the nearest of all instead of the nearest of its own id. */
function unrestricted({ trained, seconds }) {
  return { trained, tokenAware: false, seconds, residuals: heldOutResiduals(trained, false) };
}

/** Ascending residual components of what the trainer held out. */
function heldOutResiduals({ codebook, tokenGroups }, tokenAware) {
  const { dim, values, scales } = sample.vectors;
  const from = sample.vectors.count - sample.heldOut;
  const vectors = {
    count: sample.heldOut,
    dim,
    values: values.subarray(from * dim),
    scales: scales.subarray(from),
  };
  const ids = tokenAware ? sample.tokenIds.subarray(from) : null;
  const codes = new Uint32Array(sample.heldOut);
  kernels.assign(vectors, codebook, tokenGroups.ranges(ids, codebook.size), codes);
  return sortedResiduals(vectors, codes, codebook);
}

/** Cutoffs at the quantiles i / 2^nbits and weights at (i + 0.5) / 2^nbits, as in ColBERTv2. */
function quantilesOnly(sorted, nbits) {
  const buckets = 2 ** nbits;
  const cutoffs = Float32Array.from({ length: buckets - 1 }, (_, i) => quantile(sorted, (i + 1) / buckets));
  const weights = Float32Array.from({ length: buckets }, (_, i) => quantile(sorted, (i + 0.5) / buckets));
  return { nbits, cutoffs, ...packWeights(weights) };
}

async function search(snapshot, tuning) {
  const rankings = [];
  for (const query of float.queries) {
    const found = await searchOnce(snapshot, query.vectors, K, tuning, { kernels, scorer });
    rankings.push(found.documents.map((d) => float.ids[d]));
  }
  return rankings;
}

function ndcg(rankings) {
  const run = new Map(
    rankings.map((ids, q) => [float.queries[q].id, ids.map((id, i) => ({ id, score: -i }))]),
  );
  return evaluate(run, judged.qrels, [`nDCG@${K}`]).means.get(`nDCG@${K}`);
}

async function row(name, quantizerName, clustering, nbits, quantizer) {
  const { trained, tokenAware } = clustering;
  const codec = new Codec(trained.codebook, quantizer, trained.tokenGroups);
  const { result: compressed, seconds } = timed(() =>
    codec.encode(vectors, tokenAware ? tokenIds : null, kernels),
  );
  const snapshot = memorySnapshot(codec, compressed, lengths, documents);
  const stored = await search(snapshot, { effort: "exact" });
  const pruned = await search(snapshot, { exhaustiveTokens: 0 });
  console.error(`${name}, ${quantizerName}, ${nbits} bits: done`);
  return [
    nbits,
    name,
    quantizerName,
    codec.codebook.size,
    clustering.seconds.toFixed(1),
    seconds.toFixed(1),
    overlap(exact, stored, K).toFixed(4),
    overlap(stored, pruned, K).toFixed(4),
    overlap(exact, pruned, K).toFixed(4),
    ndcg(stored).toFixed(4),
  ];
}

const rule = centroidBudget(vectors.count);
const ids = new Set(tokenIds).size;
const chosen = cluster(true, rule);
const clusterings = [
  ["token-aware, one an id + rule", chosen],
  ["token-aware, rule in all", cluster(true, rule - ids)],
  ["token-aware, 2 x rule in all", cluster(true, 2 * rule - ids)],
  ["flat, rule", cluster(false, rule)],
  ["token-aware, nearest of all", unrestricted(chosen)],
];
const rows = [];
for (const nbits of options.nbits.split(",").map(Number)) {
  for (const [name, clustering] of clusterings) {
    rows.push(await row(name, "Lloyd-Max", clustering, nbits, trainQuantizer(clustering.residuals, nbits)));
  }
  rows.push(
    await row(
      "token-aware, one an id + rule",
      "quantiles",
      chosen,
      nbits,
      quantilesOnly(chosen.residuals, nbits),
    ),
  );
}
console.log(`${machine()}, kernels ${info.backend} ${info.isa}`);
console.log(
  `${judged.name}: ${vectors.count} token vectors, ${lengths.length} passages, ${float.queries.length} queries`,
);
console.log(
  table(
    [
      "bits",
      "clustering",
      "quantizer",
      "centroids",
      "training s",
      "assign + quantize s",
      "recall@10 stored / float32",
      "pruned / stored",
      "pruned / float32",
      "nDCG@10 stored",
    ],
    rows,
  ),
);
