// Stored forms of float vectors without an index on disk: what benchmarks of codecs and search plans vary.

import { buildPostings } from "../../dist/codec/postings.js";
import { holdOut } from "../../dist/codec/sample.js";
import { packQuery, quantizeVectors } from "../../dist/kernels/pack.js";
import { Trace } from "../../dist/search/explain.js";
import { searchParameters } from "../../dist/search/parameters.js";
import { ScanRouter } from "../../dist/search/router.js";
import { searchSnapshot } from "../../dist/search/search.js";

/** Token vectors converted at once: 64 MB of float32 at dimension 128. */
const BLOCK = 131_072;

/**
 * The first `passages` passages as encoders hand them over.
 *
 * @param {import("./float-vectors.mjs").FloatCollection} collection
 * @param {number} [passages]
 */
export function quantizedPassages(collection, passages = collection.lengths.length) {
  const { dim } = collection;
  const lengths = collection.lengths.slice(0, passages);
  const count = lengths.reduce((sum, n) => sum + n, 0);
  const values = new Int8Array(count * dim);
  const scales = new Float32Array(count);
  for (let from = 0; from < count; from += BLOCK) {
    const to = Math.min(count, from + BLOCK);
    const block = quantizeVectors(collection.rows(from, to), to - from, dim);
    values.set(block.values, from * dim);
    scales.set(block.scales, from);
  }
  return {
    vectors: { count, dim, values, scales },
    tokenIds: collection.tokenIds.slice(0, count),
    lengths,
    documents: collection.documents.slice(0, passages),
  };
}

/**
 * The order in which a codec is trained, as a build has it: held-out passages last.
 *
 * @param {ReturnType<typeof quantizedPassages>} passages
 */
export function trainingSample({ vectors, tokenIds, lengths }) {
  const { count, dim } = vectors;
  const held = holdOut(Array.from(lengths));
  const starts = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, p) => {
    starts[p + 1] = starts[p] + length;
  });
  const order = Array.from(lengths.keys());
  const values = new Int8Array(count * dim);
  const scales = new Float32Array(count);
  const ids = new Uint32Array(count);
  let at = 0;
  for (const p of [...order.filter((p) => !held.has(p)), ...order.filter((p) => held.has(p))]) {
    const [from, to] = [starts[p], starts[p + 1]];
    values.set(vectors.values.subarray(from * dim, to * dim), at * dim);
    scales.set(vectors.scales.subarray(from, to), at);
    ids.set(tokenIds.subarray(from, to), at);
    at += to - from;
  }
  const heldOut = [...held].reduce((sum, p) => sum + lengths[p], 0);
  return { vectors: { count, dim, values, scales }, tokenIds: ids, heldOut };
}

/** How many passages from the first on have at most `tokens` token vectors together. */
export function passagesWithin(lengths, tokens) {
  let sum = 0;
  const end = lengths.findIndex((length) => {
    sum += length;
    return sum > tokens;
  });
  return end < 0 ? lengths.length : end;
}

/**
 * One segment in memory, in buffers that threads share.
 *
 * @param {import("../../dist/codec/codec.js").Codec} codec
 * @param {import("../../dist/kernels/backend.js").CompressedTokens} compressed
 * @param {Uint32Array} lengths token vectors of each passage
 * @param {Uint32Array} documents document of each passage, ascending
 */
export function memorySnapshot(codec, compressed, lengths, documents) {
  const { offsets: postingOffsets, bytes: postings } = buildPostings(
    compressed.codes,
    lengths,
    codec.codebook.size,
  );
  const offsets = new Uint32Array(new SharedArrayBuffer((lengths.length + 1) * 4));
  lengths.forEach((length, p) => {
    offsets[p + 1] = offsets[p] + length;
  });
  const segment = {
    name: "memory",
    passages: lengths.length,
    tokens: compressed.codes.length,
    firstPassage: 0,
    offsets,
    documents,
    compressed: {
      codes: shared(compressed.codes),
      residuals: shared(compressed.residuals),
      inverseNorms: shared(compressed.inverseNorms),
    },
    postingOffsets,
    postings,
    dead: null,
    live: null,
  };
  const searchable = new Set(documents.filter((_, p) => lengths[p] > 0));
  return { codec, segments: [segment], searchableDocuments: searchable.size, tokens: segment.tokens };
}

function shared(array) {
  const out = new array.constructor(new SharedArrayBuffer(array.byteLength));
  out.set(array);
  return out;
}

/**
 * Searches a snapshot as the engine does, without encoder and catalog.
 *
 * @returns {Promise<{documents: number[], milliseconds: number, processor: number}>} numbers of the best documents,
 *   time on the clock, and processor time of all threads, both in milliseconds
 */
export async function searchOnce(snapshot, vectors, k, tuning, { kernels, scorer }) {
  const { dim } = snapshot.codec;
  const before = process.cpuUsage();
  const started = performance.now();
  const query = packQuery(vectors, vectors.length / dim, dim);
  const parameters = searchParameters(k, tuning);
  const router = new ScanRouter(kernels, snapshot.codec.codebook);
  const context = { kernels, scorer, router, trace: new Trace() };
  const { ranked } = await searchSnapshot(snapshot, query, k, parameters, context);
  const milliseconds = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return {
    documents: ranked.map(({ documentNo }) => documentNo),
    milliseconds,
    processor: (user + system) / 1000,
  };
}
