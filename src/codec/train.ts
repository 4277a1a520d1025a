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
  readonly nbits: 1 | 2 | 4;
  readonly seed: number;
  /** Centroids wanted; see `centroidBudget`. */
  readonly budget: number;
  readonly onProgress?: (done: number, total: number) => void;
}

const ITERATIONS = 6;
/** A centroid stands for this many sampled vectors at least, where its group has a choice and enough vectors. */
const MIN_MEMBERS = 16;
/** Each 20th vector is held out of clustering, at most this many, and measures the residuals. */
const MAX_HELD_OUT = 20_000;
const HOLD_OUT_EVERY = 20;
/** Below this many vectors everything is used for clustering as well. */
const MIN_VECTORS_TO_HOLD_OUT = HOLD_OUT_EVERY * MIN_TOKENS_FOR_QUANTILES;
const COARSE_SAMPLES_PER_CENTROID = 64;

/** Trains centroids and residual quantizer. The same input and seed give the same codec, bit for bit. */
export function trainCodec(input: TrainInput, kernels: KernelBackend): Codec {
  const { vectors, tokenIds, nbits, seed } = input;
  if (vectors.count === 0) throw new MaxsimError("INTERNAL", "a codec cannot be trained on no vectors");
  const random = new Random(seed);
  const holdOut = vectors.count >= MIN_VECTORS_TO_HOLD_OUT;
  const kept = numbers(vectors.count, (i) => !holdOut || i % HOLD_OUT_EVERY !== 0);
  const training = holdOut ? pick(vectors, kept) : vectors;
  const trainingIds = tokenIds === null ? null : holdOut ? kept.map((i) => tokenIds[i]!) : tokenIds;

  // A corpus too small to hold anything out is too small to generalize from: vectors may be their own centroids.
  const minMembers = holdOut ? MIN_MEMBERS : 1;
  const keys = trainingIds ?? coarseKeys(training, input.budget, minMembers, random, kernels);
  const grouping = groupBy(keys);
  const sizes = Uint32Array.from(grouping.keys, (_, g) => grouping.starts[g + 1]! - grouping.starts[g]!);
  const counts = allocateCentroids(sizes, groupVariances(training, grouping), input.budget, minMembers);
  const codebook = lloyd(
    {
      vectors: training,
      ranges: memberRanges(grouping, counts, keys.length),
      centroids: initialCentroids(training, grouping, counts, random),
      iterations: ITERATIONS,
    },
    kernels,
    (done) => input.onProgress?.(done, ITERATIONS),
  );
  const groups = new TokenGroups(trainingIds === null ? [] : centroidRuns(grouping, counts));

  if (!holdOut) {
    return new Codec(codebook, trainQuantizer(priorResiduals(vectors.dim), nbits), groups);
  }
  const measured = numbers(vectors.count, (i) => i % HOLD_OUT_EVERY === 0).subarray(0, MAX_HELD_OUT);
  const heldOut = pick(vectors, measured);
  const heldOutIds = tokenIds === null ? null : measured.map((i) => tokenIds[i]!);
  const codes = new Uint32Array(heldOut.count);
  kernels.assign(heldOut, codebook, groups.ranges(heldOutIds, codebook.size), codes);
  return new Codec(codebook, trainQuantizer(sortedResiduals(heldOut, codes, codebook), nbits), groups);
}

function numbers(count: number, wanted: (i: number) => boolean): Uint32Array {
  let size = 0;
  for (let i = 0; i < count; i++) if (wanted(i)) size++;
  const out = new Uint32Array(size);
  for (let i = 0, at = 0; i < count; i++) if (wanted(i)) out[at++] = i;
  return out;
}

function pick(vectors: QuantizedVectors, chosen: Uint32Array): QuantizedVectors {
  const { dim } = vectors;
  const values = new Int8Array(chosen.length * dim);
  const scales = new Float32Array(chosen.length);
  for (let n = 0; n < chosen.length; n++) {
    const i = chosen[n]!;
    values.set(vectors.values.subarray(i * dim, (i + 1) * dim), n * dim);
    scales[n] = vectors.scales[i]!;
  }
  return { count: chosen.length, dim, values, scales };
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
