/** Splits the documents of a request so that no part is beyond what a service takes. */
import { estimateTokens } from "../tokens.js";

export interface BatchLimits {
  readonly documents: number;
  /** Estimated tokens of a part, the query counted once a document. Default: as many as there are. */
  readonly tokens?: number | undefined;
}

/** Starts and ends of parts, in order; a text that is beyond the tokens by itself is a part of its own. */
export function batchesOf(
  query: string,
  texts: readonly string[],
  { documents, tokens = Number.POSITIVE_INFINITY }: BatchLimits,
): [start: number, end: number][] {
  const counted = Number.isFinite(tokens);
  const queryTokens = counted ? estimateTokens(query) : 0;
  const batches: [number, number][] = [];
  let start = 0;
  let sum = 0;
  texts.forEach((text, i) => {
    const own = counted ? queryTokens + estimateTokens(text) : 0;
    if (i > start && (i - start >= documents || sum + own > tokens)) {
      batches.push([start, i]);
      start = i;
      sum = 0;
    }
    sum += own;
  });
  if (start < texts.length) batches.push([start, texts.length]);
  return batches;
}
