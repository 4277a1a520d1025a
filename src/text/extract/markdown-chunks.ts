/**
 * Markdown in pieces that can be parsed alone. A parser of Markdown takes time that grows with the square of hostile
 * text, and keeps a tree many times as large as the text: pieces of bounded size bound both.
 */

export interface MarkdownChunk {
  readonly text: string;
  /** 1-based line of the source of its first line. */
  readonly line: number;
  /** Too long without a place to cut: to be read as plain text. */
  readonly oversized: boolean;
}

const TARGET = 16_384;
const LIMIT = 65_536;

const FENCE = /^\s*(?:(?:[-*+]|\d{1,9}[.)]|>)\s+)*(`{3,}(?=[^`]*$)|~{3,})/;

/** Cuts before an unindented line that follows a blank one, outside of fenced code and comments. */
export function chunkMarkdown(source: string, firstLine: number): MarkdownChunk[] {
  const chunks: MarkdownChunk[] = [];
  let start = 0;
  let startLine = firstLine;
  let line = firstLine;
  let fence = "";
  let inComment = false;
  let afterBlank = false;
  const cut = (end: number): void => {
    const text = source.slice(start, end);
    if (text.trim() !== "") chunks.push({ text, line: startLine, oversized: text.length > LIMIT });
    start = end;
    startLine = line;
  };
  for (let at = 0; at < source.length; line++) {
    const newline = source.indexOf("\n", at);
    const next = newline < 0 ? source.length : newline + 1;
    const content = next - at > 1000 ? "x" : source.slice(at, next).trimEnd();
    const isOpen = fence !== "" || inComment;
    if (afterBlank && at - start >= TARGET && /^\S/.test(content) && !isOpen) cut(at);
    // A fence that is never closed must not make one piece of all the rest.
    else if (afterBlank && at - start >= LIMIT / 2 && isOpen) {
      cut(at);
      fence = "";
      inComment = false;
    }
    if (fence === "") {
      const opens = content.lastIndexOf("<!--") > content.lastIndexOf("-->");
      inComment = opens || (inComment && !content.includes("-->"));
    }
    fence = nextFence(fence, content);
    afterBlank = content === "";
    at = next;
  }
  cut(source.length);
  return chunks;
}

/** What may be markup, in the middle of a line or at its beginning; a paragraph without any is its own text. */
const MARKUP = /[*_`~[\]<>&\\|@]|:\/\/|www\.|^(?: {4}| {0,3}(?:\t|[-+=#]|\d{1,9}[.)]))|\s$/;
const SIMPLE_HEADING = /^(#{1,6}) ((?!.*(?::\/\/|www\.))[^*_`~[\]<>&\\|#@]+)$/;
/** Blocks of HTML that go on over blank lines. */
const LONG_HTML = /<(?:script|style|pre|textarea|!|\?)/i;

/** A part of a chunk; only those of kind "markdown" need a parser. */
export interface MarkdownPiece {
  readonly kind: "markdown" | "paragraph" | "heading";
  readonly text: string;
  /** 1-based line of the source of its first line. */
  readonly line: number;
  /** Of headings. */
  readonly level?: number;
}

/**
 * Takes out of a chunk the paragraphs and headings without any markup, since a parser takes a hundred times as long
 * for them. They stand unindented between blank lines, so they end whatever was open before.
 */
export function simplePieces(chunk: MarkdownChunk): MarkdownPiece[] {
  const whole: MarkdownPiece = { kind: "markdown", text: chunk.text, line: chunk.line };
  if (LONG_HTML.test(chunk.text)) return [whole];
  const pieces: MarkdownPiece[] = [];
  const lines = chunk.text.split("\n");
  let fence = "";
  let rest = 0;
  const addRest = (end: number): void => {
    const text = lines.slice(rest, end).join("\n");
    if (text.trim() !== "") pieces.push({ kind: "markdown", text, line: chunk.line + rest });
  };
  for (let i = 0; i < lines.length; ) {
    if (lines[i]!.trim() === "") {
      i++;
      continue;
    }
    let end = i;
    let isPlain = fence === "" && !isOpenAbove(lines, i, rest);
    for (; end < lines.length && lines[end]!.trim() !== ""; end++) {
      const line = lines[end]!;
      fence = nextFence(fence, line);
      if (fence !== "" || MARKUP.test(line)) isPlain = isPlain && end === i && SIMPLE_HEADING.test(line);
      else if (isPlain && end > i && SIMPLE_HEADING.test(lines[i]!)) isPlain = false;
    }
    const heading = isPlain ? SIMPLE_HEADING.exec(lines[i]!) : null;
    if (isPlain && (heading === null || end === i + 1)) {
      addRest(i);
      const line = chunk.line + i;
      if (heading === null) pieces.push({ kind: "paragraph", text: lines.slice(i, end).join("\n"), line });
      else pieces.push({ kind: "heading", text: heading[2]!, line, level: heading[1]!.length });
      rest = end;
    }
    i = end;
  }
  addRest(lines.length);
  return pieces;
}

/** An unindented paragraph always stands alone; an indented one may belong to a list item above it. */
function isOpenAbove(lines: readonly string[], i: number, rest: number): boolean {
  return /^\s/.test(lines[i]!) && rest < i;
}

/** The fence that is open after a line, "" for none. */
function nextFence(fence: string, line: string): string {
  // Longer lines open no fence; the pattern need not look at them.
  if (line.length > 1000) return fence;
  if (fence === "") return FENCE.exec(line)?.[1] ?? "";
  const content = line.trim();
  return content.startsWith(fence) && content.replaceAll(fence[0]!, "") === "" ? "" : fence;
}

const DEFINITION = /^ {0,3}\[(?!\^)([^\]\n]{1,200})\]:[ \t]*\S.*$/gm;

/** Definitions of link targets of the whole text, by label in the form that `labelKey` gives. */
export function linkDefinitions(source: string): ReadonlyMap<string, string> {
  const definitions = new Map<string, string>();
  for (const match of source.matchAll(DEFINITION)) {
    const key = labelKey(match[1]!);
    if (!definitions.has(key) && match[0].length < 1000) definitions.set(key, match[0]);
  }
  return definitions;
}

/** The definitions that a piece of Markdown refers to, to be put above it: below, it might be open code. */
export function neededDefinitions(text: string, definitions: ReadonlyMap<string, string>): string {
  if (definitions.size === 0) return "";
  const needed = new Set<string>();
  for (const match of text.matchAll(/\[([^[\]\n]{1,200})\]/g)) {
    const definition = definitions.get(labelKey(match[1]!));
    if (definition !== undefined) needed.add(definition);
  }
  // Each stands alone: a line that only looks like a definition must not swallow the next one.
  return needed.size === 0 ? "" : `${[...needed].join("\n\n")}\n\n`;
}

function labelKey(label: string): string {
  return label.trim().replace(/\s+/g, " ").toLowerCase();
}
