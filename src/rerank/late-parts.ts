/** Texts in parts that a late-interaction model reads whole. */
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

/** English has about 4.5 characters a token. */
const CHARACTERS_PER_TOKEN = 6;

/**
 * Parts as an index has passages: cut at paragraphs and sentences, the last sentence repeated where a paragraph is cut.
 * @param text with a visible character.
 */
export function textParts(text: string, { maxTokens, budget, countTokens }: PartLimits): TextParts {
  const head = fits(text, maxTokens, countTokens) ? text : beginning(text, maxTokens, countTokens);
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

/** The longest beginning of a text that does not fit, cut after a word, or inside the first one; at least a character. */
function beginning(text: string, limit: number, countTokens: TokenCounter): string {
  let head = text;
  for (let length = limit * CHARACTERS_PER_TOKEN; length < text.length; length *= 2) {
    head = text.slice(0, length);
    if (countTokens(head) > limit) break;
    head = text;
  }
  const words = fitWords(head, limit, countTokens);
  if (words.trim() !== "") return words;
  const start = text.search(/\S/u);
  const characters = Array.from(text.slice(start, start + limit * MAX_CHARACTERS_PER_TOKEN));
  const beginningOf = (count: number): string => text.slice(0, start) + characters.slice(0, count).join("");
  const count = countBelow(characters.length, (i) => countTokens(beginningOf(i + 1)) <= limit);
  return beginningOf(Math.max(1, count));
}
