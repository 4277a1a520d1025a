/** Documents as the user sees them: in a list, or one with all that is known of it. */
import type { JsonValue } from "../../common/json.js";
import type { Colors } from "./color.js";
import { formatNumber } from "./format.js";
import { multiLine } from "./plain-text.js";
import { type RenderStyle, renderHeadedTable, renderTable } from "./table.js";

export interface ListedDocument {
  readonly id: string;
  readonly title?: string;
  readonly passages: number;
  readonly tokens: number;
  /** `path` or `path:line`. */
  readonly source?: string;
}

/** A table with a head; titles and sources only when a document has one. */
export function renderDocuments(documents: readonly ListedDocument[], style: RenderStyle): string {
  if (documents.length === 0) return "";
  const titles = documents.some(({ title }) => title !== undefined);
  const sources = documents.some(({ source }) => source !== undefined);
  const row = (id: string, title: string, passages: string, tokens: string, source: string): string[] => [
    id,
    ...(titles ? [title] : []),
    passages,
    tokens,
    ...(sources ? [source] : []),
  ];
  const rows = documents.map(({ id, title = "", passages, tokens, source = "" }) =>
    row(id, title, formatNumber(passages), formatNumber(tokens), source),
  );
  return renderHeadedTable([row("id", "title", "passages", "tokens", "source"), ...rows], style, [
    "passages",
    "tokens",
  ]);
}

export interface ShownPassage {
  /** What its lines count, such as "line" or "page". */
  readonly positionUnit: string;
  /** 0-based. */
  readonly index: number;
  readonly lineStart: number;
  readonly lineEnd: number;
  readonly tokens: number;
  readonly context: string;
  readonly text: string;
}

export interface ShownDocument extends Omit<ListedDocument, "passages"> {
  readonly url?: string;
  readonly metadata: Readonly<Record<string, JsonValue>>;
  readonly text: string;
  readonly passages: readonly ShownPassage[];
}

/** Line ranges that are named; the rest is counted. */
const SHOWN_RANGES = 6;

/** What is known of a document, an empty line, and its text, or its passages one by one. */
export function renderDocument(
  document: ShownDocument,
  { colors, passages: apart }: { readonly colors: Colors; readonly passages: boolean },
): string {
  const { id, title, url, source, metadata, passages, tokens, text } = document;
  const fields: string[][] = [
    ["id", id],
    ...(title === undefined ? [] : [["title", title]]),
    ...(url === undefined ? [] : [["url", url]]),
    ...(source === undefined ? [] : [["source", source]]),
    ...Object.entries(metadata).map(([key, value], i) => [
      i === 0 ? "metadata" : "",
      `${key}: ${JSON.stringify(value)}`,
    ]),
    ["passages", `${formatNumber(passages.length)}${ranges(passages)}`],
    ["token vectors", formatNumber(tokens)],
  ];
  const body = apart
    ? passages.map((passage) => `\n${colors.dim(passageHead(passage))}\n${ended(multiLine(passage.text))}`)
    : [`\n${ended(multiLine(text))}`];
  return renderTable(fields) + body.join("");
}

function passageHead({ index, tokens, context, positionUnit, ...lines }: ShownPassage): string {
  const after = context === "" ? "" : `, after ${JSON.stringify(context)}`;
  return multiLine(
    `passage ${index}, ${positionUnit}s ${lineRange(lines)}, ${formatNumber(tokens)} token vectors${after}`,
  );
}

function ranges(passages: readonly ShownPassage[]): string {
  if (passages.length === 0) return "";
  const more = passages.length > SHOWN_RANGES ? ", …" : "";
  return `: ${passages[0]!.positionUnit}s ${passages.slice(0, SHOWN_RANGES).map(lineRange).join(", ")}${more}`;
}

function lineRange({ lineStart, lineEnd }: Pick<ShownPassage, "lineStart" | "lineEnd">): string {
  return lineStart === lineEnd ? String(lineStart) : `${lineStart}-${lineEnd}`;
}

function ended(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
