/**
 * HTML: what a reader sees of the text. Works on the tokens of parse5's tokenizer, without a tree, so that time stays
 * linear and nesting costs nothing, however broken the markup.
 */
import { type Token, type TokenHandler, Tokenizer, TokenizerMode } from "parse5";
import { LineMap } from "../lines.js";
import type { ExtractedText, LineMark, TextBlock } from "../types.js";
import { TextBuilder } from "./builder.js";
import { normalizeNewlines } from "./plain.js";

const names = (list: string): ReadonlySet<string> => new Set(list.split(" "));

/** Elements whose whole content is left out. */
const SKIPPED = names(
  "script style nav template noscript svg math iframe object select textarea noembed noframes",
);

/** Elements whose content the tokenizer must not read as markup. */
const RAW = names("style iframe noembed noframes");

/** Elements that begin and end a block of text. */
const BLOCKS = names(
  "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure " +
    "footer form h1 h2 h3 h4 h5 h6 head header hr html legend li main menu ol optgroup option p pre section summary " +
    "table ul listing xmp",
);

const PREFORMATTED = names("pre listing xmp");

/** Title: `<title>`, else the first `<h1>`, else the first heading. */
export function extractHtml(source: string): ExtractedText {
  const normalized = normalizeNewlines(source);
  const reader = new HtmlReader(new LineMap(normalized));
  reader.read(normalized);
  return reader.finish();
}

class HtmlReader implements TokenHandler {
  private readonly tokenizer = new Tokenizer({ sourceCodeLocationInfo: true }, this);
  private readonly output = new TextBuilder();
  private block = new OpenBlock("paragraph");
  private title: string | undefined;
  private titleParts: string[] | undefined;
  private firstHeading: { readonly text: string; readonly level: number } | undefined;
  /** The skipped element that is open, and how many of its name. */
  private skipped: { readonly name: string; depth: number } | undefined;
  private quotes = 0;
  private tables = 0;
  private rowHasCell = false;

  constructor(private readonly sourceLines: LineMap) {}

  read(source: string): void {
    this.tokenizer.write(source, true);
  }

  finish(): ExtractedText {
    this.flush("paragraph");
    return this.output.finish(this.title ?? this.firstHeading?.text);
  }

  onStartTag(token: Token.TagToken): void {
    const name = token.tagName;
    if (this.skipped !== undefined) {
      if (name === this.skipped.name && !token.selfClosing) this.skipped.depth++;
      return;
    }
    if (SKIPPED.has(name)) {
      this.skip(name, token.selfClosing);
    } else if (name === "title") {
      this.tokenizer.state = TokenizerMode.RCDATA;
      this.titleParts = [];
    } else if (name === "br") {
      this.block.breakLine();
    } else if (name === "img") {
      const alt = token.attrs.find((attribute) => attribute.name === "alt")?.value ?? "";
      this.block.addText(alt, this.lineOf(token));
    } else if (name === "tr") {
      this.block.breakLine();
      this.rowHasCell = false;
    } else if (name === "td" || name === "th") {
      this.block.addText(this.rowHasCell ? " | " : " ", this.lineOf(token));
      this.rowHasCell = true;
    } else if (BLOCKS.has(name)) {
      this.startBlock(name);
    }
  }

  onEndTag(token: Token.TagToken): void {
    const name = token.tagName;
    if (this.skipped !== undefined) {
      if (name === this.skipped.name && --this.skipped.depth === 0) this.skipped = undefined;
    } else if (name === "title") {
      this.title ??= this.titleParts?.join("").replace(/\s+/gu, " ").trim() || undefined;
      this.titleParts = undefined;
    } else if (BLOCKS.has(name)) {
      this.endBlock(name);
    }
  }

  onCharacter(token: Token.CharacterToken): void {
    if (this.skipped !== undefined) return;
    if (this.titleParts !== undefined) this.titleParts.push(token.chars);
    else this.block.addText(token.chars, this.lineOf(token));
  }

  onWhitespaceCharacter(token: Token.CharacterToken): void {
    this.onCharacter(token);
  }

  onNullCharacter(): void {}
  onComment(): void {}
  onDoctype(): void {}
  onEof(): void {}

  /** By the offset: parse5 counts a line twice where an ampersand stands at its end. */
  private lineOf(token: Token.TagToken | Token.CharacterToken): number {
    return this.sourceLines.lineAt(token.location?.startOffset ?? 0);
  }

  private skip(name: string, selfClosing: boolean): void {
    if (selfClosing && (name === "svg" || name === "math")) return;
    this.skipped = { name, depth: 1 };
    if (name === "script") this.tokenizer.state = TokenizerMode.SCRIPT_DATA;
    else if (name === "textarea") this.tokenizer.state = TokenizerMode.RCDATA;
    else if (RAW.has(name)) this.tokenizer.state = TokenizerMode.RAWTEXT;
  }

  private startBlock(name: string): void {
    const level = /^h[1-6]$/.test(name) ? Number(name[1]) : undefined;
    if (name === "blockquote") this.quotes++;
    // Cells hold paragraphs and lists; a table stays one block all the same.
    if (this.tables > 0 && level === undefined && !PREFORMATTED.has(name) && name !== "table") {
      this.block.addText(" ", 0);
      return;
    }
    if (name === "table") this.tables++;
    if (level !== undefined) this.flush("heading", level);
    else if (PREFORMATTED.has(name)) this.flush("code");
    else if (name === "li" || name === "dd" || name === "dt") this.flush("list-item");
    else this.flush(this.plainKind());
  }

  private endBlock(name: string): void {
    if (name === "blockquote") this.quotes = Math.max(0, this.quotes - 1);
    if (name === "table") this.tables = Math.max(0, this.tables - 1);
    const { kind } = this.block;
    if (this.tables > 0 && kind !== "heading" && kind !== "code" && name !== "table")
      this.block.addText(" ", 0);
    else this.flush(this.plainKind());
  }

  /** What text is that stands in no block element of its own. */
  private plainKind(): TextBlock["kind"] {
    if (this.tables > 0) return "table";
    return this.quotes > 0 ? "quote" : "paragraph";
  }

  /** Ends the open block and begins another. */
  private flush(kind: TextBlock["kind"], level?: number): void {
    const { block } = this;
    const text = block.text();
    this.output.add(block.kind, text, block.line, block.level, block.marks);
    if (block.level !== undefined && text.trim() !== "") {
      const isBetter = this.firstHeading === undefined || (block.level === 1 && this.firstHeading.level > 1);
      if (isBetter) this.firstHeading = { text: text.replace(/\s+/gu, " ").trim(), level: block.level };
    }
    this.block = new OpenBlock(kind, level);
  }
}

/** A block under construction: white space collapsed, unless it is code, and lines of the source remembered. */
class OpenBlock {
  readonly marks: LineMark[] = [];
  line = 1;
  private readonly parts: string[] = [];
  private length = 0;
  /** The source line that counting newlines from the last mark gives. */
  private expected = 0;
  private space = "";

  constructor(
    readonly kind: TextBlock["kind"],
    readonly level?: number,
  ) {}

  text(): string {
    return this.parts.join("");
  }

  breakLine(): void {
    if (this.kind === "code") this.append("\n");
    else if (this.length > 0) this.space = "\n";
  }

  /** @param line of the first character in the source; 0 for white space that is not in the source. */
  addText(chars: string, line: number): void {
    if (this.kind === "code") {
      if (line === 0) {
        if (this.length > 0) this.append(chars);
      } else if (chars !== "") {
        this.place(line, chars);
      }
      return;
    }
    let at = line;
    for (const [run] of chars.matchAll(/\s+|\S+/gu)) {
      if (run.trim() !== "") {
        if (this.length > 0 && this.space !== "") this.append(this.space);
        this.space = "";
        this.place(at, run);
      } else {
        const breaks = run.split("\n").length - 1;
        at += breaks;
        if (this.space !== "\n") this.space = breaks > 0 && this.kind !== "heading" ? "\n" : " ";
        // Only rows break lines of a table.
        if (this.kind === "table" && breaks > 0 && this.space === "\n") this.space = " ";
      }
    }
  }

  private place(line: number, text: string): void {
    if (this.length === 0) {
      this.line = line;
      this.expected = line;
    } else if (line !== this.expected) {
      this.marks.push({ offset: this.length, line });
      this.expected = line;
    }
    this.append(text);
  }

  private append(text: string): void {
    this.parts.push(text);
    this.length += text.length;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.expected++;
  }
}
