/**
 * Parquet files: a document a row, by the rules of tables and records. Row groups are read one after another and in parts of
 * bounded size, through hyparquet.
 */
import { type FileHandle, open } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { AsyncBuffer, Compressors, FileMetaData, SchemaTree } from "hyparquet";
import { throwIfAborted } from "../common/abort.js";
import { ioError } from "../common/errors.js";
import type { JsonValue } from "../common/json.js";
import { importOptional } from "../common/optional-package.js";
import { damaged, UnreadableFile } from "../text/unreadable.js";
import { chooseColumns } from "./columns.js";
import { isMetadataColumn, PARSERS, toJson } from "./parquet-values.js";
import { invalidRecord, RecordProblem, recordDocument } from "./record.js";
import type { CorpusItem, RecordFile, RecordOptions } from "./types.js";
import { namingFile } from "./unreadable.js";
import { ZstdFrames } from "./zstd-frames.js";

/** Bytes without compression that are decoded at once, more or less. */
const PART_BYTES = 64 * 1024 * 1024;
/** Bytes of one column of one row group, as they lie in the file: they are in memory while its rows are read. */
const MAX_CHUNK_BYTES = 1024 * 1024 * 1024;
const MAX_PAGE_BYTES = 512 * 1024 * 1024;
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
  const compressors = await loadCompressors();
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
  const buffer = await bufferOf(handle, file.path);
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
  for (const part of partsOf(metadata)) {
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
    if (rows.length !== part.end - part.start) {
      throw new UnreadableFile(
        `the Parquet data is damaged: rows are missing after row ${done + rows.length}`,
      );
    }
    for (const row of rows) yield rowItem(row, columns, file, ++done, record);
  }
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

/** Ranges of rows inside of row groups, so many at once that their columns take about PART_BYTES. */
function* partsOf({
  row_groups: groups,
}: FileMetaData): Generator<{ readonly start: number; readonly end: number }> {
  let start = 0;
  for (const { columns, num_rows: rows } of groups) {
    const count = Number(rows);
    let bytes = 0;
    for (const { meta_data: column } of columns) {
      if (column === undefined)
        throw new UnreadableFile("the Parquet file is encrypted, or its columns lie elsewhere");
      bytes += Number(column.total_uncompressed_size);
      if (Number(column.total_compressed_size) > MAX_CHUNK_BYTES) {
        throw new UnreadableFile(
          `a row group has ${column.total_compressed_size} bytes of the column "${column.path_in_schema.join(".")}", ` +
            `at most ${MAX_CHUNK_BYTES} can be read: write it with smaller row groups`,
        );
      }
    }
    if (!Number.isSafeInteger(count) || count < 0)
      throw new UnreadableFile("the Parquet file has no count of its rows");
    const step = Math.max(1, Math.ceil(count / Math.max(1, Math.ceil(bytes / PART_BYTES))));
    for (let at = 0; at < count; at += step)
      yield { start: start + at, end: start + Math.min(count, at + step) };
    start += count;
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

async function bufferOf(handle: FileHandle, path: string): Promise<AsyncBuffer> {
  let size: number;
  try {
    ({ size } = await handle.stat());
  } catch (error) {
    throw ioError("read", path, error);
  }
  return {
    byteLength: size,
    async slice(start, end = size) {
      if (!(start >= 0 && end >= start && end <= size)) {
        throw new UnreadableFile(`the Parquet file is damaged: it names bytes ${start} to ${end} of ${size}`);
      }
      const bytes = new Uint8Array(end - start);
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await readAt(handle, path, bytes, done, start + done);
        if (bytesRead === 0) throw new UnreadableFile("the Parquet file became shorter while it was read");
        done += bytesRead;
      }
      return bytes.buffer;
    },
  };
}

async function readAt(
  handle: FileHandle,
  path: string,
  bytes: Uint8Array,
  offset: number,
  position: number,
): Promise<{ readonly bytesRead: number }> {
  try {
    return await handle.read(bytes, offset, bytes.length - offset, position);
  } catch (error) {
    throw ioError("read", path, error);
  }
}

/** Each checks what a page is said to grow to before it reserves it. */
async function loadCompressors(): Promise<Compressors> {
  const { compressors } = await importOptional(
    "hyparquet-compressors",
    PURPOSE,
    () => import("hyparquet-compressors"),
  );
  const all: Compressors = {
    ...compressors,
    GZIP: (input, length) => gunzipSync(input, { maxOutputLength: length + 1 }),
    BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: length + 1 }),
    ZSTD: (input, length) => {
      new ZstdFrames().push(input);
      return compressors.ZSTD!(input, length);
    },
  };
  return Object.fromEntries(
    Object.entries(all).map(([codec, decompress]) => [
      codec,
      (input: Uint8Array, length: number) => {
        if (!(length >= 0 && length <= MAX_PAGE_BYTES)) {
          throw new UnreadableFile(
            `a page of the Parquet file has ${length} bytes, at most ${MAX_PAGE_BYTES} are read`,
          );
        }
        return decompress(input, length);
      },
    ]),
  );
}
