/**
 * reStructuredText, line by line: sections, paragraphs, lists, literal blocks and tables; directives lose their
 * machinery and keep what is text. What it does not know stays text.
 */
import type { ExtractedText, LineMark, TextBlock } from "../types.js";
import { TextBuilder } from "./builder.js";
import { normalizeNewlines } from "./plain.js";
import { cleanInline } from "./rst-inline.js";

const names = (list: string): ReadonlySet<string> => new Set(list.split(" "));

const CODE_DIRECTIVES = names(
  "code code-block sourcecode parsed-literal testcode testoutput doctest prompt productionlist math",
);

/** Directives without text of their own. */
const SILENT_DIRECTIVES = names(
  "toctree contents image include literalinclude raw index highlight meta currentmodule module default-role " +
    "sectnum role autoclass automodule autofunction automethod autosummary tabularcolumns graphviz only-if",
);

const RULE = /^([!-/:-@[-`{-~])\1{2,}$/;
const TABLE_RULE = /^(?:\+[-=+]+\+|=+(?: +=+)+)$/;
const BULLET = /^(?:[-*+•]|\(?(?:\d{1,6}|#|[a-zA-Z])[.)])\s+(?=\S)/;
const DIRECTIVE = /^\.\. (?:\|[^|]{1,100}\| )?([\w][\w:.+-]*)::(?:\s+(.*))?$/;
const OPTION = /^:[\w][\w -]*:(?:\s|$)/;

/** Directives indented further are text; bounds the depth of nesting. */
const MAX_INDENT = 400;

/** Title: the first section title. */
export function extractRst(source: string): ExtractedText {
  const reader = new RstReader(normalizeNewlines(source).split("\n"));
  reader.read(0, reader.lineCount, 0, "paragraph");
  return reader.finish(reader.firstHeading);
}

class RstReader extends TextBuilder {
  firstHeading: string | undefined;
  private readonly source: readonly string[];
  /** Underline styles in order of appearance; the place is the level. */
  private readonly styles: string[] = [];

  constructor(lines: readonly string[]) {
    super();
    this.source = lines.map((line) => line.trimEnd());
  }

  get lineCount(): number {
    return this.source.length;
  }

  /** Reads lines [from, to) whose text is indented by `indent`. */
  read(from: number, to: number, indent: number, kind: TextBlock["kind"]): void {
    for (let i = from; i < to; ) {
      const line = this.source[i]!;
      if (line === "") i++;
      else i = this.readBlock(i, to, indent, kind);
    }
  }

  private readBlock(i: number, to: number, indent: number, kind: TextBlock["kind"]): number {
    const own = indentOf(this.source[i]!);
    const line = this.source[i]!.slice(own);
    const next = i + 1 < to ? this.source[i + 1]! : "";
    if (own === 0) {
      const heading = this.readHeading(i, to);
      if (heading > i) return heading;
    }
    if (line === ".." || line.startsWith(".. ")) return this.readExplicit(i, to, own, line, kind);
    if (line === "__" || line.startsWith("__ ")) return i + 1;
    if (TABLE_RULE.test(line)) return this.readTable(i, to);
    if (line.startsWith(">>> ")) return this.readParagraphAs("code", i, to);
    if (RULE.test(line) && next === "") return i + 1;
    const bullet = BULLET.exec(line)?.[0].length;
    if (bullet !== undefined) return this.readText(i, to, own, bullet, "list-item");
    return this.readText(i, to, own, 0, own > indent && kind === "paragraph" ? "quote" : kind);
  }

  /** A title over a line of punctuation at least as long, or between two; returns the line after it, or `i`. */
  private readHeading(i: number, to: number): number {
    const first = this.source[i]!;
    const second = i + 1 < to ? this.source[i + 1]! : "";
    const third = i + 2 < to ? this.source[i + 2]! : "";
    if (RULE.test(first) && second !== "" && third === first && !RULE.test(second)) {
      return this.addHeading(second, i + 1, `${first[0]}${first[0]}`, i + 3);
    }
    if (!RULE.test(first) && RULE.test(second) && second.length + 1 >= Math.min(first.length, 80)) {
      return this.addHeading(first, i, second[0]!, i + 2);
    }
    return i;
  }

  private addHeading(title: string, line: number, style: string, next: number): number {
    if (!this.styles.includes(style)) this.styles.push(style);
    const text = cleanInline(title).trim();
    if (text !== "") this.firstHeading ??= text;
    this.add("heading", text, line + 1, Math.min(6, this.styles.indexOf(style) + 1));
    return next;
  }

  /** Directives, comments, targets, footnotes: everything that begins with two dots. */
  private readExplicit(i: number, to: number, own: number, line: string, kind: TextBlock["kind"]): number {
    const end = this.indentedEnd(i + 1, to, own);
    const directive = DIRECTIVE.exec(line);
    if (directive === null) {
      const note = /^\.\. \[[^\]]{1,60}\]\s+(.*)$/.exec(line);
      if (note !== null) this.readBody(i + 1, end, kind, `${note[1]}`, i);
      return end;
    }
    const name = directive[1]!.slice(directive[1]!.lastIndexOf(":") + 1).toLowerCase();
    if (SILENT_DIRECTIVES.has(name)) return end;
    let body = i + 1;
    while (body < end && OPTION.test(this.source[body]!.trim())) body++;
    if (CODE_DIRECTIVES.has(name)) {
      this.addCode(body, end);
    } else {
      const isFigure = name === "figure" || name === "csv-table" || name === "list-table";
      this.readBody(body, end, kind, isFigure ? "" : (directive[2] ?? ""), i);
    }
    return end;
  }

  /** The argument of a directive, if it has one, and then its indented lines. */
  private readBody(from: number, end: number, kind: TextBlock["kind"], argument: string, line: number): void {
    const text = [argument];
    let next = from;
    // The argument goes on in the lines right below it.
    while (argument !== "" && next < end && this.source[next] !== "")
      text.push(this.source[next++]!.trimStart());
    this.add(kind, cleanInline(text.join("\n")), line + 1);
    const first = this.source.slice(next, end).find((text) => text !== "");
    if (first === undefined) return;
    if (indentOf(first) > MAX_INDENT) this.add(kind, this.source.slice(next, end).join("\n"), next + 1);
    else this.read(next, end, indentOf(first), kind);
  }

  /** A paragraph, or an item of a list: the lines up to a blank one, or to another indentation or item. */
  private readText(i: number, to: number, own: number, bullet: number, kind: TextBlock["kind"]): number {
    const text = [this.source[i]!.slice(own + bullet)];
    let end = i + 1;
    for (; end < to; end++) {
      const line = this.source[end]!;
      const indent = indentOf(line);
      if (line === "" || indent < own) break;
      if (bullet > 0 && indent <= own) break;
      if (bullet === 0 && indent > own && kind !== "list-item" && kind !== "quote" && text.length > 1) break;
      if (kind === "list-item" && BULLET.test(line.slice(indent))) break;
      text.push(line.slice(indent));
    }
    const isLiteral = text.at(-1)!.endsWith("::");
    if (isLiteral) text[text.length - 1] = withoutColons(text.at(-1)!);
    this.add(kind, cleanInline(text.join("\n")), i + 1);
    if (!isLiteral) return end;
    const literalEnd = this.indentedEnd(end, to, own);
    this.addCode(end, literalEnd);
    return Math.max(literalEnd, end);
  }

  private readTable(i: number, to: number): number {
    const isGrid = this.source[i]!.trimStart().startsWith("+");
    let text = "";
    const marks: LineMark[] = [];
    let end = i;
    let rules = 0;
    for (; end < to; end++) {
      const line = this.source[end]!.trim();
      if (line === "" && (isGrid || rules >= 3 || end + 1 >= to)) break;
      if (/^[+|=\- ]+$/.test(line) && /^[+=-]/.test(line)) {
        rules++;
        // A simple table ends with its third rule, or with its second where the header has none.
        if (!isGrid && rules >= 2 && (this.source[end + 1] ?? "") === "") {
          end++;
          break;
        }
        continue;
      }
      marks.push({ offset: text.length, line: end + 1 });
      const cells = isGrid ? line.replace(/^\||\|$/g, "").split("|") : line.split(/ {2,}/);
      text += `${cells.map((cell) => cleanInline(cell.trim())).join(" | ")}\n`;
    }
    this.add("table", text, marks[0]?.line ?? i + 1, undefined, marks);
    return Math.max(end, i + 1);
  }

  private readParagraphAs(kind: TextBlock["kind"], i: number, to: number): number {
    let end = i;
    while (end < to && this.source[end] !== "") end++;
    this.add(kind, this.source.slice(i, end).join("\n"), i + 1);
    return end;
  }

  private addCode(from: number, end: number): void {
    const lines = this.source.slice(from, end);
    const indent = lines.reduce(
      (least, line) => (line === "" ? least : Math.min(least, indentOf(line))),
      1e9,
    );
    this.add("code", lines.map((line) => line.slice(indent)).join("\n"), from + 1);
  }

  /** The line after the last one from `i` that is blank or indented by more than `own`. */
  private indentedEnd(i: number, to: number, own: number): number {
    let end = i;
    while (end < to && (this.source[end] === "" || indentOf(this.source[end]!) > own)) end++;
    return end;
  }
}

/** "Example::" reads "Example:"; colons on their own go. */
function withoutColons(line: string): string {
  const text = line.slice(0, -2);
  return text === "" || /\s$/.test(text) ? text.trimEnd() : `${text}:`;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
