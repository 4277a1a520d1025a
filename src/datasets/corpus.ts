/**
 * Everything that can be indexed below the paths that a user names, as documents.
 *
 * Ids: a record keeps the id that it has. Other ids are made of paths: relative to the named folder, the base name
 * of a named file, and with several named paths the base name of each folder in front.
 */
import { basename, resolve } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { type FoundFile, type SkippedFile, STREAMED, walkFiles } from "../text/walk.js";
import { beirCorpus } from "./beir.js";
import { readCsv } from "./csv.js";
import { readTextFile } from "./files.js";
import { readJsonl } from "./jsonl.js";
import type { CorpusItem, CorpusOptions, RecordFile } from "./types.js";

export type { CorpusItem, CorpusOptions } from "./types.js";

/**
 * Documents of files and folders, in a fixed order; a path named twice is read once. A folder with a `corpus.jsonl`
 * is a BEIR dataset, of which only that file is read. JSONL, CSV and TSV files give a document a record, every other
 * text file gives one.
 * Errors: PATH_NOT_FOUND, INVALID_INPUT, UNKNOWN_COLUMN for a table that the user named, INVALID_ARGUMENT for two
 * paths whose documents would share ids, ABORTED, IO.
 */
export async function* readCorpus(
  paths: readonly string[],
  options: CorpusOptions = {},
): AsyncGenerator<CorpusItem> {
  const roots = [...new Set(paths.map((path) => resolve(path)))];
  checkNames(roots);
  for (const root of roots) {
    const corpus = await beirCorpus(root);
    const found: AsyncIterable<FoundFile | SkippedFile> = walkFiles([corpus ?? root], options);
    for await (const file of found) {
      throwIfAborted(options.signal, "reading the corpus");
      if (file.kind === "skipped") {
        yield { kind: "skipped", path: file.path, reason: file.reason };
        continue;
      }
      const prefix = roots.length > 1 && !file.named ? `${basename(root)}/` : "";
      for await (const item of readFound(file, prefix + file.relativePath, options)) {
        throwIfAborted(options.signal, "reading the corpus");
        yield item;
      }
    }
  }
}

function checkNames(roots: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const root of roots) {
    // Records have ids of their own.
    if (STREAMED.test(root)) continue;
    const name = basename(root);
    const other = seen.get(name);
    if (other !== undefined) {
      throw new MaxsimError(
        "INVALID_ARGUMENT",
        `${other} and ${root} have the same name, so their documents would share ids`,
        { hint: "Index the folder above both, or one after the other into two indexes." },
      );
    }
    seen.set(name, root);
  }
}

async function* readFound(file: FoundFile, name: string, options: CorpusOptions): AsyncGenerator<CorpusItem> {
  if (!STREAMED.test(file.path)) {
    yield await readTextFile(file.path, name);
    return;
  }
  const records: RecordFile = { path: file.path, name };
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
