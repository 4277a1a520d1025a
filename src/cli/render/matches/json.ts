/** Results of a search as JSON: similarities with four decimals, which is more than an index of 4 bits holds. */
import type { Hit, SearchResult, TokenMatches } from "../../../engine/options.js";

/** @param explain whether explanation and matches are wanted; the search may have made them for something else. */
export function resultJson(result: SearchResult, { explain }: { readonly explain: boolean }): object {
  const { hits, explanation, ...rest } = result;
  const shown = hits.map(({ matches, ...hit }: Hit) =>
    explain && matches !== undefined ? { ...hit, matches: matchesJson(matches) } : hit,
  );
  return { hits: shown, ...rest, ...(explain && explanation !== undefined ? { explanation } : {}) };
}

function matchesJson({ query, passage, choices, similarities }: TokenMatches): object {
  return {
    query,
    passage,
    choices: choices.map((choice) => ({ ...choice, similarity: rounded(choice.similarity) })),
    similarities: similarities.map((row) => Array.from(row, rounded)),
  };
}

function rounded(similarity: number): number {
  return Number(similarity.toFixed(4));
}
