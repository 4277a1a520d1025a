/** Folders of the BEIR benchmark: corpus.jsonl, queries.jsonl, qrels/. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";

/** Path of the corpus.jsonl of a BEIR folder; undefined when the path is another folder or a file. Errors: IO. */
export async function beirCorpus(folder: string): Promise<string | undefined> {
  return existingFile(join(folder, "corpus.jsonl"));
}

export interface BeirCollection {
  /** Path of the documents; undefined where there is no corpus.jsonl. */
  readonly corpus: string | undefined;
  readonly queries: string;
  readonly qrels: string;
  /** Which judgements `qrels` are, such as "test". */
  readonly split: string;
}

const DEFAULT_SPLIT = "test";

/**
 * The files of a BEIR folder. `split` names one of qrels/*.tsv; default "test", or the only one that there is.
 * Errors: PATH_NOT_FOUND naming what is missing, INVALID_ARGUMENT for a split that does not exist, IO.
 */
export async function beirCollection(folder: string, split?: string): Promise<BeirCollection> {
  const queries = await existingFile(join(folder, "queries.jsonl"));
  const splits = await splitsOf(folder);
  if (queries === undefined || splits.length === 0) {
    const missing = queries === undefined ? "queries.jsonl" : "qrels/*.tsv";
    throw new MaxsimError("PATH_NOT_FOUND", `${folder} is no BEIR folder: there is no ${missing} in it`, {
      hint: "A BEIR folder holds corpus.jsonl, queries.jsonl and qrels/test.tsv; name other files with --queries, --qrels and --corpus.",
    });
  }
  const only = splits.length === 1 ? splits[0] : undefined;
  const wanted = split ?? (splits.includes(DEFAULT_SPLIT) ? DEFAULT_SPLIT : only);
  if (wanted === undefined || !splits.includes(wanted)) {
    const found = wanted === undefined ? `no split ${DEFAULT_SPLIT}` : `no split ${JSON.stringify(wanted)}`;
    throw new MaxsimError("INVALID_ARGUMENT", `${folder} has ${found}, found ${splits.join(", ")}`, {
      hint: `Name one of them: --split ${splits[0]}`,
    });
  }
  return {
    corpus: await beirCorpus(folder),
    queries,
    qrels: join(folder, "qrels", `${wanted}.tsv`),
    split: wanted,
  };
}

/** Names of the files qrels/*.tsv, sorted; none without that folder. */
async function splitsOf(folder: string): Promise<string[]> {
  const path = join(folder, "qrels");
  try {
    const names = await readdir(path);
    return names.flatMap((name) => /^(.+)\.tsv$/.exec(name)?.[1] ?? []).sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw ioError("read", path, error);
  }
}

async function existingFile(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).isFile() ? path : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw ioError("read", path, error);
  }
}

function isAbsent(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR" || code === "EACCES";
}
