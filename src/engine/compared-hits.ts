/** Compares a query with the passages of its hits, token by token: what snippets and explanations are made from. */
import { passageText } from "../documents/passage-text.js";
import type { KernelBackend } from "../kernels/backend.js";
import { TokenPart } from "../models/tokenizer.js";
import { type MatchedWord, matchedWords } from "../search/matched-words.js";
import { type ComparedQuery, TokenComparison, type TokenSimilarities } from "../search/token-matches.js";
import type { SearchSnapshot } from "../search/types.js";
import type { EncodePool, SpelledText } from "../workers/encode-pool.js";
import type { ExplainedToken, TokenMatches } from "./options.js";

/** What a query text is compared with passages by. */
export interface HitComparison extends ComparedQuery {
  readonly encoder: EncodePool;
  readonly snapshot: SearchSnapshot;
  readonly kernels: KernelBackend;
  /** Hits, from the first one, whose scores were computed in float32. */
  readonly rescored: number;
}

/** A query as it is encoded, and where that stood in the query as it was written. */
export interface AskedText {
  readonly text: string;
  /** Of each UTF-16 unit of `text`. */
  readonly places: readonly number[];
}

/** A passage of a hit: its own text and what is encoded before it. */
export interface ComparedPassage {
  readonly passageNo: number;
  readonly text: string;
  readonly context: string;
}

export interface ComparedHit {
  /** Words of the passage that the query found. */
  readonly words: readonly MatchedWord[];
  /** When it was asked for. */
  readonly matches?: TokenMatches;
}

/**
 * One result a passage, undefined where it has no vectors or where they are not those of its text: where the caller brought
 * them. A model gives as many vectors as the text has tokens.
 */
export async function compareHits(
  { encoder, snapshot, kernels, rescored, ...query }: HitComparison,
  asked: AskedText,
  passages: readonly ComparedPassage[],
  explain: boolean,
): Promise<Array<ComparedHit | undefined>> {
  const encodedTexts = passages.map(({ context, text }) =>
    passageText(text, { context, start: 0, end: text.length }),
  );
  // The thread of the tokenizer works while this one compares.
  const locating = encoder.locateTokens(asked.text, encodedTexts, explain);
  const comparison = new TokenComparison(snapshot, kernels);
  const compared = await Promise.all([
    locating,
    passages.map(({ passageNo }, i) => comparison.compare(query, passageNo, i < rescored)),
  ]);
  const [located, all] = compared;
  return passages.map((passage, i): ComparedHit | undefined => {
    const similarities = all[i];
    const tokens = located.passages[i]!;
    if (
      similarities === undefined ||
      similarities.passageTokens !== tokens.tokenIds.length ||
      similarities.queryTokens !== located.query.tokenIds.length
    ) {
      return undefined;
    }
    const placed = splitContext(passage, tokens);
    const words = matchedWords(
      { text: asked.text, tokens: located.query },
      { text: passage.text, tokens: placed },
      similarities,
    );
    if (!explain) return { words };
    const matches = explainMatches(asWritten(located.query, asked), placed, passage.context, similarities);
    return { words, matches };
  });
}

/** Tokens with their characters in the passage's own text, and those of the context by themselves. */
interface PlacedText extends SpelledText {
  readonly contextStarts: Int32Array;
  readonly contextEnds: Int32Array;
}

function splitContext({ context, text }: ComparedPassage, located: SpelledText): PlacedText {
  // As `passageText` puts them together: context, a space, the text, trimmed.
  const whole = `${context} ${text}`;
  const cut = whole.length - whole.trimStart().length;
  const own = context.length + 1 - cut;
  const starts = located.starts.map((start) => (start < own ? -1 : start - own));
  const ends = located.ends.map((end, i) => (starts[i]! < 0 ? -1 : end - own));
  const contextStarts = located.starts.map((start, i) =>
    start < 0 || start >= own || located.ends[i]! > own ? -1 : start + cut,
  );
  const contextEnds = located.ends.map((end, i) => (contextStarts[i]! < 0 ? -1 : end + cut));
  return { ...located, starts, ends, contextStarts, contextEnds };
}

/** Query tokens with their characters in the query as it was written. */
function asWritten(query: SpelledText, { places }: AskedText): SpelledText {
  return {
    ...query,
    starts: query.starts.map((start) => (start < 0 ? -1 : places[start]!)),
    ends: query.ends.map((end) => (end < 0 ? -1 : places[end - 1]! + 1)),
  };
}

function explainMatches(
  query: SpelledText,
  passage: PlacedText,
  context: string,
  { values, choices, passageTokens }: TokenSimilarities,
): TokenMatches {
  return {
    query: Array.from(query.tokenIds, (_, i) => explainToken(query, i)),
    passage: Array.from(passage.tokenIds, (_, i) => {
      const start = passage.contextStarts[i]!;
      const token = explainToken(passage, i);
      return start < 0
        ? token
        : { ...token, part: "context", contextSpan: [start, passage.contextEnds[i]!] as const };
    }),
    context,
    choices: Array.from(choices, (choice, q) => ({
      passage: choice,
      similarity: values[q * passageTokens + choice]!,
    })),
    similarities: Array.from(choices, (_, q) => values.slice(q * passageTokens, (q + 1) * passageTokens)),
  };
}

function explainToken({ tokens, parts, starts, ends }: SpelledText, i: number): ExplainedToken {
  const part =
    parts[i] === TokenPart.text ? "text" : parts[i] === TokenPart.expansion ? "expansion" : "special";
  return {
    token: tokens?.[i] ?? "",
    part,
    span: starts[i]! < 0 ? null : [starts[i]!, ends[i]!],
  };
}
