/** What of a Parquet file is decoded at once, after a check of what its footer says. */
import type { ColumnMetaData, FileMetaData, RowGroup, SchemaTree } from "hyparquet";
import { UnreadableFile } from "../text/unreadable.js";

/** Bytes without compression that are decoded at once, more or less, and rows at most. */
const PART_BYTES = 64 * 1024 * 1024;
const PART_ROWS = 50_000;
/** Bytes of a row group as they lie in the file: they are in memory while its rows are read. */
const MAX_GROUP_BYTES = 1024 * 1024 * 1024;

/** Rows from `start` to before `end`, counted from 0. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** Ranges of rows, each inside of one row group. Errors: UnreadableFile for a footer that does not fit the file. */
export function* partsOf(
  { row_groups: groups }: FileMetaData,
  schema: readonly SchemaTree[],
  fileBytes: number,
): Generator<RowRange> {
  let start = 0;
  for (const group of groups) {
    const { rows, bytes } = checkGroup(group, schema, fileBytes);
    const parts = Math.max(1, Math.ceil(bytes / PART_BYTES), Math.ceil(rows / PART_ROWS));
    const step = Math.max(1, Math.ceil(rows / parts));
    for (let at = 0; at < rows; at += step)
      yield { start: start + at, end: start + Math.min(rows, at + step) };
    start += rows;
  }
}

/** Rows of a group, and bytes of its columns without compression. */
function checkGroup(
  { columns, num_rows: count }: RowGroup,
  schema: readonly SchemaTree[],
  fileBytes: number,
): { readonly rows: number; readonly bytes: number } {
  const rows = Number(count);
  if (!Number.isSafeInteger(rows) || rows < 0) {
    throw new UnreadableFile("the Parquet file is damaged: a row group has no count of its rows");
  }
  let bytes = 0;
  let stored = 0;
  for (const { meta_data: column } of columns) {
    if (column === undefined) {
      throw new UnreadableFile("the Parquet file is encrypted, or its columns lie in other files");
    }
    checkColumn(column, schema, fileBytes);
    bytes += Number(column.total_uncompressed_size);
    stored += Number(column.total_compressed_size);
  }
  if (stored > MAX_GROUP_BYTES) {
    throw new UnreadableFile(
      `a row group has ${stored} bytes, at most ${MAX_GROUP_BYTES} can be read: write the file with smaller row groups`,
    );
  }
  return { rows, bytes };
}

/** The library assumes that columns are in the schema and in the file. */
function checkColumn(column: ColumnMetaData, schema: readonly SchemaTree[], fileBytes: number): void {
  const { path_in_schema: path, data_page_offset: data, dictionary_page_offset: dictionary } = column;
  const { total_compressed_size: size, total_uncompressed_size: unpacked } = column;
  const numbers = [data, size, unpacked, dictionary ?? data];
  const isLeaf = Array.isArray(path) && leafOf(path, schema);
  if (isLeaf && numbers.every((number) => typeof number === "bigint" && number >= 0n)) {
    const first = dictionary !== undefined && dictionary > 0n && dictionary < data ? dictionary : data;
    if (first + size <= fileBytes && data < fileBytes) return;
  }
  throw new UnreadableFile(
    `the Parquet file is damaged: the column ${JSON.stringify(String(path))} does not lie in it`,
  );
}

function leafOf(path: readonly string[], schema: readonly SchemaTree[]): boolean {
  let children = schema;
  for (const name of path) {
    const child = children.find(({ element }) => element.name === name);
    if (child === undefined) return false;
    children = child.children;
  }
  return path.length > 0 && children.length === 0;
}
