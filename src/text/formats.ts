/** What kind of file a path is, by its name alone. */
import { CODE_EXTENSIONS } from "./code/extensions.js";

/** Formats of which a file is one document and its bytes are text. */
export type TextFormat = "plain" | "markdown" | "rst" | "html" | "code";

/** Formats of which a file is one document that a reader of its own takes apart. */
export type RichFormat = "pdf" | "docx" | "epub" | "notebook";

export type DocumentFormat = TextFormat | RichFormat;

/** Formats of which a file holds many documents. */
export type RecordFormat = "jsonl" | "csv" | "tsv" | "parquet";

/** How a file of records is compressed. */
export type Compression = "gzip" | "zstd";

export interface RecordKind {
  readonly format: RecordFormat;
  readonly compression?: Compression;
}

const FORMATS: ReadonlyMap<string, DocumentFormat> = new Map([
  ["md", "markdown"],
  ["mdx", "markdown"],
  ["markdown", "markdown"],
  ["mdown", "markdown"],
  ["mkd", "markdown"],
  ["rst", "rst"],
  ["rest", "rst"],
  ["html", "html"],
  ["htm", "html"],
  ["xhtml", "html"],
  ["pdf", "pdf"],
  ["docx", "docx"],
  ["docm", "docx"],
  ["epub", "epub"],
  ["ipynb", "notebook"],
  ...[...CODE_EXTENSIONS].map((extension) => [extension, "code"] as const),
]);

const RICH: ReadonlySet<DocumentFormat> = new Set<RichFormat>(["pdf", "docx", "epub", "notebook"]);

const RECORDS = /\.(?:(jsonl|ndjson|csv|tsv)(?:\.(gz|zst))?|(parquet))$/i;

/** The format that the extension of a path tells, in any case; plain text for an unknown one. */
export function formatOf(path: string): DocumentFormat {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "plain" : (FORMATS.get(name.slice(dot + 1).toLowerCase()) ?? "plain");
}

export function isRich(format: DocumentFormat): format is RichFormat {
  return RICH.has(format);
}

/** The kind of a file of records, such as `data.jsonl` and `data.csv.gz`; undefined for a file that is one document. */
export function recordKindOf(path: string): RecordKind | undefined {
  const match = RECORDS.exec(path);
  if (match === null) return undefined;
  const extension = (match[1] ?? match[3])!.toLowerCase();
  const format = extension === "ndjson" ? "jsonl" : (extension as RecordFormat);
  const compression = match[2]?.toLowerCase();
  if (compression === undefined) return { format };
  return { format, compression: compression === "gz" ? "gzip" : "zstd" };
}
