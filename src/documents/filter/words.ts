/** Words of the text form: which characters they have without quotes, which are taken, and what they mean as values. */
import { looksLikeDate, parseDate } from "./dates.js";
import type { FilterValue } from "./types.js";

/** One character (code point) of a word without quotes; a field without quotes has no dot within a key. */
export const BARE = /^[^\s\p{Cc}\p{Cf}\p{Cs}"'`()[\]{},;=<>!&|\\]$/u;

const RESERVED: ReadonlySet<string> = new Set(
  "and or not in exists has prefix glob true false null".split(" "),
);

/** True for words of the language; as names or strings they need quotes. Case does not matter. */
export function isReserved(word: string): boolean {
  return RESERVED.has(word.toLowerCase());
}

/** No leading zeros: 007 is text. */
const NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;

const CONSTANTS: ReadonlyMap<string, FilterValue> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/**
 * What a word without quotes means as a value, or what is wrong with it, as the end of a sentence.
 * @param asText where only text can stand: 5 and 2024-01-01 are text then.
 */
export function valueOfWord(
  word: string,
  asText: boolean,
): { readonly value: FilterValue } | { readonly problem: string } {
  const constant = CONSTANTS.get(word.toLowerCase());
  if (constant !== undefined) return { value: constant };
  if (isReserved(word)) return { problem: "is a word of the filter language" };
  if (asText) return { value: word };
  if (NUMBER.test(word)) {
    const value = Number(word);
    return Number.isFinite(value) ? { value: withoutSign(value) } : { problem: "is too large for a number" };
  }
  if (parseDate(word) !== undefined) return { value: { date: word } };
  if (looksLikeDate(word)) return { problem: "is not a date of the calendar" };
  return { value: word };
}

/** -0 is stored as 0 and is equal to it, so a filter holds only 0. */
export function withoutSign(value: number): number {
  return value === 0 ? 0 : value;
}
