/** Where in a file something stands: files of text have lines, others have pages, cells and the like. */
import { formatOf, recordKindOf } from "./formats.js";

/**
 * What the positions (`lineStart`, `lineEnd`, `LineMark.line`, `source.line`) of a document count, from 1: lines of a text file,
 * pages of a PDF, cells of a notebook, chapters of an EPUB (files of its reading order), paragraphs of a Word document, rows
 * of a Parquet file.
 */
export type PositionUnit = "line" | "page" | "cell" | "chapter" | "paragraph" | "row";

const UNITS: Readonly<Record<string, PositionUnit>> = {
  pdf: "page",
  notebook: "cell",
  epub: "chapter",
  docx: "paragraph",
};

/** The unit of the positions inside of a document, by the path that it came from; lines where there is none. */
export function positionUnitOf(path: string | undefined): PositionUnit {
  if (path === undefined || recordKindOf(path) !== undefined) return "line";
  return UNITS[formatOf(path)] ?? "line";
}

/** Whether a line break inside of a document goes to the next position, as it does where positions count lines. */
export function breaksCount(unit: PositionUnit): boolean {
  return unit === "line" || unit === "paragraph";
}

/** Whether a passage lies at one position alone, so that it opens there: pages and chapters are long enough for that. */
export function staysApart(unit: PositionUnit): boolean {
  return unit === "page" || unit === "chapter";
}

/** The unit that counts the documents of a file of records. */
export function recordUnitOf(path: string): PositionUnit {
  return recordKindOf(path)?.format === "parquet" ? "row" : "line";
}

/** A place as people write it: `notes.md:12`, `paper.pdf#page=3`. Viewers open a PDF at the page that its link names. */
export function formatPlace(path: string, unit: PositionUnit, position: number): string {
  return unit === "line" ? `${path}:${position}` : `${path}#${unit}=${position}`;
}

/**
 * Where a hit opens: a record at the record, everything else at the beginning of the passage.
 * @param shown the path as it is to be written.
 */
export function placeOfPassage(
  source: { readonly path: string; readonly line?: number },
  lineStart: number,
  shown: string = source.path,
): string {
  if (source.line !== undefined) return formatPlace(shown, recordUnitOf(source.path), source.line);
  return formatPlace(shown, positionUnitOf(source.path), lineStart);
}
