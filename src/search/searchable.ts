/** How many documents a search can return at most. */
import type { SearchSnapshot } from "./types.js";

const counted = new WeakMap<SearchSnapshot, number>();

/**
 * Live documents with at least one passage that has token vectors, counted when it is first asked for: a look at every live
 * passage, which opening an index need not wait for. A document's passages lie side by side in one segment.
 */
export function searchableDocuments(snapshot: SearchSnapshot): number {
  const known = counted.get(snapshot);
  if (known !== undefined) return known;
  let count = 0;
  for (const { passages, offsets, documents, live } of snapshot.segments) {
    const remaining = live?.length ?? passages;
    let last = -1;
    for (let i = 0; i < remaining; i++) {
      const p = live === null ? i : live[i]!;
      if (documents[p] === last || offsets[p] === offsets[p + 1]) continue;
      last = documents[p]!;
      count++;
    }
  }
  counted.set(snapshot, count);
  return count;
}
