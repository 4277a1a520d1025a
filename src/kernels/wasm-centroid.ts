/**
 * Nearest centroids with the WASM kernels: score table, best of it, assignment. Centroids pass through in blocks.
 * Each operation returns false, with nothing done, when the data do not fit into the memory.
 */
import { checkAssign, checkCentroidScores, checkTopCentroids, requireRange } from "./arguments.js";
import type { Codebook, PackedQuery, QuantizedVectors } from "./backend.js";
import type { WasmMemory } from "./wasm-memory.js";

/** Centroids copied into linear memory at a time: with their scores, a part of the second-level cache. */
const CENTROIDS = 1024;
/** Vectors that a block of centroids meets. */
const VECTORS = 1024;

/** See `KernelBackend.centroidScores`. */
export function centroidScores(
  memory: WasmMemory,
  query: PackedQuery,
  codebook: Codebook,
  out: Float32Array,
  bytes: Uint8Array | null,
): boolean {
  checkCentroidScores(query, codebook, out, bytes);
  const { lanes, dim } = query;
  const block = Math.min(CENTROIDS, codebook.size);
  memory.begin();
  const queryValues = memory.take(dim * lanes);
  // The kernel works on two centroids at a time.
  const values = memory.take((block + 1) * dim);
  const scales = memory.take(block * 4);
  const scores = memory.take(block * lanes * 4);
  const queryScales = memory.take(lanes * 4);
  const steps = bytes === null ? 0 : memory.take(block * lanes);
  if (!memory.fits()) return false;

  const { kernels } = memory;
  const { i8, u8, f32 } = memory.views;
  i8.set(query.values, queryValues);
  f32.set(query.scales, queryScales / 4);
  kernels.putQuery(queryValues, lanes, dim);
  for (let first = 0; first < codebook.size; first += block) {
    const count = Math.min(block, codebook.size - first);
    u8.set(codebook.values.subarray(first * dim, (first + count) * dim), values);
    f32.set(codebook.scales.subarray(first, first + count), scales / 4);
    kernels.scores(values, scales, count, lanes, dim, scores, queryScales, steps);
    out.set(f32.subarray(scores / 4, scores / 4 + count * lanes), first * lanes);
    bytes?.set(u8.subarray(steps, steps + count * lanes), first * lanes);
  }
  return true;
}

/** See `KernelBackend.topCentroids`. */
export function topCentroids(
  memory: WasmMemory,
  table: Float32Array,
  size: number,
  query: PackedQuery,
  nprobe: number,
  ids: Uint32Array,
  scores: Float32Array,
): boolean {
  checkTopCentroids(table, size, query, nprobe, ids, scores);
  const { lanes, tokens } = query;
  const block = Math.min(CENTROIDS, size);
  memory.begin();
  const rows = memory.take(block * lanes * 4);
  const bestIds = memory.take(tokens * nprobe * 4);
  const bestScores = memory.take(tokens * nprobe * 4);
  if (!memory.fits()) return false;

  const { kernels } = memory;
  const { u32, f32 } = memory.views;
  for (let first = 0; first < size; first += block) {
    const count = Math.min(block, size - first);
    f32.set(table.subarray(first * lanes, (first + count) * lanes), rows / 4);
    kernels.top(rows, first, count, lanes, tokens, nprobe, bestIds, bestScores);
  }
  kernels.sortTop(tokens, nprobe, bestIds, bestScores);
  ids.set(u32.subarray(bestIds / 4, bestIds / 4 + tokens * nprobe));
  scores.set(f32.subarray(bestScores / 4, bestScores / 4 + tokens * nprobe));
  return true;
}

/** See `KernelBackend.assign`. */
export function assign(
  memory: WasmMemory,
  vectors: QuantizedVectors,
  codebook: Codebook,
  ranges: Uint32Array | null,
  codes: Uint32Array,
): boolean {
  checkAssign(vectors, codebook, ranges, codes);
  return ranges === null
    ? assignToAll(memory, vectors, codebook, codes)
    : assignInRanges(memory, vectors, codebook, ranges, codes);
}

function assignToAll(
  memory: WasmMemory,
  vectors: QuantizedVectors,
  codebook: Codebook,
  codes: Uint32Array,
): boolean {
  const { dim } = vectors;
  const block = Math.min(CENTROIDS, codebook.size);
  // The kernel works on 16 vectors at a time.
  const room = Math.ceil(Math.min(VECTORS, vectors.count) / 16) * 16;
  memory.begin();
  const rows = memory.take(room * dim);
  const tiles = memory.take(room * dim * 2);
  const best = memory.take(room * 4);
  const bestIds = memory.take(room * 4);
  // The kernel works on two centroids at a time.
  const values = memory.take((block + 1) * dim);
  const scales = memory.take(block * 4);
  if (!memory.fits()) return false;

  const { kernels } = memory;
  const { i8, u8, u32, f32 } = memory.views;
  for (let from = 0; from < vectors.count; from += VECTORS) {
    const here = Math.min(VECTORS, vectors.count - from);
    i8.set(vectors.values.subarray(from * dim, (from + here) * dim), rows);
    kernels.beginAssign(rows, here, dim, tiles, best, bestIds);
    for (let first = 0; first < codebook.size; first += block) {
      const count = Math.min(block, codebook.size - first);
      u8.set(codebook.values.subarray(first * dim, (first + count) * dim), values);
      f32.set(codebook.scales.subarray(first, first + count), scales / 4);
      kernels.assign(tiles, here, best, bestIds, values, scales, first, count, dim);
    }
    codes.set(u32.subarray(bestIds / 4, bestIds / 4 + here), from);
  }
  return true;
}

function assignInRanges(
  memory: WasmMemory,
  vectors: QuantizedVectors,
  codebook: Codebook,
  ranges: Uint32Array,
  codes: Uint32Array,
): boolean {
  const { count, dim } = vectors;
  const block = Math.min(CENTROIDS, codebook.size);
  memory.begin();
  const vector = memory.take(dim);
  // The kernel looks at four centroids at a time.
  const values = memory.take((block + 3) * dim);
  const scales = memory.take((block + 3) * 4);
  if (!memory.fits()) return false;

  const { kernels } = memory;
  const { i8, u8, f32 } = memory.views;
  for (let i = 0; i < count; i++) {
    requireRange(ranges, i, codebook.size);
    const end = ranges[2 * i + 1]!;
    i8.set(vectors.values.subarray(i * dim, (i + 1) * dim), vector);
    kernels.beginAssignInRange(vector, dim, ranges[2 * i]!);
    for (let first = ranges[2 * i]!; first < end; first += block) {
      const last = Math.min(first + block, end);
      u8.set(codebook.values.subarray(first * dim, last * dim), values);
      f32.set(codebook.scales.subarray(first, last), scales / 4);
      codes[i] = kernels.assignInRange(values, scales, first, last - first, dim);
    }
  }
  return true;
}
