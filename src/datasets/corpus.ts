/**
 * Everything that can be indexed below the paths that a user names, as documents.
 *
 * Ids: a record keeps the id that it has. Other ids are made of paths: relative to the named folder, the base name
 * of a named file, and with several named paths the base name of each folder in front.
 */
import { basename, resolve } from "node:path";
import { MaxsimError } from "../common/errors.js";
import {
  type CorpusRoot,
  holdsRecords,
  namedPrefix,
  readOrSkip,
  rootFiles,
  skippedItem,
} from "./corpus-file.js";
import type { CorpusItem, CorpusOptions } from "./types.js";

export type { CorpusItem, CorpusOptions } from "./types.js";

/**
 * Documents of files and folders, in a fixed order; a path named twice is read once. A folder with a `corpus.jsonl`
 * is a BEIR dataset, of which only that file is read. JSONL, CSV, TSV and Parquet files give a document a record, every other
 * file gives one.
 * Errors: PATH_NOT_FOUND, INVALID_INPUT, UNKNOWN_COLUMN for a table that the user named, INVALID_ARGUMENT for two
 * paths whose documents would share ids, ABORTED, IO.
 */
export async function* readCorpus(
  paths: readonly string[],
  options: CorpusOptions = {},
): AsyncGenerator<CorpusItem> {
  for (const root of corpusRoots(paths)) {
    for await (const file of rootFiles(root, options)) {
      if (file.kind === "file") yield* readOrSkip(file, options);
      else yield skippedItem(file);
    }
  }
}

/** The roots that paths name, each once. Errors: INVALID_ARGUMENT for two whose documents would share ids. */
function corpusRoots(paths: readonly string[]): CorpusRoot[] {
  const roots = [...new Set(paths.map((path) => resolve(path)))];
  checkNames(roots);
  return roots.map((path) => ({ path, prefix: roots.length > 1 ? namedPrefix(path) : "" }));
}

function checkNames(roots: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const root of roots) {
    // Records have ids of their own.
    if (holdsRecords(root)) continue;
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
