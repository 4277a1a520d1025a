/** How many further centroids each group of new token vectors gets when a codec is extended. */
import { share } from "./groups.js";

/** Entries: one a group. */
export interface ExtensionGroups {
  /** Vectors of the group. */
  readonly sizes: Uint32Array;
  /** u8: 1 where the group's vocabulary id has no centroid so far. */
  readonly fresh: Uint8Array;
  /** u8: 1 where the group has an uncovered vector. */
  readonly uncovered: Uint8Array;
  /** Mean squared distance that further centroids can shorten: to the group's mean where it is fresh, else to its centroids. */
  readonly spreads: Float64Array;
}

/**
 * At most `room` centroids in all. First one for each fresh group, the largest first; then in proportion to
 * sqrt(n) * spread as in `allocateCentroids`, and what rounding down leaves one each to those with the largest. A centroid
 * stands for `minMembers` vectors at least, but for the first one of a group that has uncovered vectors.
 */
export function planExtension(groups: ExtensionGroups, room: number, minMembers: number): Uint32Array {
  const { sizes, fresh, uncovered, spreads } = groups;
  const counts = new Uint32Array(sizes.length);
  const caps = Uint32Array.from(sizes, (n, g) => Math.max(uncovered[g]!, Math.floor(n / minMembers)));
  const weights = Float64Array.from(sizes, (n, g) => Math.sqrt(n) * spreads[g]!);
  const freshest = Uint32Array.from(fresh.keys()).filter((g) => fresh[g] === 1);
  // Without room for all of them, the groups that do not get one get nothing.
  for (const g of freshest) caps[g] = 0;
  freshest.sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  for (const g of freshest.subarray(0, room)) {
    counts[g] = 1;
    caps[g] = Math.max(1, Math.floor(sizes[g]! / minMembers));
  }
  const rest = share(counts, caps, weights, room - Math.min(room, freshest.length));
  const open = Uint32Array.from(counts.keys()).filter((g) => counts[g]! < caps[g]!);
  open.sort((a, b) => weights[b]! - weights[a]! || a - b);
  for (const g of open.subarray(0, rest)) counts[g] = counts[g]! + 1;
  return counts;
}
