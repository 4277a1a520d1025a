/** How much of one ranking another one has. */
import { mean } from "./evaluate.js";
import { rankDocuments } from "./ranking.js";
import type { Run } from "./types.js";

/**
 * Mean over the queries of `reference` of the share of its first k documents that are among the first k of `run`, whatever their
 * order: recall of an approximate search against an exhaustive one. Queries with an empty reference are left out.
 */
export function overlapAt(k: number, reference: Run, run: Run): number {
  const shares: number[] = [];
  for (const [queryId, documents] of reference) {
    const wanted = rankDocuments(queryId, documents).slice(0, k);
    if (wanted.length === 0) continue;
    const found = new Set(rankDocuments(queryId, run.get(queryId) ?? []).slice(0, k));
    shares.push(wanted.filter((id) => found.has(id)).length / wanted.length);
  }
  return mean(shares);
}
