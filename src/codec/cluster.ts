/** K-means inside each of many groups of token vectors. */
import type { Random } from "../common/random.js";
import type { Codebook, KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import type { Grouping } from "./groups.js";
import { lloyd } from "./lloyd.js";
import { pickVectors } from "./rows.js";

const ITERATIONS = 6;
const COARSE_SAMPLES_PER_CENTROID = 64;
const PROGRESS_STEPS = 100;

/** A centroid stands for this many sampled vectors at least, where its group has a choice and enough vectors. */
export const MIN_MEMBERS = 16;

/** Groups for vectors without token ids: a coarse k-means with about the square root of the centroids. */
export function coarseKeys(
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
 * K-means inside each group, which gets `counts[g]` centroids (at most its members), in the order of the groups, starting from members drawn
 * at random. The vectors of a group are brought together, so that all of them meet all of its centroids in one call of the
 * assignment kernel.
 */
export function clusterGroups(
  vectors: QuantizedVectors,
  grouping: Grouping,
  counts: Uint32Array,
  random: Random,
  kernels: KernelBackend,
  onProgress?: (done: number, total: number) => void,
): Codebook {
  const { dim, count } = vectors;
  const size = counts.reduce((sum, n) => sum + n, 0);
  const codebook = { size, dim, values: new Uint8Array(size * dim), scales: new Float32Array(size) };
  let first = 0;
  let reported = 0;
  for (let g = 0; g < counts.length; g++) {
    const end = grouping.starts[g + 1]!;
    if (counts[g]! > 0) {
      const members = pickVectors(vectors, grouping.members.subarray(grouping.starts[g]!, end));
      const start = random.sample(counts[g]!, members.count);
      const found = lloyd({ vectors: members, start, iterations: ITERATIONS }, kernels);
      codebook.values.set(found.values, first * dim);
      codebook.scales.set(found.scales, first);
      first += found.size;
    }
    if (end - reported >= count / PROGRESS_STEPS || end === count) {
      onProgress?.(end, count);
      reported = end;
    }
  }
  return codebook;
}
