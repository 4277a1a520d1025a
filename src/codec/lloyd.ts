/** Spherical k-means on token vectors. */
import type { Codebook, KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import { packCodebook } from "../kernels/pack.js";

export interface LloydInput {
  readonly vectors: QuantizedVectors;
  /** Vectors that are the first centroids; at least one. */
  readonly start: Uint32Array;
  readonly iterations: number;
}

/**
 * Lloyd iterations: assign by largest dot product, then move each centroid to the normalized sum of its vectors.
 * A centroid without vectors stays where it is. Stops early when no assignment changes.
 * Sums run in a fixed order in float64, so the result is the same on every machine.
 */
export function lloyd({ vectors, start, iterations }: LloydInput, kernels: KernelBackend): Codebook {
  const { dim, count } = vectors;
  const size = start.length;
  const centroids = new Float32Array(size * dim);
  start.forEach((i, k) => {
    dequantizeInto(vectors, i, centroids, k * dim);
  });
  let codebook = packCodebook(centroids, dim);
  const codes = new Uint32Array(count);
  const previous = new Uint32Array(count).fill(NO_CENTROID);
  const sums = { dim, values: new Float64Array(size * dim), members: new Uint32Array(size) };
  // With one centroid the second iteration would change nothing.
  const rounds = size === 1 ? 1 : iterations;
  for (let round = 0; round < rounds; round++) {
    kernels.assign(vectors, codebook, null, codes);
    if (!move(vectors, previous, codes, sums)) break;
    previous.set(codes);
    for (let k = 0; k < size; k++) {
      if (sums.members[k] === 0) continue;
      normalizeInto(sums.values.subarray(k * dim, (k + 1) * dim), centroids, k * dim);
    }
    codebook = packCodebook(centroids, dim);
  }
  return codebook;
}

const NO_CENTROID = 0xffffffff;

interface ClusterSums {
  readonly dim: number;
  /** f64 `[size][dim]`: sum of the vectors of each centroid. */
  readonly values: Float64Array;
  /** u32 `[size]`: how many they are. */
  readonly members: Uint32Array;
}

/** Takes the vectors whose code changed from one sum to the other; false when there are none. */
function move(
  vectors: QuantizedVectors,
  before: Uint32Array,
  after: Uint32Array,
  sums: ClusterSums,
): boolean {
  let moved = false;
  for (let i = 0; i < vectors.count; i++) {
    const [from, to] = [before[i]!, after[i]!];
    if (from === to) continue;
    moved = true;
    if (from !== NO_CENTROID) add(vectors, i, -1, from, sums);
    add(vectors, i, 1, to, sums);
  }
  return moved;
}

/** Adds vector `i` to the sum of a centroid, or takes it away. */
function add(vectors: QuantizedVectors, i: number, sign: 1 | -1, centroid: number, sums: ClusterSums): void {
  const { dim, values } = sums;
  const scale = sign * vectors.scales[i]!;
  const end = (centroid + 1) * dim;
  for (let at = centroid * dim, from = i * dim; at < end; at++, from++) {
    values[at] = values[at]! + vectors.values[from]! * scale;
  }
  sums.members[centroid] = sums.members[centroid]! + sign;
}

/** Writes `row / |row|` at `at`; a row of norm below 1e-12 leaves the target as it is. */
function normalizeInto(row: Float64Array, target: Float32Array, at: number): void {
  let square = 0;
  for (let d = 0; d < row.length; d++) square += row[d]! * row[d]!;
  const norm = Math.sqrt(square);
  if (norm < 1e-12) return;
  for (let d = 0; d < row.length; d++) target[at + d] = row[d]! / norm;
}

/** Copies vector `i` as float32 into `target` at `at`. */
function dequantizeInto(vectors: QuantizedVectors, i: number, target: Float32Array, at: number): void {
  const { dim, values } = vectors;
  const scale = vectors.scales[i]!;
  for (let d = 0; d < dim; d++) target[at + d] = values[i * dim + d]! * scale;
}
