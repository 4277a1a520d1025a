/** One file of a corpus at a time: which files a root has, and the documents of each. */
import { basename, resolve } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { isMaxsimError } from "../common/errors.js";
import { formatOf, type RecordKind, recordKindOf } from "../text/formats.js";
import { type FoundFile, type SkippedFile, walkFiles } from "../text/walk.js";
import { beirCorpus } from "./beir.js";
import { readCsv } from "./csv.js";
import { missingPackage, readDocumentFile } from "./files.js";
import { readJsonl } from "./jsonl.js";
import { readParquet } from "./parquet.js";
import type { CorpusItem, CorpusOptions, RecordFile } from "./types.js";
import { unreadableReason } from "./unreadable.js";

/** A named folder or file. */
export interface CorpusRoot {
  /** Absolute. */
  readonly path: string;
  /** Stands before the relative path in the ids of files that were found in the folder, such as "docs/" or "". */
  readonly prefix: string;
}

export interface CorpusFile extends FoundFile {
  /** Id of its document, or of its records without an id, there followed by ":" and the line. */
  readonly name: string;
}

/**
 * Files of a root in the order of `walkFiles`; of a BEIR folder the corpus alone.
 * Errors: PATH_NOT_FOUND for a root that does not exist or cannot be read, ABORTED, IO.
 */
export async function* rootFiles(
  root: CorpusRoot,
  options: CorpusOptions,
): AsyncGenerator<CorpusFile | SkippedFile> {
  const path = resolve(root.path);
  for await (const found of walkFiles([(await beirCorpus(path)) ?? path], options)) {
    throwIfAborted(options.signal, "reading the corpus");
    if (found.kind === "skipped") yield found;
    else yield { ...found, name: (found.named ? "" : root.prefix) + found.relativePath };
  }
}

/** What a walk passed over, as an item of the corpus. */
export function skippedItem({ path, reason, cause }: SkippedFile): CorpusItem {
  return { kind: "skipped", path, reason, ...(cause === "unreadable" ? { failed: true } : {}) };
}

/**
 * Documents of a file. Files of records (JSONL, CSV, TSV, also compressed, and Parquet) give one a record, every other file gives one;
 * a file without text, or that cannot be read, gives its reason. A file of records that was named must be readable, and one that
 * is damaged behind its first records is an error unless `skipInvalid` lets it be.
 * Errors: INVALID_INPUT, UNKNOWN_COLUMN for a table that the user named, PACKAGE_MISSING for one that is Parquet, ABORTED, IO.
 */
export async function* readCorpusFile(file: CorpusFile, options: CorpusOptions): AsyncGenerator<CorpusItem> {
  const kind = recordKindOf(file.path);
  if (kind === undefined) {
    throwIfAborted(options.signal, "reading the corpus");
    yield await readDocumentFile(file.path, file.name, options.signal);
    return;
  }
  let read = 0;
  try {
    for await (const item of readRecords({ path: file.path, name: file.name }, kind, options)) {
      throwIfAborted(options.signal, "reading the corpus");
      read++;
      yield item;
    }
  } catch (error) {
    const skipped = skippedFile(file, error, read, options);
    if (skipped === undefined) throw error;
    yield skipped;
  }
}

/**
 * As readCorpusFile; but a file that the system does not let read is skipped with the reason, where nothing of it was read yet.
 */
export async function* readOrSkip(file: CorpusFile, options: CorpusOptions): AsyncGenerator<CorpusItem> {
  let read = 0;
  try {
    for await (const item of readCorpusFile(file, options)) {
      read++;
      yield item;
    }
  } catch (error) {
    if (read > 0 || !isMaxsimError(error) || (error.code !== "IO" && error.code !== "PATH_NOT_FOUND"))
      throw error;
    yield { kind: "skipped", path: file.path, reason: error.message, failed: true };
  }
}

/** Documents of a file, or a stream, of records. Errors: INVALID_INPUT, UNKNOWN_COLUMN, PACKAGE_MISSING, ABORTED, IO. */
export function readRecords(
  file: RecordFile,
  { format }: RecordKind,
  options: CorpusOptions,
): AsyncGenerator<CorpusItem> {
  if (format === "jsonl") return readJsonl(file, options);
  if (format === "parquet") return readParquet(file, options);
  return readCsv(file, format, options);
}

/** What a file of records is passed over for, when it may be. */
function skippedFile(
  file: CorpusFile,
  error: unknown,
  read: number,
  options: CorpusOptions,
): CorpusItem | undefined {
  if (!isMaxsimError(error)) return undefined;
  const { path } = file;
  // A table that only lies in a folder need not hold text; one that the user named must.
  const isFound = !file.named && read === 0;
  if (error.code === "UNKNOWN_COLUMN" && isFound) {
    return { kind: "skipped", path, reason: `a table without a column of text: ${error.message}` };
  }
  if (error.code === "PACKAGE_MISSING" && isFound) {
    return { kind: "skipped", path, reason: missingPackage(error), failed: true };
  }
  const reason = unreadableReason(error);
  if (reason === undefined || !(isFound || options.skipInvalid === true)) return undefined;
  const after = read === 0 ? "" : `, after ${read} of its records`;
  return { kind: "skipped", path, reason: reason + after, failed: true };
}

/** True for files of records, which give a document a record; its lines then count within the record's text. */
export function holdsRecords(path: string): boolean {
  return recordKindOf(path) !== undefined;
}

/** Two files of equal bytes give equal documents, but for id and source, when this is equal for their paths. */
export function readerOf(path: string): string {
  const kind = recordKindOf(path);
  if (kind === undefined) {
    const format = formatOf(path);
    // The name of a file of code stands over its passages.
    return format === "code" ? `code ${basename(path)}` : format;
  }
  return kind.compression === undefined ? kind.format : `${kind.format}.${kind.compression}`;
}

/** The prefix of a root among several: its base name and a slash. */
export function namedPrefix(path: string): string {
  const name = basename(path);
  return name === "" ? "" : `${name}/`;
}
