/**
 * Which words of a passage a query found, from the similarities of their tokens. A similarity says little by itself: a
 * token such as "the" is about as similar to most others as it is to its best, and each model has its own scale. So it
 * counts from what the query token reaches in the rest of the passage.
 */
import { findWords, stemWord, stopWords } from "../text/words.js";
import type { TokenSimilarities } from "./token-matches.js";

/** Tokens of a text and their characters, ascending; -1 for tokens without any. */
export interface PlacedTokens {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

export interface MatchedWord {
  /** Characters in the text of the passage. */
  readonly start: number;
  readonly end: number;
  /** The query's word that it answers: words of the query with one stem have one key. */
  readonly key: string;
  /** How much of the query's word it answers, in tokens: above 0, up to the number of tokens of that word. */
  readonly weight: number;
}

/**
 * What a match must reach, as a part of the way from the usual similarity (mean plus standard deviation over the
 * passage) to identity. Measured in docs/explain.md.
 */
export const LEAST_STRENGTH = 0.35;
/** The same for the query's word itself, with any ending: readers look for it. */
const LEAST_STRENGTH_OF_SAME = 0.15;
/** Other places of the passage that match a query word as well as the best one, or nearly. */
const NEAR_BEST = 0.8;

/** Tokens [from, to) of a word. */
interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Ascending by place. Words such as "the" count only in a query that has no others, and are found only by themselves: they
 * explain nothing.
 */
export function matchedWords(
  query: { readonly text: string; readonly tokens: PlacedTokens },
  passage: { readonly text: string; readonly tokens: PlacedTokens },
  similarities: TokenSimilarities,
  leastStrength = LEAST_STRENGTH,
): MatchedWord[] {
  const wanted = tellingWords(wordsOf(query.text, query.tokens));
  const words = wordsOf(passage.text, passage.tokens);
  const strengths = new Float64Array(words.length);
  const matches: MatchedWord[] = [];
  for (const word of wanted) {
    strengths.fill(0);
    for (let q = word.from; q < word.to; q++) addStrengths(strengths, words, similarities, q);
    const tokens = word.to - word.from;
    let best = 0;
    for (const strength of strengths) if (strength > best) best = strength;
    const key = stemWord(word.text);
    const least = Math.max(leastStrength * tokens, NEAR_BEST * best);
    for (const [p, { text, start, end }] of words.entries()) {
      const weight = strengths[p]!;
      if (weight < LEAST_STRENGTH_OF_SAME * tokens) continue;
      if (stemWord(text) === key || (weight >= least && !isStopWord(text)))
        matches.push({ start, end, key, weight });
    }
  }
  return matches.sort((a, b) => a.start - b.start);
}

function tellingWords(words: readonly Word[]): readonly Word[] {
  const telling = words.filter(({ text }) => !isStopWord(text));
  return telling.length > 0 ? telling : words;
}

function isStopWord(word: string): boolean {
  return stopWords.has(word.toLowerCase());
}

/** The words of a text that have tokens. */
function wordsOf(text: string, { starts, ends }: PlacedTokens): Word[] {
  const words: Word[] = [];
  let token = 0;
  for (const { 0: found, index: start } of findWords(text)) {
    const end = start + found.length;
    while (token < starts.length && (starts[token]! < 0 || ends[token]! <= start)) token++;
    const from = token;
    let to = from;
    while (to < starts.length && (starts[to]! < 0 || starts[to]! < end)) to++;
    while (to > from && starts[to - 1]! < 0) to--;
    if (to > from) words.push({ text: found, start, end, from, to });
  }
  return words;
}

/** Adds to each word of the passage how strongly query token `q` is matched there: 0 to 1. */
function addStrengths(
  strengths: Float64Array,
  words: readonly Word[],
  { values, passageTokens }: TokenSimilarities,
  q: number,
): void {
  const row = q * passageTokens;
  let sum = 0;
  let squares = 0;
  for (let t = row; t < row + passageTokens; t++) {
    const value = values[t]!;
    sum += value;
    squares += value * value;
  }
  const mean = sum / passageTokens;
  const usual = mean + Math.sqrt(Math.max(0, squares / passageTokens - mean * mean));
  const span = 1 - usual;
  if (!(span > 0)) return;
  for (let w = 0; w < words.length; w++) {
    const { from, to } = words[w]!;
    let best = usual;
    for (let t = row + from; t < row + to; t++) if (values[t]! > best) best = values[t]!;
    strengths[w] = strengths[w]! + Math.min(1, (best - usual) / span);
  }
}
