/** Scores for TREC runs, in which nothing but the scores tells the order. */

/** trec_eval reads scores into 32-bit floats, which have 24 bits. */
const STEP = 2 ** -20;

/**
 * The scores of a ranking, best first, so changed where they must be that each is less than the one before, also as 32-bit floats:
 * documents that score alike stay in their order, and so do those of different scales.
 */
export function descendingScores(scores: readonly number[]): number[] {
  let last = Number.POSITIVE_INFINITY;
  return scores.map((score) => {
    const below = last - Math.max(Math.abs(last), 1e-6) * STEP;
    last = Math.fround(score) < Math.fround(last) ? score : below;
    return last;
  });
}
