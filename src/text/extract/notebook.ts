/** Jupyter notebooks: Markdown cells as Markdown, code cells as code; outputs are left out. Positions are cell numbers. */
import type { JsonValue } from "../../common/json.js";
import type { ExtractedText } from "../types.js";
import { UnreadableFile } from "../unreadable.js";
import { TextBuilder } from "./builder.js";
import { extractMarkdown } from "./markdown.js";
import { normalizeNewlines } from "./plain.js";

const MAX_CELLS = 100_000;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Formats 3 and 4 of notebooks. Cells count from 1, those without text as well. Title: the one of the notebook's metadata, else the
 * first heading. Metadata: `language` of the kernel. Errors: UnreadableFile for what is no notebook, or has no cells.
 */
export function extractNotebook(source: string): ExtractedText {
  const notebook = parseNotebook(source);
  const cells = cellsOf(notebook);
  if (cells.length === 0) throw new UnreadableFile("the notebook has no cells");
  if (cells.length > MAX_CELLS) {
    throw new UnreadableFile(`the notebook has ${cells.length} cells, at most ${MAX_CELLS} are read`);
  }
  const output = new TextBuilder();
  let firstHeading: string | undefined;
  cells.forEach((cell, i) => {
    const text = normalizeNewlines(textOf(cell, i + 1));
    const kind = cell.cell_type;
    if (kind === "markdown") {
      const markdown = extractMarkdown(text);
      for (const { kind, start, end, level } of markdown.blocks) {
        output.add(kind, markdown.text.slice(start, end), i + 1, level);
      }
      firstHeading ??= markdown.title;
    } else if (kind === "heading") {
      const level = typeof cell.level === "number" ? Math.min(6, Math.max(1, Math.trunc(cell.level))) : 1;
      const heading = text.replace(/\s+/gu, " ").trim();
      if (heading !== "") firstHeading ??= heading;
      output.add("heading", heading, i + 1, level);
    } else {
      output.add(kind === "code" ? "code" : "paragraph", text, i + 1);
    }
  });
  const { title, language } = labelsOf(notebook);
  return output.finish(title ?? firstHeading, language === undefined ? undefined : { language });
}

function parseNotebook(source: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(source.charCodeAt(0) === 0xfeff ? source.slice(1) : source);
  } catch (error) {
    throw new UnreadableFile(`the notebook is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!isObject(value)) throw new UnreadableFile("it is no notebook: a JSON object was expected");
  return value;
}

/** Cells of format 4 stand in the notebook, those of format 3 in its worksheets. */
function cellsOf(notebook: JsonObject): JsonObject[] {
  const lists = Array.isArray(notebook.worksheets)
    ? notebook.worksheets.map((sheet: unknown) => (isObject(sheet) ? sheet.cells : undefined))
    : [notebook.cells];
  const cells = lists.flatMap((list: unknown): unknown[] => {
    if (Array.isArray(list)) return list;
    throw new UnreadableFile('it is no notebook: a list "cells" was expected');
  });
  return cells.map((cell, i) => {
    if (isObject(cell)) return cell;
    throw new UnreadableFile(`cell ${i + 1} of the notebook is no JSON object`);
  });
}

/** The source of a cell: a string or a list of lines, called `input` in code cells of format 3. */
function textOf(cell: JsonObject, number: number): string {
  const source = cell.source ?? cell.input ?? "";
  if (typeof source === "string") return source;
  if (Array.isArray(source) && source.every((line) => typeof line === "string")) return source.join("");
  throw new UnreadableFile(`the source of cell ${number} is neither a string nor a list of strings`);
}

function labelsOf(notebook: JsonObject): { readonly title?: string; readonly language?: JsonValue } {
  const metadata = isObject(notebook.metadata) ? notebook.metadata : {};
  const kernel = isObject(metadata.kernelspec) ? metadata.kernelspec.language : undefined;
  const info = isObject(metadata.language_info) ? metadata.language_info.name : undefined;
  const language = [kernel, info].find((name) => typeof name === "string" && name !== "");
  const title = typeof metadata.title === "string" ? metadata.title.trim() : "";
  return {
    ...(title === "" ? {} : { title }),
    ...(typeof language === "string" ? { language } : {}),
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
