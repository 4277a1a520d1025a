// What clustering and quantizer cost and keep: token-aware and flat clustering, with lookups in cells and exhaustive ones,
// Lloyd-Max against bare quantiles. Recall is against exhaustive float32 MaxSim.

import { CodeAssigner } from "../../../dist/codec/assigner.js";
import { Codec } from "../../../dist/codec/codec.js";
import { quantile } from "../../../dist/codec/quantile.js";
import { sortedResiduals, trainQuantizer } from "../../../dist/codec/quantizer.js";
import { centroidBudget } from "../../../dist/codec/sample.js";
import { trainCodec } from "../../../dist/codec/train.js";
import { packWeights } from "../../../dist/kernels/pack.js";
import { selectKernels } from "../../../dist/kernels/select.js";
import { dataOptions } from "../lib/common-options.mjs";
import { openCorpus } from "../lib/corpus.mjs";
import { count, fixed, percent } from "../lib/report.mjs";
import { overlap } from "../lib/statistics.mjs";
import { memorySnapshot, quantizedCorpus, storedRankings, trainingSample } from "../lib/stored-corpus.mjs";
import { chosenQueries, floatTruth } from "../lib/truth.mjs";

const K = 10;
/** Vectors that are encoded at once, as many as a batch of a build. */
const BATCH = 20_000;

export const options = {
  data: dataOptions.data,
  passages: { type: "integer", default: 10_000, describe: "the first N passages of them" },
  queries: { type: "integer", default: 100, describe: "queries, evenly spread over those of the data" },
  nbits: { type: "integers", default: [4, 2], choices: [1, 2, 4], describe: "bits of a residual component" },
  budgets: {
    type: "flag",
    default: false,
    describe: "also token-aware clustering with other numbers of centroids",
  },
};

export async function run({ values, report, say }) {
  const { backend: kernels } = selectKernels();
  const corpus = await openCorpus(values);
  const queries = chosenQueries(corpus, values.queries);
  const exact = await floatTruth(corpus, queries);
  const quantized = quantizedCorpus(corpus);
  const sample = trainingSample(quantized);
  const rule = centroidBudget(corpus.tokens);
  const ids = new Set(quantized.tokenIds).size;
  const aware = cluster("token-aware, one an id + rule", sample, true, rule, kernels);
  const flat = cluster("flat, rule", sample, false, rule, kernels);
  const everything = { lookup: nearestOfAll };
  const clusterings = [
    aware,
    { ...flat, lookup: throughCodec },
    { ...flat, ...everything, name: "flat, rule, nearest of all" },
    { ...aware, ...everything, name: "token-aware, nearest of all" },
  ];
  if (values.budgets) {
    clusterings.push(
      cluster("token-aware, rule in all", sample, true, rule - ids, kernels),
      cluster("token-aware, 2 x rule in all", sample, true, 2 * rule - ids, kernels),
    );
  }
  const rows = [];
  for (const clustering of clusterings) {
    say(`encoding: ${clustering.name}`);
    const lookup = clustering.lookup ?? throughCodec;
    const assigned = lookup(clustering, quantized, kernels);
    const residuals = residualsOf(quantized.vectors, assigned.codes, clustering.codebook);
    for (const nbits of values.nbits) {
      const quantizers = [["Lloyd-Max", trainQuantizer(residuals, nbits)]];
      if (clustering === aware) quantizers.push(["quantiles", quantilesOnly(residuals, nbits)]);
      for (const [name, quantizer] of quantizers) {
        const codec = new Codec(clustering.codebook, quantizer, clustering.tokenGroups);
        const { compressed, seconds } = compress(codec, quantized.vectors, assigned.codes, kernels);
        const snapshot = memorySnapshot(codec, compressed, quantized.lengths);
        const stored = storedRankings(snapshot, queries, K, { effort: "exact" }, kernels);
        const pruned = storedRankings(snapshot, queries, K, { exhaustiveTokens: 0 }, kernels);
        rows.push({
          nbits,
          clustering: clustering.name,
          quantizer: name,
          centroids: codec.codebook.size,
          training: clustering.seconds,
          assigning: assigned.seconds,
          compressing: seconds,
          similarity: assigned.similarity,
          stored: exact && overlap(exact, stored, K),
          pruned: overlap(stored, pruned, K),
          both: exact && overlap(exact, pruned, K),
        });
      }
    }
  }
  report.table(
    `${corpus.name}: ${count(corpus.tokens)} token vectors, ${count(corpus.passages)} passages, ${queries.length} queries; ` +
      "processor seconds of one thread",
    COLUMNS,
    rows.sort((a, b) => b.nbits - a.nbits),
  );
  const nearest = nearestOfAll(flat, quantized, kernels).codes;
  const found = throughCodec(flat, quantized, kernels).codes;
  const same = found.filter((code, i) => code === nearest[i]).length;
  report.note(
    `Cells find the nearest of all ${count(flat.codebook.size)} centroids for ${percent(same / found.length)} of the vectors.`,
  );
}

function timed(work) {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (user + system) / 1e6 };
}

/** Training is timed once, and gives the codebook that all quantizers are made for. */
function cluster(name, sample, tokenAware, budget, kernels) {
  const tokenIds = tokenAware ? sample.tokenIds : null;
  const { result, seconds } = timed(() =>
    trainCodec({ ...sample, tokenIds, nbits: 4, seed: 42, budget }, kernels),
  );
  return { name, tokenAware, seconds, codebook: result.codebook, tokenGroups: result.tokenGroups };
}

/** Codes as a build gives them. */
function throughCodec({ codebook, tokenGroups, tokenAware }, { vectors, tokenIds }, kernels) {
  const assigner = new CodeAssigner(codebook, tokenGroups);
  const codes = new Uint32Array(vectors.count);
  const { seconds } = timed(() => {
    for (let from = 0; from < vectors.count; from += BATCH) {
      const to = Math.min(vectors.count, from + BATCH);
      const ids = tokenAware ? tokenIds.subarray(from, to) : null;
      codes.set(assigner.assign(part(vectors, from, to), ids, kernels), from);
    }
  });
  return { codes, seconds, similarity: similarity(vectors, codes, codebook) };
}

/** Every vector takes the nearest of all centroids, whatever its id. */
function nearestOfAll({ codebook }, { vectors }, kernels) {
  const codes = new Uint32Array(vectors.count);
  const { seconds } = timed(() => kernels.assign(vectors, codebook, null, codes));
  return { codes, seconds, similarity: similarity(vectors, codes, codebook) };
}

function compress(codec, vectors, assigned, kernels) {
  const residuals = new Uint8Array(vectors.count * codec.residualBytes);
  const inverseNorms = new Uint16Array(vectors.count);
  const { seconds } = timed(() =>
    kernels.compress(vectors, codec.codebook, codec.quantizer, assigned, residuals, inverseNorms),
  );
  const codes = codec.newCodes(vectors.count);
  codes.set(assigned);
  return { compressed: { codes, residuals, inverseNorms }, seconds };
}

function part({ dim, values, scales }, from, to) {
  return {
    count: to - from,
    dim,
    values: values.subarray(from * dim, to * dim),
    scales: scales.subarray(from, to),
  };
}

/** Each of these vectors is looked at. */
const MEASURED_EVERY = 50;

/** Mean dot product of token vectors with their centroids. */
function similarity({ count, dim, values, scales }, codes, codebook) {
  let sum = 0;
  let measured = 0;
  for (let i = 0; i < count; i += MEASURED_EVERY, measured++) {
    const k = codes[i];
    let dot = 0;
    for (let d = 0; d < dim; d++) dot += values[i * dim + d] * (codebook.values[k * dim + d] - 64);
    sum += dot * scales[i] * codebook.scales[k];
  }
  return sum / measured;
}

/** Ascending residual components of an even part of the vectors. */
function residualsOf(vectors, codes, codebook) {
  const { dim } = vectors;
  const chosen = Array.from(
    { length: Math.floor(vectors.count / MEASURED_EVERY) },
    (_, n) => n * MEASURED_EVERY,
  );
  const picked = { count: chosen.length, dim, values: new Int8Array(chosen.length * dim) };
  for (const [n, i] of chosen.entries())
    picked.values.set(vectors.values.subarray(i * dim, (i + 1) * dim), n * dim);
  picked.scales = Float32Array.from(chosen, (i) => vectors.scales[i]);
  return sortedResiduals(
    picked,
    Uint32Array.from(chosen, (i) => codes[i]),
    codebook,
  );
}

/** Cutoffs at the quantiles i / 2^nbits and weights at (i + 0.5) / 2^nbits, as in ColBERTv2. */
function quantilesOnly(sorted, nbits) {
  const buckets = 2 ** nbits;
  const cutoffs = Float32Array.from({ length: buckets - 1 }, (_, i) => quantile(sorted, (i + 1) / buckets));
  const weights = Float32Array.from({ length: buckets }, (_, i) => quantile(sorted, (i + 0.5) / buckets));
  return { nbits, cutoffs, ...packWeights(weights) };
}

const COLUMNS = [
  { key: "nbits", title: "bits" },
  { key: "clustering", title: "clustering", left: true },
  { key: "quantizer", title: "quantizer", left: true },
  { key: "centroids", title: "centroids", format: count },
  { key: "training", title: "training s", format: fixed(1) },
  { key: "assigning", title: "assign s", format: fixed(1) },
  { key: "compressing", title: "quantize s", format: fixed(1) },
  { key: "similarity", title: "vector . centroid", format: fixed(4) },
  { key: "stored", title: "recall@10 stored / float32", format: fixed(4) },
  { key: "pruned", title: "pruned / stored", format: fixed(4) },
  { key: "both", title: "pruned / float32", format: fixed(4) },
];
