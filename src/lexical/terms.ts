/** From a query text to the terms of a full-text search; nothing that a user types reaches FTS5 as syntax. */
import type { LexicalKind } from "./types.js";
import { plainWords, wordParts } from "./word-parts.js";

/** Words that say nothing of what a passage is about; each would have to be looked up in most passages. */
const FUNCTION_WORDS = new Set(
  (
    "a about all also am an and any are as at be been but by can could did do does for from had has have he her his how i if in " +
    "into is it its just may me more most my no nor not of on one only or other our out over own s same she should so some such " +
    "t than that the their them then there these they this those to too up us very was we were what when where which while who " +
    "whom whose why will with would you your"
  ).split(" "),
);

/** Longer queries are cut: their rarest words would do, and each costs a pass over its passages. */
const MAX_TERMS = 64;

/** A string of FTS5: quoted, so that nothing in it is syntax. */
export function quoted(text: string): string {
  return `"${text.replaceAll('"', '""').replaceAll("\0", " ")}"`;
}

/**
 * The distinct terms of a text, in its order: words and the parts of identifiers, function words of English left out unless
 * there is nothing else.
 */
export function queryTerms(text: string, kind: LexicalKind): string[] {
  if (kind === "trigrams") {
    // Shorter words have no trigram.
    const words = plainWords(text).filter((word) => [...word].length >= 3);
    return [...new Set(words)].slice(0, MAX_TERMS);
  }
  const words = [...new Set([...plainWords(text), ...plainWords(wordParts(text))])];
  if (kind !== "english") return words.slice(0, MAX_TERMS);
  const telling = words.filter((word) => !FUNCTION_WORDS.has(word));
  return (telling.length > 0 ? telling : words).slice(0, MAX_TERMS);
}
