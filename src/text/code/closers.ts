/** Finds what closes a literal or comment, in linear time for all of a text together, also where nothing closes. */
import type { CommentRule, LiteralRule } from "./lexis.js";

/** After so many different marks that nothing closed, marks that the text chooses itself are not looked for any more. */
const MAX_FAILURES = 64;

export class Closers {
  /** Closing marks that do not come any more. */
  private readonly missing = new Set<string>();
  /** Rules that do not close before this offset. */
  private readonly openUntil = new Map<LiteralRule, number>();
  private failures = 0;

  constructor(private readonly text: string) {}

  /** The offset after the next `mark` at or after `from`, or -1. */
  after(mark: string, from: number): number {
    if (this.missing.has(mark) || this.failures >= MAX_FAILURES) return -1;
    const at = this.text.indexOf(mark, from);
    if (at >= 0) return at + mark.length;
    this.fail(mark);
    return -1;
  }

  /** The offset after a literal whose content begins at `from`, or -1. */
  afterLiteral(rule: LiteralRule, from: number): number {
    const { text } = this;
    if (from <= (this.openUntil.get(rule) ?? -1)) return -1;
    const first = rule.close.charCodeAt(0);
    let at = from;
    for (; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit === 0x5c && rule.escape === "backslash") {
        at++;
        // An escaped line end goes on with the literal.
      } else if (unit === 0x0a && rule.manyLines !== true) {
        break;
      } else if (unit === first && text.startsWith(rule.close, at)) {
        const end = at + rule.close.length;
        if (rule.escape !== "doubled" || !text.startsWith(rule.close, end)) return end;
        at = end + rule.close.length - 1;
      }
    }
    this.openUntil.set(rule, at);
    return -1;
  }

  /** The offset after a block comment that begins at `from`, or -1. */
  afterComment(rule: CommentRule, from: number): number {
    if (rule.wholeLines === true) {
      const close = this.after(`\n${rule.close}`, from);
      return close < 0 ? -1 : this.lineEnd(close);
    }
    if (rule.nested === true && !this.missing.has(`nested ${rule.close}`)) {
      const end = this.afterNested(rule, from);
      if (end >= 0) return end;
      this.missing.add(`nested ${rule.close}`);
    }
    return this.after(rule.close, from + rule.open.length);
  }

  /**
   * The offset after the line that holds `word` alone, in the lines from `from` on, or -1.
   * @param indented white space may stand before the word
   * @param alone nothing but white space may come after it; else anything that is no part of a word
   */
  afterLineOf(word: string, from: number, indented: boolean, alone: boolean): number {
    if (this.missing.has(`\n${word}`) || this.failures >= MAX_FAILURES) return -1;
    const { text } = this;
    for (let at = text.indexOf(word, from); at >= 0; at = text.indexOf(word, at + 1)) {
      let before = at;
      while (indented && before > from && isBlank(text.charCodeAt(before - 1))) before--;
      if (before !== from && text.charCodeAt(before - 1) !== 0x0a) continue;
      const end = at + word.length;
      if (!alone) {
        if (!/^\w/.test(text.charAt(end))) return end;
      } else {
        let after = end;
        while (isBlank(text.charCodeAt(after))) after++;
        if (after >= text.length || text.charCodeAt(after) === 0x0a) return end;
      }
    }
    this.fail(`\n${word}`);
    return -1;
  }

  lineEnd(from: number): number {
    const newline = this.text.indexOf("\n", from);
    return newline < 0 ? this.text.length : newline;
  }

  private fail(mark: string): void {
    this.missing.add(mark);
    this.failures++;
  }

  private afterNested({ open, close }: CommentRule, from: number): number {
    const { text } = this;
    let depth = 0;
    for (let at = from; at < text.length; ) {
      if (text.startsWith(open, at)) {
        depth++;
        at += open.length;
      } else if (text.startsWith(close, at)) {
        at += close.length;
        if (--depth === 0) return at;
      } else {
        at++;
      }
    }
    return -1;
  }
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09;
}
