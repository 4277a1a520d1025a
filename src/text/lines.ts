/** Positions in the source (lines of a text file, pages of a PDF) for offsets of extracted text. */
import type { LineMark } from "./types.js";

/** Answers "which line of the source does this offset come from" in O(log n). */
export class LineMap {
  private readonly newlines: number[] = [];

  /**
   * `marks` ascend by offset; without one at 0 the text starts at line 1.
   * @param breaksCount false where marks alone go to another position: a page has many lines.
   */
  constructor(
    text: string,
    private readonly marks: readonly LineMark[] = [],
    breaksCount = true,
  ) {
    if (!breaksCount) return;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.newlines.push(at);
  }

  /** 1-based line of the source in which the character at `offset` stands. */
  lineAt(offset: number): number {
    const mark = this.marks[countBelow(this.marks.length, (i) => this.marks[i]!.offset <= offset) - 1];
    const line = mark?.line ?? 1;
    return line + this.newlinesBefore(offset) - this.newlinesBefore(mark?.offset ?? 0);
  }

  private newlinesBefore(offset: number): number {
    return countBelow(this.newlines.length, (i) => this.newlines[i]! < offset);
  }
}

/** Binary search: how many of the first indexes satisfy a condition that, once false, stays false. */
export function countBelow(length: number, condition: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (condition(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
