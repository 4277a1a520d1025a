/** Training of a codec from a sample of token vectors. */
import { MaxsimError } from "../common/errors.js";
import { Random } from "../common/random.js";
import type { KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import { CodeAssigner } from "./assigner.js";
import { clusterGroups, coarseKeys, MIN_MEMBERS } from "./cluster.js";
import { Codec } from "./codec.js";
import { allocateCentroids, type Grouping, groupBy, groupVariances } from "./groups.js";
import { MIN_TOKENS_FOR_QUANTILES, priorResiduals, sortedResiduals, trainQuantizer } from "./quantizer.js";
import { slice } from "./rows.js";
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
  const quantizer = trainQuantizer(sortedResiduals(measured, codes, codebook), nbits);
  // Vectors that are all alike leave no residual to measure, and weights of zero could represent no later document.
  const usable = quantizer.weightScale > 0 ? quantizer : trainQuantizer(priorResiduals(vectors.dim), nbits);
  return new Codec(codebook, usable, groups);
}

function centroidRuns(grouping: Grouping, counts: Uint32Array): TokenGroup[] {
  let first = 0;
  return Array.from(grouping.keys, (tokenId, g) => {
    const group = { tokenId, first, count: counts[g]! };
    first += group.count;
    return group;
  });
}
