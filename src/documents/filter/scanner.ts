/** Reads a filter's text from left to right, and says where something is wrong. */
import { describe } from "../../common/check.js";
import { MaxsimError } from "../../common/errors.js";
import { BARE } from "./words.js";

/** A piece of the text: UTF-16 code units from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Width of the part of a long filter that a message shows. */
const SHOWN = 72;

/** Operators of this language and of others, for messages. */
const SYMBOLS = /[=<>!&|]+/y;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["\\", "\\"],
  ["/", "/"],
  ['"', '"'],
  ["'", "'"],
]);

export class Scanner {
  at = 0;

  /** @param name what messages call the text. */
  constructor(
    readonly text: string,
    private readonly name: string,
  ) {}

  skipSpace(): void {
    const space = /\s*/y;
    space.lastIndex = this.at;
    space.exec(this.text);
    this.at = space.lastIndex;
  }

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** The next code point, "" at the end. */
  peek(at = this.at): string {
    const code = this.text.codePointAt(at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  /** Steps over `char` when it is next. */
  take(char: string): boolean {
    if (!this.text.startsWith(char, this.at)) return false;
    this.at += char.length;
    return true;
  }

  /** The word without quotes that is next; "" for none. @param stop a character that ends it. */
  peekWord(stop = ""): string {
    let end = this.at;
    for (let char = this.peek(end); char !== "" && char !== stop && BARE.test(char); char = this.peek(end)) {
      end += char.length;
    }
    return this.text.slice(this.at, end);
  }

  /** Reads that word. */
  word(stop = ""): string {
    const word = this.peekWord(stop);
    this.at += word.length;
    return word;
  }

  /** Steps over a word of the language, in any case, when it is next. */
  takeKeyword(keyword: string): boolean {
    const word = this.peekWord();
    if (word.toLowerCase() !== keyword) return false;
    this.at += word.length;
    return true;
  }

  get atQuote(): boolean {
    const char = this.text[this.at];
    return char === '"' || char === "'";
  }

  /** The string in single or double quotes that begins here, with the escapes of JSON. */
  quoted(): string {
    const start = this.at;
    const quote = this.text[this.at++];
    let value = "";
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) {
        throw this.error(
          { start, end: start + 1 },
          "the quote is not closed",
          "Close it with the same quote.",
        );
      }
      this.at++;
      if (char === quote) return value;
      value += char === "\\" ? this.escape() : char;
    }
  }

  private escape(): string {
    const start = this.at - 1;
    const char = this.text[this.at++] ?? "";
    const known = ESCAPES.get(char);
    if (known !== undefined) return known;
    const digits = this.text.slice(this.at, this.at + 4);
    if (char === "u" && /^[0-9a-fA-F]{4}$/.test(digits)) {
      this.at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    throw this.error(
      { start, end: this.at },
      `${describe(this.text.slice(start, this.at))} is no escape`,
      "Write two backslashes for a backslash; the escapes are those of JSON.",
    );
  }

  /** The word, the run of operator characters or the character that is next. */
  next(): Span {
    const start = this.at;
    SYMBOLS.lastIndex = start;
    const found = this.peekWord() || SYMBOLS.exec(this.text)?.[0] || this.peek();
    return { start, end: start + found.length };
  }

  /** The text of a span. */
  slice({ start, end }: Span): string {
    return this.text.slice(start, end);
  }

  /** @param expected "a value", "and, or, or )". */
  expected(expected: string, hint?: string): MaxsimError {
    const found = this.atEnd ? "the end" : describe(this.slice(this.next()));
    return this.error(this.next(), `expected ${expected}, found ${found}`, hint);
  }

  /** An error that names the column, counted in characters from 1, and shows the place with carets below it. */
  error(span: Span, problem: string, hint?: string): MaxsimError {
    const column = codePoints(this.text.slice(0, span.start)) + 1;
    const message = `${this.name}, column ${column}: ${problem}\n${this.pointAt(span)}`;
    return new MaxsimError("INVALID_FILTER", message, hint === undefined ? {} : { hint });
  }

  private pointAt({ start, end }: Span): string {
    const chars = Array.from(this.text.replace(/\s|\p{Cc}|\p{Cf}/gu, " "));
    const at = codePoints(this.text.slice(0, start));
    const from = Math.max(0, Math.min(at - SHOWN / 2, chars.length - SHOWN));
    const to = Math.min(chars.length, from + SHOWN);
    const before = from > 0 ? "..." : "";
    const line = before + chars.slice(from, to).join("") + (to < chars.length ? "..." : "");
    const width = Math.max(1, Math.min(codePoints(this.text.slice(start, end)), Math.max(to - at, 1)));
    return `  ${line}\n  ${" ".repeat(before.length + at - from)}${"^".repeat(width)}`;
  }
}

function codePoints(text: string): number {
  return Array.from(text).length;
}
