/**
 * Grouping of token vectors by vocabulary id, and how many centroids each group gets (token-aware clustering,
 * TACHIOM, SIGIR 2026). Independent clustering inside each id replaces one k-means over everything: a vector is
 * compared with the few centroids of its own id only.
 */
import type { QuantizedVectors } from "../kernels/backend.js";

/** Members of each group, groups in ascending order of their key. */
export interface Grouping {
  /** Ascending distinct keys, u32 `[groups]`. */
  readonly keys: Uint32Array;
  /** u32 `[groups + 1]` into `members`. */
  readonly starts: Uint32Array;
  /** Vector numbers, ascending inside a group. */
  readonly members: Uint32Array;
}

/** Groups vector numbers by key, whatever the keys are. */
export function groupBy(keys: Uint32Array): Grouping {
  const ranks = new Map<number, number>();
  for (const key of keys) if (!ranks.has(key)) ranks.set(key, 0);
  const distinct = Uint32Array.from(ranks.keys()).sort();
  distinct.forEach((key, g) => {
    ranks.set(key, g);
  });
  const ordered = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) ordered[i] = ranks.get(keys[i]!)!;
  return { keys: distinct, ...countingSort(ordered, distinct.length) };
}

/** Numbers of the entries with key 0, 1, ..., `bound - 1`, ascending inside a key; `starts` has `bound + 1` entries. */
export function countingSort(keys: Uint32Array, bound: number): Pick<Grouping, "starts" | "members"> {
  const starts = new Uint32Array(bound + 1);
  for (let i = 0; i < keys.length; i++) starts[keys[i]! + 1] = starts[keys[i]! + 1]! + 1;
  for (let key = 0; key < bound; key++) starts[key + 1] = starts[key + 1]! + starts[key]!;
  const next = starts.slice(0, bound);
  const members = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const at = next[keys[i]!]!;
    members[at] = i;
    next[keys[i]!] = at + 1;
  }
  return { starts, members };
}

/** Members that a variance is measured by at most, spread evenly over the group. */
const MAX_MEASURED_MEMBERS = 1024;

/** Sum of per-dimension variances of each group of unit vectors: 1 - |mean|^2. */
export function groupVariances(vectors: QuantizedVectors, grouping: Grouping): Float64Array {
  const { dim, values, scales } = vectors;
  const variances = new Float64Array(grouping.keys.length);
  const sum = new Float64Array(dim);
  for (let g = 0; g < variances.length; g++) {
    const begin = grouping.starts[g]!;
    const end = grouping.starts[g + 1]!;
    const step = Math.ceil((end - begin) / MAX_MEASURED_MEMBERS);
    sum.fill(0);
    let measured = 0;
    for (let m = begin; m < end; m += step, measured++) {
      const i = grouping.members[m]!;
      const scale = scales[i]!;
      for (let d = 0, at = i * dim; d < dim; d++, at++) sum[d] = sum[d]! + values[at]! * scale;
    }
    let square = 0;
    for (let d = 0; d < dim; d++) square += sum[d]! * sum[d]!;
    variances[g] = Math.max(0, 1 - square / measured ** 2);
  }
  return variances;
}

/**
 * Centroids of each group: one for every group, the rest of the budget in proportion to sqrt(n) * variance,
 * never more than one centroid for `minMembers` vectors. The sum may exceed the budget when there are more groups
 * than that: each known token id keeps its centroid.
 */
export function allocateCentroids(
  sizes: Uint32Array,
  variances: Float64Array,
  budget: number,
  minMembers: number,
): Uint32Array {
  const counts = new Uint32Array(sizes.length).fill(1);
  const caps = Uint32Array.from(sizes, (n) => Math.max(1, Math.floor(n / minMembers)));
  const weights = Float64Array.from(sizes, (n, g) => Math.sqrt(n) * variances[g]!);
  share(counts, caps, weights, budget - sizes.length);
  return counts;
}

/**
 * Adds up to `rest` to the counts in proportion to the weights, never beyond `caps`; returns what is left, less than one a
 * group unless all are at their cap or without weight.
 */
export function share(counts: Uint32Array, caps: Uint32Array, weights: Float64Array, rest: number): number {
  let open = Array.from(counts.keys()).filter((g) => caps[g]! > counts[g]!);
  // Groups that reach their cap leave the rest to the others; a few rounds settle it.
  while (rest > 0 && open.length > 0) {
    let total = 0;
    for (const g of open) total += weights[g]!;
    if (total === 0) break;
    let given = 0;
    for (const g of open) {
      const wanted = Math.floor((rest * weights[g]!) / total);
      const extra = Math.min(wanted, caps[g]! - counts[g]!);
      counts[g] = counts[g]! + extra;
      given += extra;
    }
    if (given === 0) break;
    rest -= given;
    open = open.filter((g) => counts[g]! < caps[g]!);
  }
  return rest;
}
