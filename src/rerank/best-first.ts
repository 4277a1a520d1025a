import type { Ranked } from "./base-reranker.js";

/**
 * The order that scores make of a request: best first, of equal scores the one that came first. Documents without a score, which
 * had nothing to score, come last in their order, with the lowest score of the others or 0.
 * @param places positions of the documents that have scores, ascending, of `documents`
 * @param scores one a place
 */
export function bestFirst(
  documents: number,
  places: readonly number[],
  scores: ArrayLike<number>,
): Pick<Ranked, "order" | "scores"> {
  const positions = Array.from(places.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const lowest = positions.length === 0 ? 0 : Math.min(0, scores[positions.at(-1)!]!);
  const scored = new Set(places);
  const others = Array.from({ length: documents }, (_, i) => i).filter((i) => !scored.has(i));
  return {
    order: [...positions.map((p) => places[p]!), ...others],
    scores: [...positions.map((p) => scores[p]!), ...others.map(() => lowest)],
  };
}
