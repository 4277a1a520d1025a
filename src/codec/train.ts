/** Training of a codec from a sample of token vectors. */
import { MaxsimError } from "../common/errors.js";
import { Random } from "../common/random.js";
import type { KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import { Codec } from "./codec.js";
import { allocateCentroids, type Grouping, groupBy, groupVariances } from "./groups.js";
import { dequantizeInto, lloyd } from "./lloyd.js";
import { MIN_TOKENS_FOR_QUANTILES, priorResiduals, sortedResiduals, trainQuantizer } from "./quantizer.js";
import { type TokenGroup, TokenGroups } from "./token-groups.js";

export interface TrainInput {
  /** At least one vector. */
  readonly vectors: QuantizedVectors;
  /** Vocabulary id of each vector, or null for vectors of unknown origin. */
  readonly tokenIds: Uint32Array | null;
  /** The last `heldOut` vectors do not shape the centroids and measure the residuals instead; 0 for small corpora. */
  readonly heldOut: number;
  readonly nbits: 1 | 2 | 4;
  readonly seed: number;
  /**
   * Centroids wanted; see `centroidBudget`. With token ids each id that occurs has one on top of that: a small corpus
   * with many rare words would otherwise leave its frequent ones a single centroid each (docs/performance.md, "Codec").
   */
  readonly budget: number;
  readonly onProgress?: (done: number, total: number) => void;
}

const ITERATIONS = 6;
/** A centroid stands for this many sampled vectors at least, where its group has a choice and enough vectors. */
const MIN_MEMBERS = 16;
const COARSE_SAMPLES_PER_CENTROID = 64;

/** Trains centroids and residual quantizer. The same input and seed give the same codec, bit for bit. */
export function trainCodec(input: TrainInput, kernels: KernelBackend): Codec {
  const { vectors, tokenIds, heldOut, nbits, seed } = input;
  const count = vectors.count - heldOut;
  if (count < 1) throw new MaxsimError("INTERNAL", "a codec cannot be trained on no vectors");
  const random = new Random(seed);
  const training = slice(vectors, 0, count);
  const trainingIds = tokenIds?.subarray(0, count) ?? null;

  // A corpus too small to hold anything out is too small to generalize from: vectors may be their own centroids.
  const minMembers = heldOut > 0 ? MIN_MEMBERS : 1;
  const keys = trainingIds ?? coarseKeys(training, input.budget, minMembers, random, kernels);
  const grouping = groupBy(keys);
  const sizes = Uint32Array.from(grouping.keys, (_, g) => grouping.starts[g + 1]! - grouping.starts[g]!);
  const total = trainingIds === null ? input.budget : input.budget + sizes.length;
  const counts = allocateCentroids(sizes, groupVariances(training, grouping), total, minMembers);
  const codebook = lloyd(
    {
      vectors: training,
      ranges: memberRanges(grouping, counts, count),
      centroids: initialCentroids(training, grouping, counts, random),
      iterations: ITERATIONS,
    },
    kernels,
    (done) => input.onProgress?.(done, ITERATIONS),
  );
  const groups = new TokenGroups(trainingIds === null ? [] : centroidRuns(grouping, counts));
  if (heldOut < MIN_TOKENS_FOR_QUANTILES) {
    return new Codec(codebook, trainQuantizer(priorResiduals(vectors.dim), nbits), groups);
  }
  const measured = slice(vectors, count, vectors.count);
  const codes = new Uint32Array(measured.count);
  kernels.assign(measured, codebook, groups.ranges(tokenIds?.subarray(count) ?? null, codebook.size), codes);
  return new Codec(codebook, trainQuantizer(sortedResiduals(measured, codes, codebook), nbits), groups);
}

/** Vectors `from` .. `to - 1` without a copy. */
function slice({ dim, values, scales }: QuantizedVectors, from: number, to: number): QuantizedVectors {
  return {
    count: to - from,
    dim,
    values: values.subarray(from * dim, to * dim),
    scales: scales.subarray(from, to),
  };
}

function pick(vectors: QuantizedVectors, chosen: Uint32Array): QuantizedVectors {
  const { dim } = vectors;
  const values = new Int8Array(chosen.length * dim);
  chosen.forEach((i, n) => {
    values.set(vectors.values.subarray(i * dim, (i + 1) * dim), n * dim);
  });
  return { count: chosen.length, dim, values, scales: Float32Array.from(chosen, (i) => vectors.scales[i]!) };
}

/** Groups for vectors without token ids: a coarse k-means with about the square root of the centroids. */
function coarseKeys(
  vectors: QuantizedVectors,
  budget: number,
  minMembers: number,
  random: Random,
  kernels: KernelBackend,
): Uint32Array {
  const size = Math.max(1, Math.min(Math.round(Math.sqrt(budget)), Math.floor(vectors.count / minMembers)));
  const subset = pick(vectors, random.sample(size * COARSE_SAMPLES_PER_CENTROID, vectors.count));
  const centroids = new Float32Array(size * vectors.dim);
  random.sample(size, subset.count).forEach((i, k) => {
    dequantizeInto(subset, i, centroids, k * vectors.dim);
  });
  const codebook = lloyd({ vectors: subset, ranges: null, centroids, iterations: ITERATIONS }, kernels);
  const keys = new Uint32Array(vectors.count);
  kernels.assign(vectors, codebook, null, keys);
  return keys;
}

function initialCentroids(
  vectors: QuantizedVectors,
  grouping: Grouping,
  counts: Uint32Array,
  random: Random,
): Float32Array {
  const { dim } = vectors;
  const total = counts.reduce((sum, n) => sum + n, 0);
  const centroids = new Float32Array(total * dim);
  let at = 0;
  for (let g = 0; g < counts.length; g++) {
    const begin = grouping.starts[g]!;
    const size = grouping.starts[g + 1]! - begin;
    for (const m of random.sample(counts[g]!, size)) {
      dequantizeInto(vectors, grouping.members[begin + m]!, centroids, at * dim);
      at++;
    }
  }
  return centroids;
}

function memberRanges(grouping: Grouping, counts: Uint32Array, vectors: number): Uint32Array {
  const ranges = new Uint32Array(vectors * 2);
  let first = 0;
  for (let g = 0; g < counts.length; g++) {
    const end = first + counts[g]!;
    for (let m = grouping.starts[g]!; m < grouping.starts[g + 1]!; m++) {
      const i = grouping.members[m]!;
      ranges[2 * i] = first;
      ranges[2 * i + 1] = end;
    }
    first = end;
  }
  return ranges;
}

function centroidRuns(grouping: Grouping, counts: Uint32Array): TokenGroup[] {
  let first = 0;
  return Array.from(grouping.keys, (tokenId, g) => {
    const group = { tokenId, first, count: counts[g]! };
    first += group.count;
    return group;
  });
}
