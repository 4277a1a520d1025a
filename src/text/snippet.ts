/** The part of a text that shows best why it matches a query, with the matching words marked. */
import { checkInteger } from "../common/check.js";
import { isHighSurrogate, isLowSurrogate, isSpace, skipSpace, skipSpaceBack } from "./blocks.js";
import { findWords, stemWord, stopWords } from "./words.js";

export interface SnippetOptions {
  /** UTF-16 code units of the snippet at most; default 240. */
  readonly maxLength?: number;
}

export interface Snippet {
  /** One line: white space runs are one space. */
  readonly text: string;
  /** Where the snippet begins in the text it was made from. */
  readonly start: number;
  /** Pairs [start, end) of offsets in `text` of the snippet: what matches the query. */
  readonly highlights: ReadonlyArray<readonly [number, number]>;
  /** Something of the text stands before the snippet: show an ellipsis. */
  readonly cutBefore: boolean;
  readonly cutAfter: boolean;
}

/** A place in a text that matches a part of a query. */
export interface SnippetMatch {
  readonly start: number;
  readonly end: number;
  /** The part of the query: what the snippet shows already is worth little a second time. */
  readonly key: string;
  /** Above 0. */
  readonly weight: number;
}

/** What a match is worth whose part of the query the window already shows. */
const REPEATED_WEIGHT = 0.1;

/** The window of at most `maxLength` characters with the most of the query's words; without any, the beginning. */
export function makeSnippet(text: string, query: string, options: SnippetOptions = {}): Snippet {
  const matches = findMatches(text, queryWords(query));
  const [start, end] = choosePart(text, matches, options);
  return collapse(text, start, end, matches);
}

/**
 * The window with the most weight of matches, which ascend by `start`; without any, the beginning. Matches side by side
 * are one highlight.
 */
export function snippetOf(
  text: string,
  matches: readonly SnippetMatch[],
  options: SnippetOptions = {},
): Snippet {
  const [start, end] = choosePart(text, matches, options);
  const shown = matches.filter((match) => match.start >= start && match.end <= end);
  return collapse(text, start, end, runs(text, shown));
}

function choosePart(
  text: string,
  matches: readonly SnippetMatch[],
  options: SnippetOptions,
): [number, number] {
  const maxLength = checkInteger("maxLength", options.maxLength ?? 240, 1);
  const window = bestWindow(matches, maxLength);
  return window === undefined ? beginning(text, maxLength) : around(text, window, maxLength);
}

/** Words such as "the" count only in a query that has no others: they match everywhere and explain nothing. */
function queryWords(query: string): Set<string> {
  const words = Array.from(findWords(query), ([word]) => word);
  const telling = words.filter((word) => !stopWords.has(word.toLowerCase()));
  return new Set((telling.length > 0 ? telling : words).map(stemWord));
}

function findMatches(text: string, words: ReadonlySet<string>): SnippetMatch[] {
  const matches: SnippetMatch[] = [];
  if (words.size === 0) return matches;
  for (const match of findWords(text)) {
    const key = stemWord(match[0]);
    const start = match.index;
    if (words.has(key)) matches.push({ start, end: start + match[0].length, key, weight: 1 });
  }
  return matches;
}

/** From the first to the last match of the window within `maxLength` that has the most weight, the earliest of equals. */
function bestWindow(
  matches: readonly SnippetMatch[],
  maxLength: number,
): readonly [number, number] | undefined {
  const fitting = matches.filter(({ start, end }) => end - start <= maxLength);
  let best: readonly [number, number] | undefined;
  let bestScore = 0;
  let first = 0;
  for (const [last, { end }] of fitting.entries()) {
    while (end - fitting[first]!.start > maxLength) first++;
    const score = weigh(fitting, first, last);
    // Sums of the same weights in another order may differ in the last bits.
    if (score > bestScore + 1e-9) {
      bestScore = score;
      best = [fitting[first]!.start, end];
    }
  }
  return best;
}

/** Of each part of the query the best match counts, its other matches a little. */
function weigh(matches: readonly SnippetMatch[], first: number, last: number): number {
  const best = new Map<string, number>();
  let sum = 0;
  for (let i = first; i <= last; i++) {
    const { key, weight } = matches[i]!;
    best.set(key, Math.max(best.get(key) ?? 0, weight));
    sum += weight * REPEATED_WEIGHT;
  }
  for (const weight of best.values()) sum += weight * (1 - REPEATED_WEIGHT);
  return sum;
}

/** Matches that overlap, or have nothing but a space or a hyphen between them, as one. */
function runs(text: string, matches: readonly SnippetMatch[]): Array<{ start: number; end: number }> {
  const result: Array<{ start: number; end: number }> = [];
  for (const { start, end } of matches) {
    const before = result.at(-1);
    if (before !== undefined && (start <= before.end || JOINING.test(text.slice(before.end, start)))) {
      before.end = Math.max(before.end, end);
    } else result.push({ start, end });
  }
  return result;
}

const JOINING = /^[ \p{Pd}]$/u;

function beginning(text: string, maxLength: number): [number, number] {
  const start = skipSpace(text, 0, text.length);
  return [start, wordEnd(text, start, Math.min(text.length, start + maxLength))];
}

/** Widens a window to `maxLength`: to the start of its sentence if that is near, else evenly on both sides. */
function around(text: string, [from, to]: readonly [number, number], maxLength: number): [number, number] {
  const spare = maxLength - (to - from);
  const earliest = Math.max(0, from - (from + spare >= text.length ? spare : Math.floor(spare * 0.6)));
  let start = skipSpace(text, earliest, from);
  if (earliest > 0 && !isSpace(text.charCodeAt(earliest - 1))) {
    const space = text.slice(start, from).search(/\s/u);
    start = space < 0 ? from : skipSpace(text, start + space, from);
  }
  // The latest start of a sentence that still leaves enough text behind it to fill the snippet.
  const sentences = [...text.slice(start, from).matchAll(/[.!?。！？]["')\]]*\s+(?=\S|$)/gu)].map(
    (match) => start + match.index + match[0].length,
  );
  start = sentences.findLast((at) => text.length - at >= maxLength) ?? sentences[0] ?? start;
  return [start, wordEnd(text, to, Math.min(text.length, start + maxLength))];
}

/** The last end of a word in (from, limit], or `limit` (less half a surrogate pair) if there is none. */
function wordEnd(text: string, from: number, limit: number): number {
  if (limit === text.length || isSpace(text.charCodeAt(limit))) return skipSpaceBack(text, limit, from);
  for (let at = limit; at > from; at--) {
    if (isSpace(text.charCodeAt(at - 1))) return skipSpaceBack(text, at, from);
  }
  if (from > 0 && !isSpace(text.charCodeAt(from))) return from;
  const cutsPair = isHighSurrogate(text.charCodeAt(limit - 1)) && isLowSurrogate(text.charCodeAt(limit));
  return cutsPair ? limit - 1 : limit;
}

function collapse(
  text: string,
  start: number,
  end: number,
  matches: ReadonlyArray<{ readonly start: number; readonly end: number }>,
): Snippet {
  const highlights: Array<readonly [number, number]> = [];
  let result = "";
  let at = start;
  const copy = (to: number): void => {
    result += text.slice(at, to).replace(/\s+/gu, " ");
    at = to;
  };
  for (const match of matches) {
    if (match.start < start || match.end > end) continue;
    copy(match.start);
    const from = result.length;
    copy(match.end);
    highlights.push([from, result.length]);
  }
  copy(end);
  return {
    text: result,
    start,
    highlights,
    cutBefore: skipSpace(text, 0, start) < start,
    cutAfter: skipSpace(text, end, text.length) < text.length,
  };
}
