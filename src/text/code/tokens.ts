/** The tokens of a source file, as far as its structure needs them. White space has none; comments lie beside them. */

export const WORD = 1;
/** One operator or mark; two characters only for those of `PAIRS`. */
export const MARK = 2;
export const OPEN = 3;
export const CLOSE = 4;
/** A literal, or a part of one between interpolations. */
export const LITERAL = 5;
/** A line of the preprocessor with its continuations. */
export const DIRECTIVE = 6;

export type TokenKind = 1 | 2 | 3 | 4 | 5 | 6;

/** Marks of two characters that are one token, so that `=` alone is an assignment. */
export const PAIRS: ReadonlySet<string> = new Set(["=>", "->", "::", "==", "!=", "<=", ">=", ":=", "<-"]);

export interface Comment {
  readonly start: number;
  readonly end: number;
}

/** Columns that a tab advances to a multiple of. */
const TAB = 8;

/** Lists of millions of tokens stay cheap: numbers in typed arrays. Offsets are UTF-16 code units. */
export class Tokens {
  length = 0;
  readonly comments: Comment[] = [];
  /** For OPEN and CLOSE the index of the partner, else -1. Filled by `matchBrackets`. */
  partners: Int32Array = new Int32Array(0);
  private kinds = new Uint8Array(1024);
  private starts = new Int32Array(1024);
  private ends = new Int32Array(1024);
  /** Offset of the line on which the token begins. */
  private lines = new Int32Array(1024);
  private indents = new Int32Array(1024);
  private lastLine = -1;
  private lastIndent = 0;

  constructor(readonly text: string) {}

  add(kind: TokenKind, start: number, end: number, line: number): void {
    if (this.length === this.kinds.length) this.grow();
    const i = this.length++;
    this.kinds[i] = kind;
    this.starts[i] = start;
    this.ends[i] = end;
    this.lines[i] = line;
    if (line !== this.lastLine) {
      this.lastLine = line;
      this.lastIndent = indentAfter(this.text, line);
    }
    this.indents[i] = this.lastIndent;
  }

  /** Forgets the tokens from `length` on, and comments that begin at or after `offset`. */
  truncate(length: number, offset: number): void {
    this.length = length;
    while (this.comments.length > 0 && this.comments.at(-1)!.start >= offset) this.comments.pop();
  }

  /** 0 outside of the list. */
  kind(i: number): number {
    return i >= 0 && i < this.length ? this.kinds[i]! : 0;
  }

  start(i: number): number {
    return this.starts[i]!;
  }

  end(i: number): number {
    return this.ends[i]!;
  }

  /** The characters of a token; "" outside of the list. */
  at(i: number): string {
    return i >= 0 && i < this.length ? this.text.slice(this.starts[i], this.ends[i]) : "";
  }

  is(i: number, characters: string): boolean {
    if (i < 0 || i >= this.length) return false;
    const start = this.starts[i]!;
    return this.ends[i]! - start === characters.length && this.text.startsWith(characters, start);
  }

  isWord(i: number): boolean {
    return this.kind(i) === WORD;
  }

  /** The word, or "" for another token: a literal never counts as a keyword. */
  word(i: number): string {
    return this.kind(i) === WORD ? this.at(i) : "";
  }

  /** No other token stands before it on its line. */
  isLineFirst(i: number): boolean {
    return i === 0 || this.lines[i]! >= this.ends[i - 1]!;
  }

  /** Offset of the line on which the token begins. */
  lineOf(i: number): number {
    return this.lines[i]!;
  }

  /** Width of the indentation of the line on which the token begins. */
  indent(i: number): number {
    return this.indents[i]!;
  }

  /** The index after a bracket and what it encloses; after any other token, or a bracket without partner, the next. */
  after(i: number): number {
    const partner = this.kind(i) === OPEN ? this.partners[i]! : -1;
    return partner < 0 ? i + 1 : partner + 1;
  }

  private grow(): void {
    this.kinds = doubled(this.kinds, new Uint8Array(this.kinds.length * 2));
    this.starts = doubled(this.starts, new Int32Array(this.starts.length * 2));
    this.ends = doubled(this.ends, new Int32Array(this.ends.length * 2));
    this.lines = doubled(this.lines, new Int32Array(this.lines.length * 2));
    this.indents = doubled(this.indents, new Int32Array(this.indents.length * 2));
  }
}

function indentAfter(text: string, line: number): number {
  let width = 0;
  for (let at = line; ; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x09) width += TAB - (width % TAB);
    else if (unit === 0x20) width++;
    else return width;
  }
}

function doubled<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
