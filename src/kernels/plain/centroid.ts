/** Nearest centroids in plain TypeScript: score table, best of it, assignment. */
import { checkAssign, checkCentroidScores, checkTopCentroids, requireRange } from "../arguments.js";
import { type Codebook, DOCUMENT_BIAS, type PackedQuery, type QuantizedVectors } from "../backend.js";
import { dotLanes, dotRow, pairLanes, pairQuery } from "./dot.js";

/** See `KernelBackend.centroidScores`. */
export function centroidScores(
  query: PackedQuery,
  codebook: Codebook,
  out: Float32Array,
  bytes: Uint8Array | null,
): void {
  checkCentroidScores(query, codebook, out, bytes);
  const { dim, lanes } = query;
  const paired = pairQuery(query);
  const row = new Float64Array(dim);
  const dots = new Int32Array(lanes);
  for (let k = 0; k < codebook.size; k++) {
    readCentroid(codebook, k, row);
    dotLanes(paired, lanes, row, dim, dots);
    const scale = codebook.scales[k]!;
    // The store rounds the exact product of two float32 numbers to float32.
    for (let lane = 0; lane < lanes; lane++) out[k * lanes + lane] = dots[lane]! * scale;
  }
  if (bytes === null) return;
  for (let cell = 0; cell < codebook.size * lanes; cell++) {
    bytes[cell] = cosineByte(out[cell]!, query.scales[cell % lanes]!);
  }
}

function cosineByte(score: number, queryScale: number): number {
  const y = Math.fround(Math.fround(Math.fround(score * queryScale) * 255) + 0.5);
  return y > 0 ? Math.trunc(Math.min(y, 255)) : 0;
}

/** See `KernelBackend.topCentroids`. */
export function topCentroids(
  table: Float32Array,
  size: number,
  query: PackedQuery,
  nprobe: number,
  ids: Uint32Array,
  scores: Float32Array,
): void {
  checkTopCentroids(table, size, query, nprobe, ids, scores);
  for (let token = 0; token < query.tokens; token++) {
    const column = new Float32Array(size);
    for (let k = 0; k < size; k++) column[k] = table[k * query.lanes + token]!;
    const best = bestOf(column, nprobe);
    for (let i = 0; i < nprobe; i++) {
      ids[token * nprobe + i] = best[i]!;
      scores[token * nprobe + i] = column[best[i]!]!;
    }
  }
}

/** Ids of the `count` largest values, best first, ties to the lower id. */
function bestOf(column: Float32Array, count: number): Uint32Array {
  // A binary heap with the worst of the kept ids at its root.
  const heap = new Uint32Array(count);
  const worse = (a: number, b: number): boolean =>
    column[a]! < column[b]! || (column[a]! === column[b]! && a > b);
  const siftDown = (id: number, length: number): void => {
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= length) break;
      if (child + 1 < length && worse(heap[child + 1]!, heap[child]!)) child++;
      if (!worse(heap[child]!, id)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = id;
  };
  for (let id = 0; id < count; id++) {
    let hole = id;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!worse(id, heap[parent]!)) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = id;
  }
  for (let id = count; id < column.length; id++) if (column[id]! > column[heap[0]!]!) siftDown(id, count);
  for (let length = count - 1; length > 0; length--) {
    const worst = heap[0]!;
    siftDown(heap[length]!, length);
    heap[length] = worst;
  }
  return heap;
}

/** See `KernelBackend.assign`. */
export function assign(
  vectors: QuantizedVectors,
  codebook: Codebook,
  ranges: Uint32Array | null,
  codes: Uint32Array,
): void {
  checkAssign(vectors, codebook, ranges, codes);
  if (ranges === null) assignToAll(vectors, codebook, codes);
  else assignInRanges(vectors, codebook, ranges, codes);
}

/** Centroid `k` without bias. */
function readCentroid(codebook: Codebook, k: number, row: Float64Array): void {
  const start = k * codebook.dim;
  for (let d = 0; d < codebook.dim; d++) row[d] = codebook.values[start + d]! - DOCUMENT_BIAS;
}

/** Vectors that meet a centroid at a time: they take the place of query tokens. */
const ASSIGN_LANES = 64;

function assignToAll(vectors: QuantizedVectors, codebook: Codebook, codes: Uint32Array): void {
  const { count, dim, values } = vectors;
  const row = new Float64Array(dim);
  const dots = new Int32Array(ASSIGN_LANES);
  const best = new Float32Array(ASSIGN_LANES);
  for (let first = 0; first < count; first += ASSIGN_LANES) {
    const here = Math.min(ASSIGN_LANES, count - first);
    const lanes = Math.ceil(here / 8) * 8;
    const paired = pairLanes(lanes, dim, (lane, d) => (lane < here ? values[(first + lane) * dim + d]! : 0));
    best.fill(Number.NEGATIVE_INFINITY);
    codes.fill(0, first, first + here);
    for (let k = 0; k < codebook.size; k++) {
      readCentroid(codebook, k, row);
      dotLanes(paired, lanes, row, dim, dots);
      const scale = codebook.scales[k]!;
      for (let lane = 0; lane < here; lane++) {
        const score = Math.fround(dots[lane]! * scale);
        if (score > best[lane]!) {
          best[lane] = score;
          codes[first + lane] = k;
        }
      }
    }
  }
}

function assignInRanges(
  vectors: QuantizedVectors,
  codebook: Codebook,
  ranges: Uint32Array,
  codes: Uint32Array,
): void {
  const { dim } = vectors;
  for (let i = 0; i < vectors.count; i++) {
    requireRange(ranges, i, codebook.size);
    const first = ranges[2 * i]!;
    const end = ranges[2 * i + 1]!;
    let best = Number.NEGATIVE_INFINITY;
    let bestId = first;
    for (let k = first; k < end; k++) {
      const dot = dotRow(vectors.values, i * dim, codebook.values, k * dim, dim);
      const score = Math.fround(dot * codebook.scales[k]!);
      if (score > best) {
        best = score;
        bestId = k;
      }
    }
    codes[i] = bestId;
  }
}
