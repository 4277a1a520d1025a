/** What a full-text search is asked and answers: plain data, which the public types name as well. */

/**
 * How words are found. "english": letters and digits, without accents, endings taken off (Porter); "words": the same with
 * the endings; "trigrams": every three characters, for languages without spaces; "off": no table.
 */
export type LexicalKind = "english" | "words" | "trigrams" | "off";

export const LEXICAL_KINDS: readonly LexicalKind[] = ["english", "words", "trigrams", "off"];

export interface ScoredPassage {
  readonly passageNo: number;
  /** BM25, above 0: higher is better. */
  readonly score: number;
}

export interface WordRanking {
  /** Best first; ties to the lower number. */
  readonly found: readonly ScoredPassage[];
  /**
   * The sum of the terms' inverse document frequencies: what a passage of average length scores that holds each of them once.
   * Others may score more.
   */
  readonly scale: number;
}

export interface WordSearch {
  /** Of `queryTerms`. A passage with one of them is found. */
  readonly terms: readonly string[];
  /** 1 for each passage number that may be found; numbers beyond its length may not. */
  readonly accepted: Uint8Array;
  readonly limit: number;
  /** Passages of the index, for the scale of scores. */
  readonly passages: number;
  /**
   * Passages that are scored at most, about 1 microsecond each: the most frequent terms are left out when all of them
   * together would be found in more. The rarest term is always looked up.
   */
  readonly budget: number;
}
