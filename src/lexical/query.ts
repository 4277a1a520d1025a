/**
 * The operators that people know from search boxes: `"words in this order"` must occur, `-word` and `-"words"` must
 * not. Everything else is text, whatever it looks like.
 */

export interface LexicalQuery {
  /** The text without operators: what an encoder gets, and where words are taken from. Phrases are part of it. */
  readonly text: string;
  /** Each must occur in the document. */
  readonly phrases: readonly string[];
  /** None may occur in the document. */
  readonly excluded: readonly string[];
}

/** An operator begins at the start or after white space; a quote that is not closed is a character like others. */
const OPERATOR = /(?<=^|\s)(-?)"([^"]*)"(?=$|[\s.,;:!?)\]])|(?<=^|\s)-(\p{L}[^\s"]*)/gu;

export function parseQuery(query: string): LexicalQuery {
  const phrases: string[] = [];
  const excluded: string[] = [];
  const text = query.replace(
    OPERATOR,
    (_whole, minus: string | undefined, phrase?: string, word?: string) => {
      const words = (phrase ?? word ?? "").trim();
      const excludes = word !== undefined || minus === "-";
      if (words !== "") (excludes ? excluded : phrases).push(words);
      return excludes ? " " : words;
    },
  );
  return { text: text.replace(/\s+/gu, " ").trim(), phrases, excluded };
}

/** A text in which nothing is an operator. */
export function plainQuery(text: string): LexicalQuery {
  return { text: text.trim(), phrases: [], excluded: [] };
}
