/**
 * The operators that people know from search boxes: `"words in this order"` must occur, `-word` and `-"words"` must
 * not. Everything else is text, whatever it looks like.
 */

export interface LexicalQuery {
  /** The text without operators: what an encoder gets, and where words are taken from. Phrases are part of it. */
  readonly text: string;
  /** Of each UTF-16 unit of `text` the offset in the query as it was written, ascending. */
  readonly places: readonly number[];
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
  const kept = new PlacedText(query);
  let at = 0;
  for (const match of query.matchAll(OPERATOR)) {
    const [whole, minus, phrase, word] = match;
    const words = (phrase ?? word ?? "").trim();
    const excludes = word !== undefined || minus === "-";
    if (words !== "") (excludes ? excluded : phrases).push(words);
    kept.add(at, match.index);
    at = match.index + whole.length;
    // Without its quotes, a phrase is text.
    const start = query.indexOf(words, match.index + 1);
    if (!excludes) kept.add(start, start + words.length);
  }
  kept.add(at, query.length);
  return { ...kept.finish(), phrases, excluded };
}

/** A text in which nothing is an operator. */
export function plainQuery(query: string): LexicalQuery {
  const text = query.trim();
  const before = query.length - query.trimStart().length;
  return {
    text,
    places: Array.from({ length: text.length }, (_, i) => before + i),
    phrases: [],
    excluded: [],
  };
}

/** Parts of a text, with one space where white space or something left out stands between them. */
class PlacedText {
  private text = "";
  private readonly places: number[] = [];
  private separated = false;

  constructor(private readonly source: string) {}

  add(from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const unit = this.source[at]!;
      if (/\s/u.test(unit)) {
        this.separated = true;
        continue;
      }
      if (this.separated && this.text !== "") this.push(" ", at - 1);
      this.separated = false;
      this.push(unit, at);
    }
  }

  private push(unit: string, place: number): void {
    this.text += unit;
    this.places.push(place);
  }

  finish(): { readonly text: string; readonly places: readonly number[] } {
    return { text: this.text, places: this.places };
  }
}
