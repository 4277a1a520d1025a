/** Puts extracted text together block by block and remembers where each came from. */
import type { JsonValue } from "../../common/json.js";
import type { ExtractedText, LineMark, TextBlock } from "../types.js";

export class TextBuilder {
  private readonly parts: string[] = [];
  private readonly blocks: TextBlock[] = [];
  private readonly lines: LineMark[] = [];
  private length = 0;

  /**
   * Adds a block, one blank line after the one before, a list item on the line after another; a blank block is left out.
   * @param line 1-based source line of the first character of `text`.
   * @param marks further marks: offsets in `text`.
   */
  add(
    kind: TextBlock["kind"],
    text: string,
    line: number,
    level?: number,
    marks: readonly LineMark[] = [],
  ): void {
    const end = text.trimEnd();
    const body = kind === "code" ? end.replace(/^(?:[^\S\n]*\n)+/, "") : end.trimStart();
    if (body === "") return;
    const dropped = end.length - body.length;
    const skippedLines = newlines(end.slice(0, dropped));
    if (this.length > 0) this.push(kind === "list-item" && this.blocks.at(-1)?.kind === kind ? "\n" : "\n\n");
    const start = this.length;
    this.mark(start, lineWithin(marks, line, skippedLines, dropped));
    for (const { offset, line: at } of marks) {
      if (offset > dropped && offset < end.length) this.mark(start + offset - dropped, at);
    }
    this.push(body);
    this.blocks.push({ kind, start, end: this.length, ...(level === undefined ? {} : { level }) });
  }

  finish(title?: string, metadata?: Readonly<Record<string, JsonValue>>): ExtractedText {
    return {
      text: this.parts.join(""),
      blocks: this.blocks,
      lines: this.lines,
      ...(title === undefined || title === "" ? {} : { title }),
      ...(metadata === undefined ? {} : { metadata }),
    };
  }

  private push(text: string): void {
    this.parts.push(text);
    this.length += text.length;
  }

  private mark(offset: number, line: number): void {
    this.lines.push({ offset, line });
  }
}

/** The line at `dropped`, the first character that is kept. */
function lineWithin(marks: readonly LineMark[], line: number, skippedLines: number, dropped: number): number {
  const mark = marks.findLast(({ offset }) => offset <= dropped);
  return mark === undefined ? line + skippedLines : mark.line;
}

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
