/**
 * Spherical k-means inside groups of vectors: every vector has a range of centroids that it may choose from, and
 * one pass of the assignment kernel serves all groups at once.
 */
import type { Codebook, KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import { packCodebook } from "../kernels/pack.js";

export interface LloydInput {
  readonly vectors: QuantizedVectors;
  /** u32 `[count][2]`: first and end of the centroids that vector i may choose; null means all. */
  readonly ranges: Uint32Array | null;
  /** f32 `[size][dim]` unit rows: the start; overwritten with the result. */
  readonly centroids: Float32Array;
  readonly iterations: number;
}

/**
 * Lloyd iterations: assign by largest dot product, then move each centroid to the normalized mean of its vectors.
 * A centroid without vectors stays where it is. Stops early when no assignment changes.
 * Sums run in vector order in float32, so the result is the same on every machine.
 */
export function lloyd(
  input: LloydInput,
  kernels: KernelBackend,
  onIteration?: (done: number) => void,
): Codebook {
  const { vectors, ranges, centroids, iterations } = input;
  let codebook = packCodebook(centroids, vectors.dim);
  const codes = new Uint32Array(vectors.count).fill(0xffffffff);
  const previous = new Uint32Array(vectors.count).fill(0xffffffff);
  for (let iteration = 0; iteration < iterations; iteration++) {
    kernels.assign(vectors, codebook, ranges, codes);
    if (iteration > 0 && same(codes, previous)) break;
    previous.set(codes);
    moveCentroids(vectors, codes, centroids);
    codebook = packCodebook(centroids, vectors.dim);
    onIteration?.(iteration + 1);
  }
  return codebook;
}

function same(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function moveCentroids(vectors: QuantizedVectors, codes: Uint32Array, centroids: Float32Array): void {
  const { dim, values, scales } = vectors;
  const sums = new Float32Array(centroids.length);
  const filled = new Uint8Array(centroids.length / dim);
  for (let i = 0; i < vectors.count; i++) {
    const code = codes[i]!;
    const scale = scales[i]!;
    filled[code] = 1;
    let from = i * dim;
    const at = code * dim;
    for (let d = at; d < at + dim; d++, from++) sums[d] = sums[d]! + values[from]! * scale;
  }
  for (let k = 0; k < filled.length; k++) {
    if (filled[k] === 1) normalizeInto(sums.subarray(k * dim, (k + 1) * dim), centroids, k * dim);
  }
}

/** Writes `row / |row|` at `at`; a row of norm below 1e-12 leaves the target as it is. */
export function normalizeInto(row: Float32Array, target: Float32Array, at: number): void {
  let square = 0;
  for (let d = 0; d < row.length; d++) square += row[d]! * row[d]!;
  const norm = Math.sqrt(square);
  if (norm < 1e-12) return;
  for (let d = 0; d < row.length; d++) target[at + d] = row[d]! / norm;
}

/** Copies vector `i` as float32 into `target` at `at`. */
export function dequantizeInto(vectors: QuantizedVectors, i: number, target: Float32Array, at: number): void {
  const { dim, values } = vectors;
  const scale = vectors.scales[i]!;
  for (let d = 0; d < dim; d++) target[at + d] = values[i * dim + d]! * scale;
}
