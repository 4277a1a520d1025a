/** Token matches of a hit, made ready to be drawn: characters with strengths, and pairs of tokens with names. */
import type { TokenMatches } from "../../../engine/options.js";
import { spansApart } from "./spans.js";
import { nameOf, type TokenName } from "./token-names.js";

/** A token that was chosen, by its characters. */
export interface MarkedSpan {
  readonly start: number;
  readonly end: number;
  /** The highest similarity that it was chosen with. */
  readonly similarity: number;
}

export interface MatchedPair {
  readonly query: TokenName;
  readonly passage: TokenName;
  readonly similarity: number;
}

/** Spans are ascending, none empty or overlapping, within their text. */
export interface DescribedMatches {
  /** Of the text of the passage. */
  readonly spans: readonly MarkedSpan[];
  /** Title and headings that are encoded with the passage, and their marks. */
  readonly context: { readonly text: string; readonly spans: readonly MarkedSpan[] };
  /** Tokens of the query's own words, in their order. */
  readonly pairs: readonly MatchedPair[];
  /** Other tokens of the query by name, in order of appearance, and the sum of their similarities. */
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
 * nothing that a reader could follow. In a query without words they have to do.
 */
export function describeMatches(matches: TokenMatches, query: string, text: string): DescribedMatches {
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
    if (token.part === "text") {
      const found = nameOf(match, text, matches.context);
      pairs.push({ query: nameOf(token, query, ""), passage: found, similarity });
    } else {
      names.set(token.token, (names.get(token.token) ?? 0) + 1);
      specialSum += similarity;
    }
  });
  const marked = [...chosen].map(([passage, similarity]) => ({
    token: matches.passage[passage],
    similarity,
  }));
  return {
    spans: spansOf(
      marked.map(({ token, similarity }) => ({ span: token?.span ?? null, similarity })),
      text,
    ),
    context: {
      text: matches.context,
      spans: spansOf(
        marked.map(({ token, similarity }) => ({ span: token?.contextSpan ?? null, similarity })),
        matches.context,
      ),
    },
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
  const own = query.map(({ part }) => part === "text");
  return own.includes(true) ? own : own.map(() => true);
}

function spansOf(
  marked: ReadonlyArray<{ readonly span: readonly [number, number] | null; readonly similarity: number }>,
  text: string,
): MarkedSpan[] {
  return spansApart(marked, text).map(({ start, end, similarity }) => ({ start, end, similarity }));
}
