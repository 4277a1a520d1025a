/** Words inside of words, for a column of their own: positions in the text stay as they are, and phrases with them. */
import { findIdentifiers } from "../text/identifiers.js";

const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/** The words of a text as the tokenizer of the table finds them, small letters. */
export function plainWords(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

/**
 * What identifiers add to the words of a text: `readFile` (one word there) adds "read file", `read_file` (two words)
 * adds "readfile", so that either is found by the other and by its parts.
 */
export function wordParts(text: string): string {
  const added: string[] = [];
  for (const { start, end, parts, joined } of findIdentifiers(text)) {
    const words = plainWords(text.slice(start, end));
    if (words.length > 1) added.push(joined);
    if (!sameWords(words, parts)) added.push(...parts);
  }
  return added.join(" ");
}

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}
