/** From the runs of characters of PDF pages to lines, paragraphs and headings. A PDF has no structure but places and sizes. */
import type { ExtractedText } from "../types.js";
import { TextBuilder } from "./builder.js";

/** A run of characters, as pdf.js gives it. */
export interface PdfRun {
  readonly str: string;
  /** `[a, b, c, d, x, y]`; the origin is the bottom left corner of the page. */
  readonly transform: readonly number[];
  /** The last one of its line. */
  readonly hasEOL: boolean;
}

export interface PdfLine {
  readonly text: string;
  /** Height of the font, in points; that of most of its characters. */
  readonly size: number;
  /** Baseline, in points from the bottom of the page. */
  readonly y: number;
}

/** Larger than the text by as much is a heading. */
const HEADING_RATIO = 1.15;
/** What is longer is text that happens to be large, in characters. */
const MAX_HEADING = 200;
/** A distance larger than the usual one by as much separates paragraphs. */
const PARAGRAPH_RATIO = 1.3;

/** Dots that lead the eye from a title to its page number. */
const LEADERS = /(?: ?\.){6,} ?/g;

/** Lines of a page in the order of its content; blank ones are left out. */
export function linesOfRuns(runs: readonly PdfRun[]): PdfLine[] {
  const lines: PdfLine[] = [];
  let open: PdfRun[] = [];
  const close = (): void => {
    const text = open.map(({ str }) => str).join("");
    const visible = open.filter(({ str }) => str.trim() !== "");
    open = [];
    if (visible.length === 0) return;
    const main = visible.reduce((best, run) => (run.str.length > best.str.length ? run : best));
    const clean = text
      .replace(/[\p{Cc}\p{Surrogate}]/gu, " ")
      .replace(/\s+/gu, " ")
      .replace(LEADERS, " ")
      .trim();
    if (clean !== "") lines.push({ text: clean, size: sizeOf(main), y: main.transform[5] ?? 0 });
  };
  for (const run of runs) {
    if (open.length > 0 && isElsewhere(run, open[0]!)) close();
    open.push(run);
    if (run.hasEOL) close();
  }
  close();
  return lines;
}

/** Another line, although the one before has no end: what is raised or lowered by less is in the line. */
function isElsewhere(run: PdfRun, first: PdfRun): boolean {
  const distance = Math.abs((run.transform[5] ?? 0) - (first.transform[5] ?? 0));
  return run.str.trim() !== "" && distance > Math.max(sizeOf(run), sizeOf(first)) / 2;
}

function sizeOf({ transform }: PdfRun): number {
  const size = Math.hypot(transform[2] ?? 0, transform[3] ?? 0);
  return Number.isFinite(size) ? Math.round(size * 10) / 10 : 0;
}

/** Text of a document; positions are page numbers. Title: the first of the largest headings of the first two pages. */
export function layoutPdf(pages: readonly (readonly PdfLine[])[], title?: string): ExtractedText {
  const body = bodySize(pages);
  const sizes = headingSizes(pages, body);
  const leading = usualLeading(pages, body);
  const output = new TextBuilder();
  let best: PdfLine | undefined;
  pages.forEach((lines, page) => {
    for (const paragraph of paragraphsOf(lines, leading)) {
      const first = paragraph[0]!;
      const text = joinLines(paragraph);
      const rank = text.length > MAX_HEADING ? -1 : sizes.indexOf(first.size);
      if (rank < 0) {
        output.add("paragraph", text, page + 1);
        continue;
      }
      const heading = text.replaceAll("\n", " ");
      output.add("heading", heading, page + 1, Math.min(6, rank + 1));
      if (page < 2 && first.size > (best?.size ?? 0)) best = { ...first, text: heading };
    }
  });
  return output.finish(title ?? best?.text);
}

/** The size that most characters have. */
function bodySize(pages: readonly (readonly PdfLine[])[]): number {
  const counts = new Map<number, number>();
  for (const { size, text } of pages.flat()) counts.set(size, (counts.get(size) ?? 0) + text.length);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [0, 0])[0];
}

/** Sizes of headings, the largest first. */
function headingSizes(pages: readonly (readonly PdfLine[])[], body: number): number[] {
  const larger = pages
    .flat()
    .filter(({ size, text }) => size >= body * HEADING_RATIO && text.length <= MAX_HEADING);
  return [...new Set(larger.map(({ size }) => size))].sort((a, b) => b - a);
}

/** Distance of two lines of a paragraph as a multiple of their size: the (lower) median. */
function usualLeading(pages: readonly (readonly PdfLine[])[], body: number): number {
  const ratios: number[] = [];
  for (const lines of pages) {
    for (let i = 1; i < lines.length; i++) {
      const gap = lines[i - 1]!.y - lines[i]!.y;
      if (lines[i]!.size === body && lines[i - 1]!.size === body && gap > 0) ratios.push(gap / body);
    }
  }
  ratios.sort((a, b) => a - b);
  return ratios[(ratios.length - 1) >> 1] ?? 1.2;
}

function paragraphsOf(lines: readonly PdfLine[], leading: number): PdfLine[][] {
  const paragraphs: PdfLine[][] = [];
  lines.forEach((line, i) => {
    const before = lines[i - 1];
    const gap = before === undefined ? 0 : before.y - line.y;
    const together =
      before !== undefined && before.size === line.size && gap <= leading * PARAGRAPH_RATIO * line.size;
    // Upwards is the next column; a sentence may go on there.
    const goesOn = gap >= 0 || !/[.!?:;]["')\]]*$/.test(before?.text ?? "");
    if (together && goesOn) paragraphs.at(-1)!.push(line);
    else paragraphs.push([line]);
  });
  return paragraphs;
}

/** Lines under each other; a word that a hyphen divides at the end of a line is made whole. */
function joinLines(lines: readonly PdfLine[]): string {
  let text = "";
  for (const { text: line } of lines) {
    const divided = /\p{L}[-\u00ad\u2010]$/u.test(text) && /^\p{Ll}/u.test(line);
    if (divided) text = text.slice(0, -1) + line;
    else text += text === "" ? line : `\n${line}`;
  }
  return text;
}
