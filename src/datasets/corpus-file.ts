/** One file of a corpus at a time: which files a root has, and the documents of each. */
import { basename, resolve } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { isMaxsimError } from "../common/errors.js";
import { formatOf } from "../text/extract/index.js";
import { type FoundFile, type SkippedFile, STREAMED, walkFiles } from "../text/walk.js";
import { beirCorpus } from "./beir.js";
import { readCsv } from "./csv.js";
import { readTextFile } from "./files.js";
import { readJsonl } from "./jsonl.js";
import type { CorpusItem, CorpusOptions, RecordFile } from "./types.js";

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

/**
 * Documents of a file. JSONL, CSV and TSV files give one a record, every other text file gives one; a file without
 * text gives its reason. Errors: INVALID_INPUT, UNKNOWN_COLUMN for a table that the user named, ABORTED, IO.
 */
export async function* readCorpusFile(file: CorpusFile, options: CorpusOptions): AsyncGenerator<CorpusItem> {
  for await (const item of itemsOf(file, options)) {
    throwIfAborted(options.signal, "reading the corpus");
    yield item;
  }
}

async function* itemsOf(file: CorpusFile, options: CorpusOptions): AsyncGenerator<CorpusItem> {
  if (!STREAMED.test(file.path)) {
    yield await readTextFile(file.path, file.name);
    return;
  }
  const records: RecordFile = { path: file.path, name: file.name };
  if (/\.(?:jsonl|ndjson)$/i.test(file.path)) {
    yield* readJsonl(records, options);
    return;
  }
  try {
    yield* readCsv(records, options);
  } catch (error) {
    // A table that only lies in a folder need not hold text; one that the user named must.
    if (file.named || !isMaxsimError(error) || error.code !== "UNKNOWN_COLUMN") throw error;
    yield { kind: "skipped", path: file.path, reason: `a table without a column of text: ${error.message}` };
  }
}

/** True for files of records, which give a document a record; its lines then count within the record's text. */
export function holdsRecords(path: string): boolean {
  return STREAMED.test(path);
}

/** Two files of equal bytes give equal documents, but for id and source, when this is equal for their paths. */
export function readerOf(path: string): string {
  if (!STREAMED.test(path)) return formatOf(path);
  const extension = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  return extension === "ndjson" ? "jsonl" : extension;
}

/** The prefix of a root among several: its base name and a slash. */
export function namedPrefix(path: string): string {
  const name = basename(path);
  return name === "" ? "" : `${name}/`;
}
