/** Training of a codec from a sample of token vectors. */
import { MaxsimError } from "../common/errors.js";
import { Random } from "../common/random.js";
import type { Codebook, KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import { CodeAssigner } from "./assigner.js";
import { Codec } from "./codec.js";
import { allocateCentroids, type Grouping, groupBy, groupVariances } from "./groups.js";
import { lloyd } from "./lloyd.js";
import { MIN_TOKENS_FOR_QUANTILES, priorResiduals, sortedResiduals, trainQuantizer } from "./quantizer.js";
import { pickVectors, slice } from "./rows.js";
import { centroidTotal } from "./sample.js";
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
   * `centroidTotal` cuts the sum.
   */
  readonly budget: number;
  /** Vectors clustered so far, at most a hundred times. */
  readonly onProgress?: (done: number, total: number) => void;
}

const ITERATIONS = 6;
/** A centroid stands for this many sampled vectors at least, where its group has a choice and enough vectors. */
const MIN_MEMBERS = 16;
const COARSE_SAMPLES_PER_CENTROID = 64;
const PROGRESS_STEPS = 100;

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
  const total = centroidTotal(input.budget, trainingIds === null ? 0 : sizes.length);
  const counts = allocateCentroids(sizes, groupVariances(training, grouping), total, minMembers);
  const codebook = clusterGroups(training, grouping, counts, random, kernels, input.onProgress);
  const groups = new TokenGroups(trainingIds === null ? [] : centroidRuns(grouping, counts));
  if (heldOut < MIN_TOKENS_FOR_QUANTILES) {
    return new Codec(codebook, trainQuantizer(priorResiduals(vectors.dim), nbits), groups);
  }
  const measured = slice(vectors, count, vectors.count);
  const codes = new CodeAssigner(codebook, groups).assign(
    measured,
    tokenIds?.subarray(count) ?? null,
    kernels,
  );
  return new Codec(codebook, trainQuantizer(sortedResiduals(measured, codes, codebook), nbits), groups);
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
  const subset = pickVectors(vectors, random.sample(size * COARSE_SAMPLES_PER_CENTROID, vectors.count));
  const start = random.sample(size, subset.count);
  const codebook = lloyd({ vectors: subset, start, iterations: ITERATIONS }, kernels);
  const keys = new Uint32Array(vectors.count);
  kernels.assign(vectors, codebook, null, keys);
  return keys;
}

/**
 * K-means inside each group, which gets `counts` of the centroids, starting from members drawn at random. The vectors of a
 * group are brought together, so that all of them meet all of its centroids in one call of the assignment kernel.
 */
function clusterGroups(
  vectors: QuantizedVectors,
  grouping: Grouping,
  counts: Uint32Array,
  random: Random,
  kernels: KernelBackend,
  onProgress: TrainInput["onProgress"],
): Codebook {
  const { dim, count } = vectors;
  const size = counts.reduce((sum, n) => sum + n, 0);
  const codebook = { size, dim, values: new Uint8Array(size * dim), scales: new Float32Array(size) };
  let first = 0;
  let reported = 0;
  for (let g = 0; g < counts.length; g++) {
    const end = grouping.starts[g + 1]!;
    const members = pickVectors(vectors, grouping.members.subarray(grouping.starts[g]!, end));
    const start = random.sample(counts[g]!, members.count);
    const found = lloyd({ vectors: members, start, iterations: ITERATIONS }, kernels);
    codebook.values.set(found.values, first * dim);
    codebook.scales.set(found.scales, first);
    first += found.size;
    if (end - reported >= count / PROGRESS_STEPS || end === count) {
      onProgress?.(end, count);
      reported = end;
    }
  }
  return codebook;
}

function centroidRuns(grouping: Grouping, counts: Uint32Array): TokenGroup[] {
  let first = 0;
  return Array.from(grouping.keys, (tokenId, g) => {
    const group = { tokenId, first, count: counts[g]! };
    first += group.count;
    return group;
  });
}
