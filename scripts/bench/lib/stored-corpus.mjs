// A corpus in memory as encoders hand it over and as an index stores it: what benchmarks of codecs vary.

import { buildPostings } from "../../../dist/codec/postings.js";
import { holdOut, samplePassages } from "../../../dist/codec/sample.js";
import { Random } from "../../../dist/common/random.js";
import { segmentInMemory } from "../../../dist/indexing/segment.js";
import { packQuery, quantizeVectors } from "../../../dist/kernels/pack.js";
import { searchParameters } from "../../../dist/search/parameters.js";
import { ScanRouter } from "../../../dist/search/router.js";
import { searchSnapshot } from "../../../dist/search/search.js";
import { Workspace } from "../../../dist/search/workspace.js";

/** As an index has it by default. */
const SEED = 42;

/**
 * @typedef {object} QuantizedCorpus
 * @property {import("../../../dist/kernels/backend.js").QuantizedVectors} vectors
 * @property {Uint32Array} tokenIds
 * @property {Uint32Array} lengths
 */

/** @param {import("./corpus.mjs").Corpus} corpus @returns {QuantizedCorpus} */
export function quantizedCorpus(corpus) {
  const { dim, tokens, lengths } = corpus;
  const vectors = {
    count: tokens,
    dim,
    values: new Int8Array(tokens * dim),
    scales: new Float32Array(tokens),
  };
  const tokenIds = new Uint32Array(tokens);
  let at = 0;
  for (const block of corpus.blocks()) {
    const { length } = block.tokenIds;
    const { values, scales } = quantizeVectors(block.vectors, length, dim);
    vectors.values.set(values, at * dim);
    vectors.scales.set(scales, at);
    tokenIds.set(block.tokenIds, at);
    at += length;
  }
  return { vectors, tokenIds, lengths };
}

/**
 * What a build trains its codec on: the passages that it samples, held-out ones last.
 *
 * @param {QuantizedCorpus} corpus
 */
export function trainingSample({ vectors, tokenIds, lengths }) {
  const { count, dim } = vectors;
  const starts = new Uint32Array(lengths.length + 1);
  for (const [p, length] of lengths.entries()) starts[p + 1] = starts[p] + length;
  const wanted = samplePassages(lengths.length, count / lengths.length);
  const chosen = Array.from(new Random(SEED).sample(wanted, lengths.length));
  const held = holdOut(chosen.map((p) => lengths[p]));
  const order = [...chosen.filter((_, n) => !held.has(n)), ...chosen.filter((_, n) => held.has(n))];
  const tokens = order.reduce((sum, p) => sum + lengths[p], 0);
  const sample = {
    count: tokens,
    dim,
    values: new Int8Array(tokens * dim),
    scales: new Float32Array(tokens),
  };
  const ids = new Uint32Array(tokens);
  let at = 0;
  for (const p of order) {
    const [from, to] = [starts[p], starts[p + 1]];
    sample.values.set(vectors.values.subarray(from * dim, to * dim), at * dim);
    sample.scales.set(vectors.scales.subarray(from, to), at);
    ids.set(tokenIds.subarray(from, to), at);
    at += to - from;
  }
  const heldOut = chosen.reduce((sum, p, n) => sum + (held.has(n) ? lengths[p] : 0), 0);
  return { vectors: sample, tokenIds: ids, heldOut };
}

/**
 * One segment in memory, a document a passage.
 *
 * @param {import("../../../dist/codec/codec.js").Codec} codec
 * @param {import("../../../dist/kernels/backend.js").CompressedTokens} compressed
 * @param {Uint32Array} lengths token vectors of each passage
 */
export function memorySnapshot(codec, compressed, lengths) {
  const { offsets: postingOffsets, bytes: postings } = buildPostings(
    compressed.codes,
    lengths,
    codec.codebook.size,
  );
  const offsets = new Uint32Array(lengths.length + 1);
  for (const [p, length] of lengths.entries()) offsets[p + 1] = offsets[p] + length;
  const segment = segmentInMemory({
    name: "memory",
    passages: lengths.length,
    tokens: compressed.codes.length,
    numbers: Uint32Array.from(lengths.keys()),
    centroids: codec.codebook.size,
    offsets,
    documents: Uint32Array.from(lengths.keys()),
    compressed,
    postingOffsets,
    postings,
    dead: null,
    live: null,
  });
  return { codec, segments: [segment], tokens: segment.tokens };
}

/**
 * Numbers of the best passages of each query.
 *
 * @param {ReturnType<typeof memorySnapshot>} snapshot
 * @param {readonly Float32Array[]} queries unit rows
 * @param {number} k
 * @param {import("../../../dist/search/parameters.js").SearchTuning} tuning
 * @param {import("../../../dist/kernels/backend.js").KernelBackend} kernels
 */
export function storedRankings(snapshot, queries, k, tuning, kernels) {
  const { dim, codebook } = snapshot.codec;
  const context = { kernels, router: new ScanRouter(kernels, codebook), workspace: new Workspace() };
  const parameters = searchParameters(k, tuning);
  return queries.map((vectors) => {
    const packed = packQuery(vectors, vectors.length / dim, dim);
    const [{ ranked }] = searchSnapshot(snapshot, [{ packed, vectors, k, parameters }], context);
    return ranked.map(({ documentNo }) => documentNo);
  });
}
