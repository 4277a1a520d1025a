/**
 * Parquet files: a document a row, by the rules of tables and records. Row groups are read one after another and in parts of
 * bounded size, through hyparquet.
 */
import { type FileHandle, open } from "node:fs/promises";
import type { AsyncBuffer, Compressors, FileMetaData, SchemaTree } from "hyparquet";
import { throwIfAborted } from "../common/abort.js";
import { ioError } from "../common/errors.js";
import type { JsonValue } from "../common/json.js";
import { importOptional } from "../common/optional-package.js";
import { damaged, UnreadableFile } from "../text/unreadable.js";
import { chooseColumns } from "./columns.js";
import { parquetBuffer } from "./parquet-buffer.js";
import { loadCompressors } from "./parquet-compressors.js";
import { partsOf } from "./parquet-parts.js";
import { isMetadataColumn, PARSERS, toJson } from "./parquet-values.js";
import { invalidRecord, RecordProblem, recordDocument } from "./record.js";
import type { CorpusItem, RecordFile, RecordOptions } from "./types.js";
import { namingFile } from "./unreadable.js";

const MAX_FOOTER_BYTES = 128 * 1024 * 1024;

const PURPOSE = "reading Parquet files";
const HINT = "Correct the row, or leave out malformed records with --skip-invalid (skipInvalid).";

type Hyparquet = typeof import("hyparquet");

/**
 * Rows count from 1. Errors: UNKNOWN_COLUMN naming the columns found, INVALID_INPUT for a damaged file or a row without text,
 * PACKAGE_MISSING, ABORTED, IO.
 */
export async function* readParquet(
  file: RecordFile,
  options: RecordOptions & { readonly signal?: AbortSignal },
): AsyncGenerator<CorpusItem> {
  const library = await importOptional<Hyparquet>("hyparquet", PURPOSE, () => import("hyparquet"));
  const compressors = await loadCompressors(PURPOSE);
  let handle: FileHandle;
  try {
    handle = await open(file.path, "r");
  } catch (error) {
    throw ioError("read", file.path, error);
  }
  try {
    yield* readRows(library, compressors, handle, file, options);
  } catch (error) {
    throw namingFile(file.path, error);
  } finally {
    await handle.close();
  }
}

async function* readRows(
  library: Hyparquet,
  compressors: Compressors,
  handle: FileHandle,
  file: RecordFile,
  options: RecordOptions & { readonly signal?: AbortSignal },
): AsyncGenerator<CorpusItem> {
  const buffer = await parquetBuffer(handle, file.path);
  const metadata = await readFooter(library, buffer);
  const schema = schemaOf(library, metadata);
  const names = schema.map(({ element }) => element.name);
  const record = chooseColumns(file, names, options);
  const wanted = new Set([
    record.textColumn,
    record.idColumn,
    record.titleColumn,
    "_id",
    "id",
    "title",
    "url",
  ]);
  const columns = schema
    .filter((column) => wanted.has(column.element.name) || isMetadataColumn(column))
    .map(({ element }) => element.name);
  let done = 0;
  for (const part of partsOf(metadata, schema, buffer.byteLength)) {
    throwIfAborted(options.signal, "reading the corpus");
    let rows: Record<string, unknown>[];
    try {
      rows = await library.parquetReadObjects({
        ...{ file: buffer, metadata, columns, compressors, parsers: PARSERS },
        ...{ rowStart: part.start, rowEnd: part.end, utf8: false, geoparquet: false },
      });
    } catch (error) {
      throw readError(`the Parquet data from row ${part.start + 1} on`, error);
    }
    for (const row of rows) {
      // A value that is absent is null.
      if (row[record.textColumn] === undefined) throw missingRows(done);
      yield rowItem(row, columns, file, ++done, record);
    }
  }
}

function missingRows(after: number): UnreadableFile {
  return new UnreadableFile(`the Parquet data is damaged: rows are missing after row ${after}`);
}

function rowItem(
  row: Readonly<Record<string, unknown>>,
  columns: readonly string[],
  file: RecordFile,
  number: number,
  options: RecordOptions & { readonly textColumn: string },
): CorpusItem {
  const fields = new Map<string, JsonValue>();
  for (const name of columns) {
    const value = toJson(row[name]);
    if (value !== null || name === options.textColumn) fields.set(name, value);
  }
  try {
    return { kind: "document", document: recordDocument(fields, file, number, options) };
  } catch (error) {
    if (!(error instanceof RecordProblem)) throw error;
    return invalidRecord(file.path, number, error.message, options, HINT);
  }
}

async function readFooter(library: Hyparquet, buffer: AsyncBuffer): Promise<FileMetaData> {
  if (buffer.byteLength < 12) throw new UnreadableFile("it is no Parquet file: it is too short");
  const tail = new DataView(await buffer.slice(buffer.byteLength - 8));
  const magic = Buffer.from(tail.buffer, 4, 4).toString("latin1");
  if (magic === "PARE") throw new UnreadableFile("the Parquet file is encrypted");
  if (magic !== "PAR1") throw new UnreadableFile("it is no Parquet file, or its end is missing");
  const length = tail.getUint32(0, true);
  if (length > Math.min(MAX_FOOTER_BYTES, buffer.byteLength - 12)) {
    throw new UnreadableFile(`the Parquet file is damaged: its footer would have ${length} bytes`);
  }
  try {
    return await library.parquetMetadataAsync(buffer, { geoparquet: false });
  } catch (error) {
    throw readError("the footer of the Parquet file", error);
  }
}

function schemaOf(library: Hyparquet, metadata: FileMetaData): SchemaTree[] {
  try {
    return library.parquetSchema(metadata).children;
  } catch (error) {
    throw readError("the schema of the Parquet file", error);
  }
}

/** Errors of the file system pass; everything else comes from what the file says. */
function readError(what: string, error: unknown): Error {
  return error instanceof Error && error.name === "MaxsimError" ? error : damaged(what, error);
}
