/** Token matches made up for tests of drawings: words are tokens, similarities follow from a list. */
import type { ExplainedToken, TokenMatches } from "../../src/engine/options.js";

/** A token a word (pieces are cut at `|`), and markers of a model around them. */
export function tokensOf(
  text: string,
  before: readonly string[] = [],
  after: readonly string[] = [],
): ExplainedToken[] {
  const marker = (token: string): ExplainedToken => ({
    token,
    part: token === "[MASK]" ? "expansion" : "special",
    span: null,
  });
  const words = [...text.matchAll(/[^\s|]+/g)].map(
    (match): ExplainedToken => ({
      token: match[0].toLowerCase(),
      part: "text",
      span: [match.index, match.index + match[0].length],
    }),
  );
  return [...before.map(marker), ...words, ...after.map(marker)];
}

/** A token a word of the title that is encoded before a passage. */
export function contextTokens(title: string): ExplainedToken[] {
  return tokensOf(title).map(({ token, span }) => ({
    token,
    part: "context",
    span: null,
    ...(span === null ? {} : { contextSpan: span }),
  }));
}

/** The matrix is 0.1 everywhere but at the given places `[query token, passage token, similarity]`. */
export function matchesOf(
  query: readonly ExplainedToken[],
  passage: readonly ExplainedToken[],
  places: ReadonlyArray<readonly [number, number, number]>,
  context = "",
): TokenMatches {
  const similarities = query.map(() => new Float32Array(passage.length).fill(0.1));
  for (const [i, j, similarity] of places) similarities[i]![j] = similarity;
  const choices = similarities.map((row) => {
    const similarity = Math.max(...row);
    return { passage: row.indexOf(similarity), similarity };
  });
  return { query, passage, context, choices, similarities };
}
