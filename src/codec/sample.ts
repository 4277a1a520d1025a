/** How much of a corpus the codec is trained on, and how many centroids it gets. */

import { MIN_TOKENS_FOR_QUANTILES } from "./quantizer.js";

/**
 * Token vectors that training holds in memory at most. At dimension 128 a vector takes 136 bytes with its scale
 * and token id, so the sample stays near 410 MB whatever the corpus size.
 */
export const MAX_SAMPLE_TOKENS = 3_000_000;

/**
 * Passages to sample: 1 + 16 * sqrt(120 * passages), at most all of them (the rule of Stanford ColBERT), cut so
 * that the tokens fit MAX_SAMPLE_TOKENS.
 */
export function samplePassages(passages: number, tokensPerPassage: number): number {
  const byRule = Math.floor(1 + 16 * Math.sqrt(120 * passages));
  const byMemory = Math.max(1, Math.floor(MAX_SAMPLE_TOKENS / Math.max(1, tokensPerPassage)));
  return Math.min(passages, byRule, byMemory);
}

/** Each 20th sampled passage is held out of clustering, up to this many token vectors, and measures residuals. */
const MAX_HELD_OUT_TOKENS = 20_000;
const HOLD_OUT_EVERY = 20;

/** With fewer token vectors nothing is held out. */
export const MIN_TOKENS_TO_HOLD_OUT = HOLD_OUT_EVERY * MIN_TOKENS_FOR_QUANTILES;

/**
 * Which sampled passages are held out, given the token vectors of each. None when they are too few to measure
 * residuals by: then everything is used for clustering.
 */
export function holdOut(tokens: readonly number[]): ReadonlySet<number> {
  const chosen = new Set<number>();
  let sum = 0;
  for (let i = HOLD_OUT_EVERY - 1; i < tokens.length && sum < MAX_HELD_OUT_TOKENS; i += HOLD_OUT_EVERY) {
    chosen.add(i);
    sum += tokens[i]!;
  }
  return sum < MIN_TOKENS_FOR_QUANTILES ? new Set() : chosen;
}

/** Centroids for a corpus of that many tokens: 2^floor(log2(16 * sqrt(tokens))), at least 1, as in PLAID. */
export function centroidBudget(tokens: number): number {
  if (tokens < 1) return 1;
  return 2 ** Math.max(0, Math.floor(Math.log2(16 * Math.sqrt(tokens))));
}

/** Codes below this fit 16 bits. */
const NARROW_CODES = 2 ** 16;
/** The largest budget that is cut so that codes fit 16 bits: that of 67 to 268 million tokens. */
const LARGEST_NARROWED_BUDGET = 2 ** 17;

/**
 * Centroids in all, for a budget of `centroidBudget` and `ids` vocabulary ids that occur (0 when they are not known): one for
 * each id on top of the budget, cut to what 16-bit codes can name where that leaves the ids a second centroid each on
 * average. At 20 million tokens the cut from 84,841 to 65,536 centroids changed recall by 0.001, made searches a sixth faster
 * and saved 2.1 bytes a token (docs/performance.md, "Codec").
 */
export function centroidTotal(budget: number, ids: number): number {
  const total = budget + ids;
  const narrowed = budget <= LARGEST_NARROWED_BUDGET && 2 * ids <= NARROW_CODES;
  return narrowed ? Math.min(total, NARROW_CODES) : total;
}

/**
 * Centroids that a codec of `size` may grow to when the index has `tokens`, and whether it has fallen behind the number that
 * training on so many would give it. A codec that has not may exceed that number for the sake of tokens that it represents
 * badly, up to what `centroidBudget` gives before it rounds down to a power of two. A codec of 16-bit codes keeps them.
 *
 * @param known vocabulary ids that have centroids
 * @param fresh further ids that occur
 */
export function extendedTotal(
  size: number,
  tokens: number,
  known: number,
  fresh: number,
): { total: number; behind: boolean } {
  const ids = known + fresh;
  const due = centroidTotal(centroidBudget(tokens), ids);
  const behind = size + fresh < due;
  const total = behind ? due : Math.max(due, centroidTotal(Math.floor(16 * Math.sqrt(tokens)), ids));
  return { total: size > NARROW_CODES ? total : Math.min(total, NARROW_CODES), behind };
}
