/** Markdown (CommonMark and GitHub's extensions): the text a reader sees, block by block, with its source lines. */
import type { Nodes, PhrasingContent, Root, Table } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { findParagraphs } from "../blocks.js";
import type { ExtractedText, LineMark, TextBlock } from "../types.js";
import { TextBuilder } from "./builder.js";
import { parseFrontMatter } from "./front-matter.js";
import { extractHtml } from "./html.js";
import {
  chunkMarkdown,
  linkDefinitions,
  type MarkdownPiece,
  neededDefinitions,
  simplePieces,
} from "./markdown-chunks.js";
import { normalizeNewlines } from "./plain.js";

/** More nested quotes than this on a line are no quotes; the parser's time grows with their square. */
const MAX_QUOTES = /^(?:[ \t]*>){100}/m;

/** A paragraph with more marks of emphasis than this has none: matching them takes time that grows with their square. */
const MAX_EMPHASIS_MARKS = 2000;

/** Title: of the front matter, else the first heading. Metadata: the other keys of the front matter. */
export function extractMarkdown(source: string): ExtractedText {
  const text = normalizeNewlines(source);
  const front = parseFrontMatter(text);
  const body = front === undefined ? text : text.slice(front.end);
  const firstLine = front === undefined ? 1 : text.slice(0, front.end).split("\n").length;
  const chunks = chunkMarkdown(body, firstLine);
  const definitions = linkDefinitions(body);
  const writer = new MarkdownWriter();
  for (const chunk of chunks) {
    if (chunk.oversized) writer.addPlain(chunk);
    else for (const piece of simplePieces(chunk)) writer.addPiece(piece, definitions);
  }
  const { title, ...metadata } = front?.metadata ?? {};
  const frontTitle = typeof title === "string" || typeof title === "number" ? String(title) : undefined;
  return writer.finish(frontTitle ?? writer.firstHeading, front === undefined ? undefined : metadata);
}

/** Undefined for what must not or cannot be parsed: it is read as plain text. */
function parse(text: string): Root | undefined {
  if (MAX_QUOTES.test(text) || hasEndlessEmphasis(text)) return undefined;
  try {
    return fromMarkdown(text, {
      extensions: [gfm()],
      mdastExtensions: [gfmFromMarkdown()],
    });
  } catch {
    // The parser's stack or its own assertions; the text is still worth finding.
    return undefined;
  }
}

function hasEndlessEmphasis(text: string): boolean {
  if (text.length <= MAX_EMPHASIS_MARKS) return false;
  return text.split(/\n[ \t]*\n/).some((paragraph) => {
    let marks = 0;
    for (const _ of paragraph.matchAll(/[*_~]/g)) if (++marks > MAX_EMPHASIS_MARKS) return true;
    return false;
  });
}

class MarkdownWriter extends TextBuilder {
  firstHeading: string | undefined;

  addPlain({ text, line }: { readonly text: string; readonly line: number }): void {
    let at = 0;
    let current = line;
    for (const { kind, start, end } of findParagraphs(text)) {
      for (let next = text.indexOf("\n", at); next >= 0 && next < start; next = text.indexOf("\n", at)) {
        at = next + 1;
        current++;
      }
      this.add(kind, text.slice(start, end), current);
    }
  }

  addPiece(piece: MarkdownPiece, definitions: ReadonlyMap<string, string>): void {
    const { kind, text, line, level } = piece;
    if (kind === "markdown") {
      const above = neededDefinitions(text, definitions);
      const tree = parse(above + text);
      if (tree === undefined) this.addPlain(piece);
      else {
        // What looked like a definition and is none, such as CSS in a code block, is a paragraph of its own there.
        tree.children = tree.children.filter((node) => (node.position?.start.offset ?? 0) >= above.length);
        this.addTree(tree, above + text, line - (above.split("\n").length - 1));
      }
    } else {
      if (kind === "heading") this.firstHeading ??= text.trim();
      this.add(kind, text, line, level);
    }
  }

  private addTree(tree: Root, source: string, firstLine: number): void {
    // An explicit stack, since nesting has no bound; the next node is last.
    const pending: Array<{ node: Nodes; kind: TextBlock["kind"] }> = [{ node: tree, kind: "paragraph" }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { node, kind } = next;
      const line = (node.position?.start.line ?? 1) + firstLine - 1;
      switch (node.type) {
        case "root":
        case "list":
        case "footnoteDefinition":
          pending.push(...node.children.map((child) => ({ node: child as Nodes, kind })).reverse());
          break;
        case "listItem":
          pending.push(
            ...node.children.map((child) => ({ node: child as Nodes, kind: "list-item" as const })).reverse(),
          );
          break;
        case "blockquote":
          pending.push(
            ...node.children.map((child) => ({ node: child as Nodes, kind: "quote" as const })).reverse(),
          );
          break;
        case "heading": {
          const text = phrasingText(node.children).replace(/\s+/gu, " ").trim();
          if (text !== "") this.firstHeading ??= text;
          this.add("heading", text, line, node.depth);
          break;
        }
        case "paragraph":
          this.add(kind, phrasingText(node.children), line);
          break;
        case "code": {
          const isFenced = /^[`~]/.test(source.slice(node.position?.start.offset ?? 0));
          this.add("code", node.value, isFenced ? line + 1 : line);
          break;
        }
        case "table":
          this.addTable(node, firstLine);
          break;
        case "html":
          this.addHtml(kind, node.value, line);
          break;
        default:
          break;
      }
    }
  }

  private addHtml(kind: TextBlock["kind"], html: string, line: number): void {
    const { text, lines } = extractHtml(html);
    this.add(
      kind,
      text,
      line,
      undefined,
      lines.map((mark) => ({ offset: mark.offset, line: mark.line + line - 1 })),
    );
  }

  private addTable(table: Table, firstLine: number): void {
    let text = "";
    const marks: LineMark[] = [];
    for (const row of table.children) {
      marks.push({ offset: text.length, line: (row.position?.start.line ?? 1) + firstLine - 1 });
      const cells = row.children.map((cell) => phrasingText(cell.children).replace(/\s+/gu, " ").trim());
      text += `${cells.join(" | ")}\n`;
    }
    this.add("table", text, marks[0]?.line ?? firstLine, undefined, marks);
  }
}

/** Links give their text, images their description, code its characters; markup and inline HTML tags go. */
function phrasingText(children: readonly PhrasingContent[]): string {
  let text = "";
  const pending: PhrasingContent[] = [...children].reverse();
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.type === "text" || node.type === "inlineCode") text += node.value;
    else if (node.type === "image" || node.type === "imageReference") text += node.alt ?? "";
    else if (node.type === "break") text += "\n";
    else if ("children" in node) pending.push(...[...node.children].reverse());
  }
  return text;
}
