/** Rankings that a comparison of rerankers is computed on. The order counts, not the scores: a reranker's scale is its own. */
import type { Grades } from "./metrics.js";

/** Query id to document ids, best first, each once. */
export type Rankings = ReadonlyMap<string, readonly string[]>;

/**
 * The first stage's ranking with its first `depth` documents in the order of `order`, which has these and may have others: of a
 * reranker that scores each document by itself, the order of more documents has that of fewer in it. What `order` lacks of them
 * keeps its order behind the others.
 */
export function withReranked(first: readonly string[], order: readonly string[], depth: number): string[] {
  const candidates = new Set(first.slice(0, depth));
  const moved = order.filter((id) => candidates.delete(id));
  return [...moved, ...candidates, ...first.slice(depth)];
}

/** The best that any reranker could make of the first `depth` documents: by grade, the others behind them. */
export function withPerfectOrder(first: readonly string[], grades: Grades, depth: number): string[] {
  const gain = (id: string): number => Math.max(grades.get(id) ?? 0, 0);
  return [...first.slice(0, depth).sort((a, b) => gain(b) - gain(a)), ...first.slice(depth)];
}

/**
 * The depths, ascending and each once, without those that no query has more candidates for than the one before. At least one.
 */
export function usefulDepths(first: Rankings, depths: readonly number[]): number[] {
  let most = 0;
  for (const ranking of first.values()) most = Math.max(most, ranking.length);
  const ascending = [...new Set(depths)].sort((a, b) => a - b);
  return ascending.filter((_, i) => i === 0 || ascending[i - 1]! < most);
}
