/** Tables: comma- or tab-separated values with a header. */
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import type { JsonValue } from "../common/json.js";
import { chooseColumns } from "./columns.js";
import { MAX_LINE_BYTES, readChunks } from "./lines.js";
import { invalidRecord, RecordProblem, recordDocument } from "./record.js";
import type { CorpusItem, RecordFile, RecordOptions } from "./types.js";

const CARRIAGE_RETURN = Buffer.from("\r");

interface Row {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

/**
 * Documents of a table, one a row, streamed. Quoted fields may hold separators, quotes and line breaks; a stray quote
 * is text. Errors: UNKNOWN_COLUMN naming the columns found, INVALID_INPUT naming the line, IO.
 */
export async function* readCsv(
  file: RecordFile,
  format: "csv" | "tsv",
  options: RecordOptions,
): AsyncGenerator<CorpusItem> {
  const skipped: CsvError[] = [];
  const parser = parse({
    delimiter: format === "tsv" ? "\t" : ",",
    bom: true,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: options.skipInvalid === true,
    max_record_size: MAX_LINE_BYTES,
    on_skip: (error) => {
      if (error !== undefined) skipped.push(error);
    },
  });
  const source = Readable.from(withoutCarriageReturns(readChunks(file)));
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let columns: Columns | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<Row>) {
      const line = info.lines - countBreaks(record);
      if (columns === undefined) {
        const names = record.map((name) => name.trim());
        columns = { names, options: chooseColumns(file, names, options) };
        continue;
      }
      for (const error of skipped.splice(0)) yield invalidCsv(file.path, error, options);
      yield rowItem(file, columns, record, line, options);
    }
    for (const error of skipped.splice(0)) yield invalidCsv(file.path, error, options);
  } catch (error) {
    if (error instanceof CsvError) invalidCsv(file.path, error, {});
    throw error;
  } finally {
    source.destroy();
    parser.destroy();
  }
}

interface Columns {
  readonly names: readonly string[];
  readonly options: RecordOptions;
}

function rowItem(
  file: RecordFile,
  { names, options }: Columns,
  record: readonly string[],
  line: number,
  given: RecordOptions,
): CorpusItem {
  if (record.length !== names.length) {
    const reason = `the row has ${record.length} fields, the header has ${names.length}`;
    return invalidRecord(file.path, line, reason, given);
  }
  const fields = new Map<string, JsonValue>();
  names.forEach((name, i) => {
    const value = record[i]!;
    const matters = value !== "" || name === options.textColumn;
    if (name !== "" && matters && !fields.has(name)) fields.set(name, value);
  });
  try {
    return { kind: "document", document: recordDocument(fields, file, line, options) };
  } catch (error) {
    if (!(error instanceof RecordProblem)) throw error;
    return invalidRecord(file.path, line, error.message, given);
  }
}

function invalidCsv(path: string, error: CsvError, options: RecordOptions): CorpusItem {
  const lines = "lines" in error && typeof error.lines === "number" ? error.lines : 1;
  const hint = "Check the quotes: a field that begins with one ends with one, and quotes inside are doubled.";
  return invalidRecord(path, lines, error.message, options, hint);
}

/** CR LF becomes LF, also inside of quotes, where the parser would count it as two lines. */
async function* withoutCarriageReturns(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let carry = false;
  for await (const chunk of chunks) {
    const bytes: Buffer = carry ? Buffer.concat([CARRIAGE_RETURN, chunk]) : chunk;
    carry = bytes.at(-1) === 0x0d;
    const end = carry ? bytes.length - 1 : bytes.length;
    if (bytes.includes("\r\n")) {
      yield Buffer.from(bytes.subarray(0, end).toString("latin1").replaceAll("\r\n", "\n"), "latin1");
    } else if (end > 0) {
      yield bytes.subarray(0, end);
    }
  }
  if (carry) yield CARRIAGE_RETURN;
}

function countBreaks(record: readonly string[]): number {
  let breaks = 0;
  for (const field of record) if (field.includes("\n")) breaks += field.split("\n").length - 1;
  return breaks;
}
