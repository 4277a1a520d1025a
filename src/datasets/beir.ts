/** Folders of the BEIR benchmark: corpus.jsonl, queries.jsonl, qrels/. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ioError, systemCode } from "../common/errors.js";

/** Path of the corpus.jsonl of a BEIR folder; undefined when the path is another folder or a file. Errors: IO. */
export async function beirCorpus(folder: string): Promise<string | undefined> {
  const path = join(folder, "corpus.jsonl");
  try {
    return (await stat(path)).isFile() ? path : undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return undefined;
    throw ioError("read", path, error);
  }
}
