/**
 * From text to tokens. Any text gives tokens: what is never closed is no literal, and its mark a token of its own.
 * Time is linear in the length of the text.
 */
import { isSpace } from "../blocks.js";
import { Closers } from "./closers.js";
import type { Lexis, LiteralRule } from "./lexis.js";
import {
  beginsValue,
  CHARACTER,
  type HeredocKind,
  heredocAt,
  type PendingHeredoc,
  regexEnd,
} from "./literals.js";
import { CLOSE, DIRECTIVE, LITERAL, MARK, OPEN, PAIRS, Tokens, WORD } from "./tokens.js";

export function lex(text: string, lexis: Lexis): Tokens {
  return new Lexer(text, lexis).run();
}

/** A template literal that is open: where it began, and how many braces are open inside of its interpolation. */
interface Template {
  readonly offset: number;
  readonly tokens: number;
  readonly line: number;
  braces: number;
}

class Lexer {
  private readonly tokens: Tokens;
  private readonly closers: Closers;
  /** By the first character of their opening marks. */
  private readonly literals = new Map<string, readonly LiteralRule[]>();
  private readonly commentStarts: ReadonlySet<string>;
  private readonly specials: ReadonlySet<string>;
  private readonly heredocKind: HeredocKind | undefined;
  private readonly templates: Template[] = [];
  private templatesSpanLines = true;
  private heredocs: PendingHeredoc[] = [];
  /** No regular expression ends before this offset. */
  private noRegexBefore = 0;
  private at = 0;
  /** Offset of the current line. */
  private line = 0;

  constructor(
    private readonly text: string,
    private readonly lexis: Lexis,
  ) {
    this.tokens = new Tokens(text);
    this.closers = new Closers(text);
    for (const rule of lexis.literals) {
      const first = rule.open.charAt(0);
      this.literals.set(first, [...(this.literals.get(first) ?? []), rule]);
    }
    const comments = [...lexis.lineComments, ...(lexis.blockComments ?? []).map(({ open }) => open)];
    this.commentStarts = new Set(comments.map((open) => open.charAt(0)));
    this.specials = new Set(lexis.specials);
    const kinds = ["heredoc", "ruby-heredoc", "php-heredoc"] as const;
    this.heredocKind = kinds.find((kind) => this.specials.has(kind));
  }

  run(): Tokens {
    const { text } = this;
    if (this.specials.has("php-tags")) this.skipMarkup(0);
    for (;;) {
      while (this.at < text.length) this.step();
      const open = this.templates[0];
      if (open === undefined) return this.tokens;
      // Once more from the first that is open; from there on a template ends on its line.
      this.templatesSpanLines = false;
      this.templates.length = 0;
      this.heredocs = [];
      this.tokens.truncate(open.tokens, open.offset);
      this.at = open.offset;
      this.line = open.line;
    }
  }

  private step(): void {
    const { text, at } = this;
    const unit = text.charCodeAt(at);
    if (unit === 0x0a) {
      this.at = this.line = at + 1;
      if (this.heredocs.length > 0) this.takeHeredocs();
    } else if (isSpace(unit)) {
      this.at++;
    } else if (!this.takeComment() && !this.takeSpecial() && !this.takeLiteral()) {
      if (isWordUnit(unit)) this.take(WORD, wordEnd(text, at));
      else this.takeMark();
    }
  }

  private take(kind: 1 | 2 | 3 | 4 | 5 | 6, end: number): void {
    this.tokens.add(kind, this.at, end, this.line);
    this.moveTo(end);
  }

  private moveTo(end: number): void {
    const newline = this.text.slice(this.at, end).lastIndexOf("\n");
    if (newline >= 0) this.line = this.at + newline + 1;
    this.at = end;
  }

  private takeComment(): boolean {
    const { text, at, lexis } = this;
    if (!this.commentStarts.has(text.charAt(at))) return false;
    let end = -1;
    if (this.specials.has("long-brackets") && text.startsWith("--[", at)) end = this.longBracketEnd(at + 2);
    for (const rule of end < 0 ? (lexis.blockComments ?? []) : []) {
      if (!text.startsWith(rule.open, at) || (rule.wholeLines === true && at !== this.line)) continue;
      end = this.closers.afterComment(rule, at);
      if (end < 0) end = this.closers.lineEnd(at);
      break;
    }
    if (end < 0 && this.beginsLineComment()) end = this.closers.lineEnd(at);
    if (end < 0) return false;
    this.tokens.comments.push({ start: at, end });
    this.moveTo(end);
    return true;
  }

  private beginsLineComment(): boolean {
    const { text, at, lexis } = this;
    if (!lexis.lineComments.some((mark) => text.startsWith(mark, at))) return false;
    if (this.specials.has("php-tags") && text.startsWith("#[", at)) return false;
    if (lexis.commentsBeginWords !== true || at === this.line) return true;
    return /[\s;|&()]/.test(text.charAt(at - 1));
  }

  private takeLiteral(): boolean {
    const { text, at } = this;
    for (const rule of this.literals.get(text.charAt(at)) ?? []) {
      if (!text.startsWith(rule.open, at)) continue;
      const end = this.closers.afterLiteral(rule, at + rule.open.length);
      if (end < 0) continue;
      this.take(LITERAL, end);
      return true;
    }
    return false;
  }

  private takeSpecial(): boolean {
    const { text, at, specials } = this;
    if (specials.size === 0) return false;
    switch (text.charAt(at)) {
      case "`":
        return specials.has("template") && this.takeTemplate();
      case "{":
        if (this.templates.length > 0) this.templates.at(-1)!.braces++;
        return false;
      case "}":
        return this.templates.length > 0 && this.closeInterpolation();
      case "/":
        return specials.has("regex") && beginsValue(this.tokens) && this.takeRegex();
      case "'":
        CHARACTER.lastIndex = at;
        return specials.has("character") && CHARACTER.test(text) && this.takeTo(CHARACTER.lastIndex);
      case "<":
        return this.heredocKind !== undefined && this.takeHeredocMark(this.heredocKind);
      case "r":
      case "b":
        return specials.has("rust-raw") && this.takeMarked(/b?r(#*)"/y, (hashes) => `"${hashes}`);
      case "R":
        return specials.has("cpp-raw") && this.takeMarked(/R"([^()\\\s"]{0,16})\(/y, (mark) => `)${mark}"`);
      case "[":
        return specials.has("long-brackets") && this.takeTo(this.longBracketEnd(at));
      case "$":
        return specials.has("dollar-quotes") && this.takeMarked(/\$(\w*)\$/y, (tag) => `$${tag}$`);
      case "#":
        return specials.has("directive") && this.takeDirective();
      case "?":
        if (!specials.has("php-tags") || !text.startsWith("?>", at)) return false;
        this.skipMarkup(at);
        return true;
      default:
        return false;
    }
  }

  private takeTo(end: number): boolean {
    if (end > this.at) this.take(LITERAL, end);
    return end >= 0;
  }

  private takeRegex(): boolean {
    if (this.at < this.noRegexBefore) return false;
    const end = regexEnd(this.text, this.at);
    if (end < 0) this.noRegexBefore = this.closers.lineEnd(this.at);
    return this.takeTo(end);
  }

  /** A literal whose opening holds a mark of its own choice that closes it. */
  private takeMarked(opening: RegExp, closing: (mark: string) => string): boolean {
    opening.lastIndex = this.at;
    const match = opening.exec(this.text);
    return match !== null && this.takeTo(this.closers.after(closing(match[1]!), opening.lastIndex));
  }

  private longBracketEnd(at: number): number {
    const opening = /\[(=*)\[/y;
    opening.lastIndex = at;
    const match = opening.exec(this.text);
    return match === null ? -1 : this.closers.after(`]${match[1]}]`, opening.lastIndex);
  }

  private takeDirective(): boolean {
    const last = this.tokens.length - 1;
    if (last >= 0 && this.tokens.end(last) > this.line) return false;
    let end = this.closers.lineEnd(this.at);
    while (this.text.charCodeAt(end - 1) === 0x5c && end < this.text.length)
      end = this.closers.lineEnd(end + 1);
    this.take(DIRECTIVE, end);
    return true;
  }

  private takeTemplate(): boolean {
    if (!this.templatesSpanLines) {
      const rule = ONE_LINE_TEMPLATE;
      return this.takeTo(this.closers.afterLiteral(rule, this.at + 1));
    }
    this.templates.push({ offset: this.at, tokens: this.tokens.length, line: this.line, braces: 0 });
    this.takeTemplatePart(this.at + 1);
    return true;
  }

  /** Up to the end of the innermost template, or into its next interpolation. */
  private takeTemplatePart(from: number): void {
    const { text } = this;
    for (let at = from; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit === 0x5c) {
        at++;
      } else if (unit === 0x60) {
        this.templates.pop();
        this.take(LITERAL, at + 1);
        return;
      } else if (unit === 0x24 && text.charCodeAt(at + 1) === 0x7b) {
        if (at > this.at) this.take(LITERAL, at);
        this.take(OPEN, at + 2);
        return;
      }
    }
    this.at = text.length;
  }

  private closeInterpolation(): boolean {
    const template = this.templates.at(-1)!;
    if (template.braces > 0) {
      template.braces--;
      return false;
    }
    this.take(CLOSE, this.at + 1);
    this.takeTemplatePart(this.at);
    return true;
  }

  private takeHeredocMark(kind: HeredocKind): boolean {
    const found = heredocAt(this.text, this.at, kind);
    if (found === undefined) return false;
    if (kind !== "php-heredoc") {
      this.heredocs.push(found);
      this.take(LITERAL, found.end);
      return true;
    }
    const from = this.closers.lineEnd(found.end) + 1;
    return this.takeTo(this.closers.afterLineOf(found.word, from, true, false));
  }

  private takeHeredocs(): void {
    const pending = this.heredocs;
    this.heredocs = [];
    for (const { word, indented } of pending) {
      const end = this.closers.afterLineOf(word, this.at, indented, true);
      if (end < 0) continue;
      this.take(LITERAL, end);
      if (this.text.charCodeAt(this.at) === 0x0a) this.at = this.line = this.at + 1;
    }
  }

  /** Up to the next opening tag: markup is one literal. */
  private skipMarkup(from: number): void {
    const tag = this.closers.after("<?", from);
    const end = tag < 0 ? this.text.length : tag;
    if (end > from) this.take(LITERAL, end);
    if (this.text.startsWith("php", this.at)) this.at += 3;
    else if (this.text.startsWith("=", this.at)) this.at += 1;
  }

  private takeMark(): void {
    const { text, at, lexis } = this;
    const character = text.charAt(at);
    const isBracket = lexis.looseBrackets !== true;
    const two = text.slice(at, at + 2);
    const quoted = two === "\\'" || two === '\\"' || two === "\\`";
    if (isBracket && "([{".includes(character)) this.take(OPEN, at + 1);
    else if (isBracket && ")]}".includes(character)) this.take(CLOSE, at + 1);
    else this.take(MARK, quoted || PAIRS.has(two) ? at + 2 : at + 1);
  }
}

const ONE_LINE_TEMPLATE: LiteralRule = { open: "`", close: "`", escape: "backslash" };

/** Letters, digits, _ and $, and everything beyond ASCII. */
function isWordUnit(unit: number): boolean {
  return (
    (unit >= 0x61 && unit <= 0x7a) ||
    (unit >= 0x41 && unit <= 0x5a) ||
    (unit >= 0x30 && unit <= 0x39) ||
    unit === 0x5f ||
    unit === 0x24 ||
    (unit >= 0x80 && !isSpace(unit))
  );
}

function wordEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && isWordUnit(text.charCodeAt(at))) at++;
  return at;
}
