/**
 * Training of the residual quantizer: one scalar quantizer for all dimensions, bucket cutoffs at the quantiles
 * i / 2^nbits of held-out residuals and weights at (i + 0.5) / 2^nbits, as in ColBERTv2 and PLAID.
 */
import { Random } from "../common/random.js";
import type { Codebook, QuantizedVectors, ResidualQuantizer } from "../kernels/backend.js";
import { packWeights } from "../kernels/pack.js";
import { quantile } from "./quantile.js";

/** Below this many held-out tokens the quantiles would be noise, and the prior is used. */
export const MIN_TOKENS_FOR_QUANTILES = 256;

/**
 * Norms of residuals in corpora too small to measure them, in equal parts. A handful of tokens are their own centroids, and
 * a quantizer made of their residuals could not represent any later document: tokens of later ones lie far from what little
 * was seen. One part of three stands for the former, two for the latter. Of an index that begins with one arXiv abstract and
 * grows to 1,024 by extensions of the codec, reconstruction at 4 bits misses a cosine of 1 by 0.0034; with the single norm 0.5
 * it is 0.0120, and 0.043 instead of 0.059 at 2 bits.
 */
const PRIOR_RESIDUAL_NORMS = [0.1, 0.9, 0.9];

/** Far past convergence for 16 buckets; an iteration costs a few binary searches. */
const LLOYD_MAX_ITERATIONS = 200;

/** Residual components of `vectors` against their centroids, flattened, ascending. */
export function sortedResiduals(
  vectors: QuantizedVectors,
  codes: Uint32Array,
  codebook: Codebook,
): Float32Array {
  const { dim } = vectors;
  const residuals = new Float32Array(vectors.count * dim);
  for (let i = 0; i < vectors.count; i++) {
    const code = codes[i]!;
    const scale = vectors.scales[i]!;
    const centroidScale = codebook.scales[code]!;
    for (let d = 0; d < dim; d++) {
      const x = Math.fround(vectors.values[i * dim + d]! * scale);
      residuals[i * dim + d] = x - Math.fround((codebook.values[code * dim + d]! - 64) * centroidScale);
    }
  }
  return residuals.sort();
}

/** Residual components to train the quantizer of a small corpus on; see `PRIOR_RESIDUAL_NORMS`. Ascending. */
export function priorResiduals(dim: number): Float32Array {
  return normalResiduals(PRIOR_RESIDUAL_NORMS.map((norm) => norm / Math.sqrt(dim)));
}

/** Draws from a mixture, in equal parts, of normal distributions with these standard deviations. Ascending. */
export function normalResiduals(sigmas: readonly number[]): Float32Array {
  const random = new Random(1);
  return Float32Array.from({ length: 65_536 }, (_, i) => random.normal() * sigmas[i % sigmas.length]!).sort();
}

/**
 * Cutoffs and weights from ascending residual components: quantiles, then Lloyd-Max iterations (each weight the mean
 * of its bucket, each cutoff half way between two weights), which minimize the squared error.
 */
export function trainQuantizer(sorted: Float32Array, nbits: 1 | 2 | 4): ResidualQuantizer {
  const buckets = 2 ** nbits;
  const cutoffs = Float32Array.from({ length: buckets - 1 }, (_, i) => quantile(sorted, (i + 1) / buckets));
  const weights = Float32Array.from({ length: buckets }, (_, i) => quantile(sorted, (i + 0.5) / buckets));
  const sums = prefixSums(sorted);
  for (let iteration = 0; iteration < LLOYD_MAX_ITERATIONS; iteration++) {
    let start = 0;
    for (let b = 0; b < buckets; b++) {
      const end = b === buckets - 1 ? sorted.length : upperBound(sorted, cutoffs[b]!);
      if (end > start) weights[b] = (sums[end]! - sums[start]!) / (end - start);
      start = Math.max(start, end);
    }
    for (let b = 0; b < buckets - 1; b++) cutoffs[b] = (weights[b]! + weights[b + 1]!) / 2;
  }
  return { nbits, cutoffs, ...packWeights(weights) };
}

/** sums[i] = sorted[0] + ... + sorted[i - 1]. */
function prefixSums(sorted: Float32Array): Float64Array {
  const sums = new Float64Array(sorted.length + 1);
  for (let i = 0; i < sorted.length; i++) sums[i + 1] = sums[i]! + sorted[i]!;
  return sums;
}

/** Number of values that are at most `limit`: what falls into the buckets up to a cutoff. */
function upperBound(sorted: Float32Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
