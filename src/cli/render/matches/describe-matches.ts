/** Token matches of a hit, made ready to be drawn: characters with strengths, and pairs of tokens with names. */
import type { ExplainedToken, TokenMatches } from "../../../engine/options.js";

/** A token that was chosen, by its characters in the text of the passage. */
export interface MarkedSpan {
  readonly start: number;
  readonly end: number;
  /** The highest similarity that it was chosen with. */
  readonly similarity: number;
}

/** How a token is named: as the characters that it stands for, and the word around them where it is a piece of one. */
export interface TokenName {
  readonly text: string;
  readonly word?: string;
  /** "text": characters of the text; "context": of title or headings; "special": a marker of the model, such as [CLS]. */
  readonly kind: "text" | "context" | "special";
}

export interface MatchedPair {
  readonly query: TokenName;
  readonly passage: TokenName;
  readonly similarity: number;
}

export interface DescribedMatches {
  /** Ascending, none empty or overlapping, within the text. */
  readonly spans: readonly MarkedSpan[];
  /** Tokens of the query's own words, in their order. */
  readonly pairs: readonly MatchedPair[];
  /** Special tokens of the query by name, in order of appearance, and the sum of their similarities. */
  readonly special: {
    readonly names: ReadonlyArray<{ readonly name: string; readonly count: number }>;
    readonly count: number;
    readonly sum: number;
  };
  /** Of all similarities of choices: MaxSim. */
  readonly sum: number;
}

/**
 * Only choices of the query's own words mark text: special tokens choose as well, and add to the score, but say
 * nothing that a reader could follow. In a query without words (all of it cut off, say) they have to do.
 */
export function describeMatches(matches: TokenMatches, query: string, text: string): DescribedMatches {
  const own = matches.query.map(({ span }) => span !== null);
  const telling = tellingTokens(matches);
  const chosen = new Map<number, number>();
  const pairs: MatchedPair[] = [];
  const names = new Map<string, number>();
  let specialSum = 0;
  let sum = 0;
  matches.choices.forEach(({ passage, similarity }, i) => {
    sum += similarity;
    const token = matches.query[i];
    const match = matches.passage[passage];
    if (token === undefined || match === undefined) return;
    if (telling[i] === true) {
      chosen.set(passage, Math.max(chosen.get(passage) ?? Number.NEGATIVE_INFINITY, similarity));
    }
    if (own[i] === true) {
      pairs.push({ query: nameOf(token, query), passage: nameOf(match, text), similarity });
    } else {
      names.set(token.token, (names.get(token.token) ?? 0) + 1);
      specialSum += similarity;
    }
  });
  return {
    spans: spansApart(
      [...chosen].map(([passage, similarity]) => ({
        span: matches.passage[passage]?.span ?? null,
        similarity,
      })),
      text,
    ),
    pairs,
    special: {
      names: [...names].map(([name, count]) => ({ name, count })),
      count: [...names.values()].reduce((total, count) => total + count, 0),
      sum: specialSum,
    },
    sum,
  };
}

/** Which tokens of the query mark text: its own words, or all where it has none. */
export function tellingTokens({ query }: TokenMatches): boolean[] {
  const own = query.map(({ span }) => span !== null);
  return own.includes(true) ? own : own.map(() => true);
}

/** The name of a token of `text`, which its span is of. */
export function nameOf({ token, span }: ExplainedToken, text: string): TokenName {
  if (span === null) return { text: token, kind: isMarker(token) ? "special" : "context" };
  const [start, end] = span;
  const characters = text.slice(start, end);
  if (characters.trim() === "") return { text: token, kind: "text" };
  const from = start - (WORD_END.exec(text.slice(Math.max(0, start - LONGEST_WORD), start))?.[0].length ?? 0);
  const to = end + (WORD_START.exec(text.slice(end, end + LONGEST_WORD))?.[0].length ?? 0);
  const piece = WORD_START.test(characters) && (from < start || to > end);
  if (!piece) return { text: characters, kind: "text" };
  return { text: from < start ? `##${characters}` : characters, word: text.slice(from, to), kind: "text" };
}

/** Characters of a word that are looked at on one side of a token. */
const LONGEST_WORD = 40;
const WORD_START = /^[\p{L}\p{N}\p{M}_]+/u;
const WORD_END = /[\p{L}\p{N}\p{M}_]+$/u;

function isMarker(token: string): boolean {
  return /^(?:\[.*\]|<.*>)$/u.test(token);
}

/** The tokens that have a span, ascending, without the parts that an earlier one covers, and no half of a character. */
export function spansApart<T extends object>(
  tokens: ReadonlyArray<T & { readonly span: ExplainedToken["span"] }>,
  text: string,
): Array<T & { readonly start: number; readonly end: number }> {
  const found = tokens.flatMap((token) =>
    token.span === null
      ? []
      : [{ ...token, start: wholeFrom(text, token.span[0]), end: wholeTo(text, token.span[1]) }],
  );
  found.sort((a, b) => a.start - b.start || a.end - b.end);
  let at = 0;
  return found.flatMap((token) => {
    const start = Math.max(token.start, at);
    if (start >= token.end) return [];
    at = token.end;
    return [{ ...token, start }];
  });
}

function wholeFrom(text: string, at: number): number {
  return cutsPair(text, at) ? at - 1 : Math.max(0, at);
}

function wholeTo(text: string, at: number): number {
  return cutsPair(text, at) ? at + 1 : Math.min(text.length, at);
}

/** Whether the place lies between the two halves of one character. */
function cutsPair(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, at - 1), at + 1));
}
