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
  /** Pairs [start, end) of offsets in `text` of the snippet: the words shared with the query. */
  readonly highlights: ReadonlyArray<readonly [number, number]>;
  /** Something of the text stands before the snippet: show an ellipsis. */
  readonly cutBefore: boolean;
  readonly cutAfter: boolean;
}

interface Match {
  readonly start: number;
  readonly end: number;
  readonly stem: string;
}

/** What a word is worth that the window already shows. */
const REPEATED_WEIGHT = 0.1;

/** The window of at most `maxLength` characters with the most of the query's words; without any, the beginning. */
export function makeSnippet(text: string, query: string, options: SnippetOptions = {}): Snippet {
  const maxLength = checkInteger("maxLength", options.maxLength ?? 240, 1);
  const matches = findMatches(text, queryWords(query));
  const window = bestWindow(matches, maxLength);
  const [start, end] = window === undefined ? beginning(text, maxLength) : around(text, window, maxLength);
  return collapse(text, start, end, matches);
}

/** Words such as "the" count only in a query that has no others: they match everywhere and explain nothing. */
function queryWords(query: string): Set<string> {
  const words = Array.from(findWords(query), ([word]) => word);
  const telling = words.filter((word) => !stopWords.has(word.toLowerCase()));
  return new Set((telling.length > 0 ? telling : words).map(stemWord));
}

function findMatches(text: string, words: ReadonlySet<string>): Match[] {
  const matches: Match[] = [];
  if (words.size === 0) return matches;
  for (const match of findWords(text)) {
    const stem = stemWord(match[0]);
    if (words.has(stem)) matches.push({ start: match.index, end: match.index + match[0].length, stem });
  }
  return matches;
}

/** The run of matches within `maxLength` with the most different words, the earliest of equals. */
function bestWindow(matches: readonly Match[], maxLength: number): readonly [number, number] | undefined {
  const counts = new Map<string, number>();
  let best: readonly [number, number] | undefined;
  let bestScore = 0;
  let score = 0;
  let first = 0;
  const worth = (seen: number): number => (seen > 0 ? REPEATED_WEIGHT : 1);
  for (const { start, end, stem } of matches) {
    if (end - start > maxLength) continue;
    const seen = counts.get(stem) ?? 0;
    score += worth(seen);
    counts.set(stem, seen + 1);
    while (end - matches[first]!.start > maxLength) {
      const left = matches[first++]!;
      if (left.end - left.start > maxLength) continue;
      const rest = counts.get(left.stem)! - 1;
      counts.set(left.stem, rest);
      score -= worth(rest);
    }
    // Sums of the same words in another order may differ in the last bits.
    if (score > bestScore + 1e-9) {
      bestScore = score;
      best = [matches[first]!.start, end];
    }
  }
  return best;
}

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

function collapse(text: string, start: number, end: number, matches: readonly Match[]): Snippet {
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
