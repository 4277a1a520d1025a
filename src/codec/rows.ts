/** Rows of token vectors and centroids: parts without a copy, and copies of chosen rows. */
import type { Codebook, QuantizedVectors } from "../kernels/backend.js";

/** Vectors `from` .. `to - 1` without a copy. */
export function slice({ dim, values, scales }: QuantizedVectors, from: number, to: number): QuantizedVectors {
  return {
    count: to - from,
    dim,
    values: values.subarray(from * dim, to * dim),
    scales: scales.subarray(from, to),
  };
}

/** Centroids `first` .. `end - 1` without a copy. */
export function centroidRange({ dim, values, scales }: Codebook, first: number, end: number): Codebook {
  return {
    size: end - first,
    dim,
    values: values.subarray(first * dim, end * dim),
    scales: scales.subarray(first, end),
  };
}

/** A copy of the vectors of `a`, then those of `b`, which have the same dimension. */
export function joinVectors(a: QuantizedVectors, b: QuantizedVectors): QuantizedVectors {
  const values = new Int8Array(a.values.length + b.values.length);
  values.set(a.values);
  values.set(b.values, a.values.length);
  const scales = new Float32Array(a.count + b.count);
  scales.set(a.scales);
  scales.set(b.scales, a.count);
  return { count: a.count + b.count, dim: a.dim, values, scales };
}

/** A copy of the centroids of `a`, then those of `b`, which have the same dimension. */
export function joinCentroids(a: Codebook, b: Codebook): Codebook {
  const values = new Uint8Array(a.values.length + b.values.length);
  values.set(a.values);
  values.set(b.values, a.values.length);
  const scales = new Float32Array(a.size + b.size);
  scales.set(a.scales);
  scales.set(b.scales, a.size);
  return { size: a.size + b.size, dim: a.dim, values, scales };
}

/** A copy of the vectors `chosen[0]`, `chosen[1]`, ... */
export function pickVectors(vectors: QuantizedVectors, chosen: Uint32Array): QuantizedVectors {
  const { dim } = vectors;
  const values = new Int8Array(chosen.length * dim);
  copyRows(vectors.values, chosen, dim, values);
  return { count: chosen.length, dim, values, scales: pick(vectors.scales, chosen) };
}

/** A copy of the centroids `chosen[0]`, `chosen[1]`, ... */
export function pickCentroids(codebook: Codebook, chosen: Uint32Array): Codebook {
  const { dim } = codebook;
  const values = new Uint8Array(chosen.length * dim);
  copyRows(codebook.values, chosen, dim, values);
  return { size: chosen.length, dim, values, scales: pick(codebook.scales, chosen) };
}

function pick(numbers: Float32Array, chosen: Uint32Array): Float32Array {
  const out = new Float32Array(chosen.length);
  for (let n = 0; n < chosen.length; n++) out[n] = numbers[chosen[n]!]!;
  return out;
}

/** A row is a whole number of 32-bit words, which copy four times as fast as bytes. */
function copyRows(
  source: Int8Array | Uint8Array,
  chosen: Uint32Array,
  dim: number,
  target: Int8Array | Uint8Array,
): void {
  const words = dim / 4;
  const from = wordsOf(source);
  const to = wordsOf(target);
  for (let n = 0, at = 0; n < chosen.length; n++) {
    const end = at + words;
    for (let row = chosen[n]! * words; at < end; at++, row++) to[at] = from[row]!;
  }
}

/** The same bytes as 32-bit words, of a copy when they do not lie on a multiple of four. */
function wordsOf(bytes: Int8Array | Uint8Array): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}
