// A corpus in memory as encoders hand it over and as an index stores it: what benchmarks of codecs vary.

import { buildPostings } from "../../../dist/codec/postings.js";
import { holdOut } from "../../../dist/codec/sample.js";
import { segmentInMemory } from "../../../dist/indexing/segment.js";
import { packQuery, quantizeVectors } from "../../../dist/kernels/pack.js";
import { searchParameters } from "../../../dist/search/parameters.js";
import { ScanRouter } from "../../../dist/search/router.js";
import { searchSnapshot } from "../../../dist/search/search.js";
import { Workspace } from "../../../dist/search/workspace.js";

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
 * What a build trains its codec on when it samples every passage: held-out passages last.
 *
 * @param {QuantizedCorpus} corpus
 */
export function trainingSample({ vectors, tokenIds, lengths }) {
  const { count, dim } = vectors;
  const held = holdOut(Array.from(lengths));
  const sample = {
    values: new Int8Array(count * dim),
    scales: new Float32Array(count),
    ids: new Uint32Array(count),
  };
  let at = 0;
  for (const last of [false, true]) {
    let from = 0;
    for (const [p, length] of lengths.entries()) {
      const to = from + length;
      if (held.has(p) === last) {
        sample.values.set(vectors.values.subarray(from * dim, to * dim), at * dim);
        sample.scales.set(vectors.scales.subarray(from, to), at);
        sample.ids.set(tokenIds.subarray(from, to), at);
        at += length;
      }
      from = to;
    }
  }
  const heldOut = [...held].reduce((sum, p) => sum + lengths[p], 0);
  return {
    vectors: { count, dim, values: sample.values, scales: sample.scales },
    tokenIds: sample.ids,
    heldOut,
  };
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
    firstPassage: 0,
    offsets,
    documents: Uint32Array.from(lengths.keys()),
    compressed,
    postingOffsets,
    postings,
    dead: null,
    live: null,
  });
  const searchableDocuments = lengths.filter((length) => length > 0).length;
  return { codec, segments: [segment], searchableDocuments, tokens: segment.tokens };
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
