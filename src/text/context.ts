/** The context of a passage: what the encoder reads before it so that the passage is understood on its own. */
import { skipSpace, wholeCharacter } from "./blocks.js";
import { countBelow } from "./lines.js";
import type { TokenCounter } from "./types.js";

/** Headings above a place in the text, innermost first. */
export interface HeadingPath {
  /** Text of the heading on one line. */
  readonly text: string;
  /** 1..6. */
  readonly level: number;
  readonly parent: HeadingPath | undefined;
}

export interface Context {
  readonly text: string;
  /** Tokens, the space before the passage included. */
  readonly weight: number;
}

const SEPARATOR = " > ";

/** No token of natural text is longer on average; what is longer is not worth counting. */
export const MAX_CHARACTERS_PER_TOKEN = 32;

/** What the encoder reads for a passage: its context, one space, its text. */
export function passageInput(context: string, text: string): string {
  if (context === "") return text;
  return text === "" ? context : `${context} ${text}`;
}

/** White space runs become one space; none at the ends. */
export function oneLine(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}

/** The longest beginning of `text`, cut after a word where it has more than one, that takes `limit` tokens at most. */
export function fitWords(text: string, limit: number, countTokens: TokenCounter): string {
  if (limit <= 0) return "";
  const clipped = text.slice(0, wholeCharacter(text, limit * MAX_CHARACTERS_PER_TOKEN));
  if (countTokens(clipped) <= limit) return clipped.trimEnd();
  const ends = [...clipped.matchAll(/\S+/gu)].map((match) => match.index + match[0].length);
  const words = countBelow(ends.length, (i) => countTokens(clipped.slice(0, ends[i]!)) <= limit);
  return words === 0 ? "" : clipped.slice(0, ends[words - 1]!);
}

/** Whether the text begins with the title on a line of its own, so that the title need not stand before it. */
export function startsWithTitle(text: string, from: number, title: string): boolean {
  const start = skipSpace(text, from, text.length);
  const lineEnd = text.indexOf("\n", start);
  const limit = start + title.length * 2 + 16;
  const line = text.slice(start, Math.min(lineEnd < 0 ? text.length : lineEnd, limit));
  return oneLine(line).toLowerCase() === title.toLowerCase();
}

/** Contexts of one document, each counted once. Those of more than `limit` tokens lose words, outer headings first. */
export class Contexts {
  private readonly known = new Map<HeadingPath | undefined, Context>();

  constructor(
    private readonly title: string,
    private readonly limit: number,
    private readonly countTokens: TokenCounter,
  ) {}

  /** The context under these headings; without headings it is the title. */
  under(path: HeadingPath | undefined): Context {
    let context = this.known.get(path);
    if (context === undefined) {
      const text = this.fit(this.parts(path));
      context = { text, weight: this.weigh(text) };
      this.known.set(path, context);
    }
    return context;
  }

  private weigh(text: string): number {
    return text === "" ? 0 : this.countTokens(`${text} `);
  }

  private parts(path: HeadingPath | undefined): string[] {
    const parts: string[] = [];
    for (let node = path; node !== undefined; node = node.parent)
      if (node.text !== "") parts.unshift(node.text);
    const repeated = parts[0]?.toLowerCase() === this.title.toLowerCase();
    if (this.title !== "" && !repeated) parts.unshift(this.title);
    return parts;
  }

  private fit(parts: string[]): string {
    const [first, ...rest] = parts;
    if (first === undefined) return "";
    for (let dropped = 0; dropped <= rest.length; dropped++) {
      const text = [first, ...rest.slice(dropped)].join(SEPARATOR);
      if (text.length <= this.limit * MAX_CHARACTERS_PER_TOKEN && this.weigh(text) <= this.limit) return text;
    }
    return fitWords(parts.at(-1)!, this.limit - 1, this.countTokens);
  }
}
