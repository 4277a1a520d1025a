/** Texts in parts that a late-interaction model reads whole. */
import { wholeCharacter } from "../text/blocks.js";
import { fitWords, MAX_CHARACTERS_PER_TOKEN } from "../text/context.js";
import { countBelow } from "../text/lines.js";
import { splitDocument } from "../text/split.js";
import type { TokenCounter } from "../text/types.js";

export interface PartLimits {
  /** Tokens of the text that count; the rest is cut off. At least 1. */
  readonly maxTokens: number;
  /** Tokens that a part may take. */
  readonly budget: number;
  readonly countTokens: TokenCounter;
}

export interface TextParts {
  /** At least one, in order; a text that fits is one part. */
  readonly parts: readonly string[];
  /** Whether the text had more than `maxTokens` tokens. */
  readonly cut: boolean;
}

/** UTF-16 code units that are counted at a time: a text of megabytes is only read as far as it counts. */
const PIECE = 1_024;

/**
 * Parts as an index has passages: cut at paragraphs and sentences, the last sentence repeated where a paragraph is cut.
 * @param text with a visible character.
 */
export function textParts(text: string, { maxTokens, budget, countTokens }: PartLimits): TextParts {
  const head = beginning(text, maxTokens, countTokens);
  const cut = text.slice(head.length).trim() !== "";
  if (fits(head, budget, countTokens)) return { parts: [head], cut };
  const spans = splitDocument({ text: head }, { budget, countTokens });
  return { parts: spans.map(({ start, end }) => head.slice(start, end)), cut };
}

/** A token takes a byte or more, so a short text need not be counted, and nor does one that is far too long. */
function fits(text: string, limit: number, countTokens: TokenCounter): boolean {
  if (text.length > limit * MAX_CHARACTERS_PER_TOKEN) return false;
  return Buffer.byteLength(text) <= limit || countTokens(text) <= limit;
}

/** The longest beginning that takes `limit` tokens, cut after a word, or inside the first one; at least a visible character. */
function beginning(text: string, limit: number, countTokens: TokenCounter): string {
  if (Buffer.byteLength(text) <= limit) return text;
  let room = limit;
  for (let at = 0; at < text.length; ) {
    const end = pieceEnd(text, at);
    const piece = text.slice(at, end);
    const tokens = countTokens(piece);
    if (tokens > room) {
      const words = text.slice(0, at) + fitWords(piece, room, countTokens);
      return words.trim() === "" ? text.slice(0, at) + firstCharacters(piece, room, countTokens) : words;
    }
    room -= tokens;
    at = end;
  }
  return text;
}

/** After the last white space of the piece's second half, where there is one: words are counted whole. */
function pieceEnd(text: string, start: number): number {
  if (start + PIECE >= text.length) return text.length;
  for (let end = start + PIECE; end > start + PIECE / 2; end--) {
    if (/\s/u.test(text[end - 1]!)) return end;
  }
  return wholeCharacter(text, start + PIECE);
}

/** As many characters of the first word as fit, one at least, and the white space before it. */
function firstCharacters(piece: string, limit: number, countTokens: TokenCounter): string {
  const start = piece.search(/\S/u);
  const characters = Array.from(piece.slice(start));
  const beginningOf = (count: number): string => characters.slice(0, count).join("");
  const count = countBelow(characters.length, (i) => countTokens(beginningOf(i + 1)) <= limit);
  return piece.slice(0, start) + beginningOf(Math.max(1, count));
}
