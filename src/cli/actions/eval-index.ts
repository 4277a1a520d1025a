/** The index that `maxsim eval` searches: built from the corpus once, and used again while nothing that decides it has changed. */
import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ioError, isMaxsimError, MaxsimError, systemCode } from "../../common/errors.js";
import type { Logger } from "../../common/logger.js";
import type { ProgressListener } from "../../common/progress.js";
import { PACKAGE_VERSION } from "../../common/version.js";
import { readCorpus } from "../../datasets/corpus.js";
import { CatalogView } from "../../engine/catalog-view.js";
import { createSettings } from "../../engine/create-settings.js";
import { Index } from "../../engine/index.js";
import { makeFolders } from "../../storage/folders.js";
import { hashFile } from "../../storage/publish.js";
import { buildIndex } from "../build-index.js";
import type { EvalIndexOptions } from "../commands/eval.js";
import { type CommandContext, indexFolder, shownPath } from "../context.js";
import { openIndex, requireDocuments } from "../open-index.js";
import { commandCorpus } from "../read-corpus.js";

/** Below the working folder, like the default index. */
export const EVAL_ROOT = "index-data/eval";
/** In the folder of an index that was built for an evaluation. */
const RECORD_NAME = "evaluation.json";
const DEFAULT_NBITS = 4;

export interface EvalIndexRequest {
  /** Of the collection. */
  readonly name: string;
  readonly corpus: string | undefined;
  readonly options: EvalIndexOptions;
  readonly logger: Logger;
  readonly onProgress: ProgressListener;
  /** Says in a line what is done. */
  readonly say: (line: string) => void;
}

/**
 * Opens the index of `--index`, or the one that the corpus gets below index-data/eval; where there is none yet, it is built. One
 * that was built for an evaluation of another corpus, model or number of bits is refused; one that was not is used as it is.
 * Errors: those of Index.open and maxsim index; INVALID_ARGUMENT.
 */
export async function evaluationIndex(request: EvalIndexRequest, context: CommandContext): Promise<Index> {
  const { corpus, options, logger } = request;
  const opening = { logger, ...modelAndThreads(options) };
  if (corpus === undefined) {
    const index = await openIndex(options.index, { ...opening, warm: true });
    return requireFilled(index);
  }
  const fingerprint = await fingerprintOf(corpus, options, context.signal);
  const cached = `${request.name}-${options.nbits ?? DEFAULT_NBITS}bit-${fingerprint.slice(0, 8)}`;
  const folder = options.index === undefined ? resolve(EVAL_ROOT, cached) : indexFolder(options.index);
  const known = await readRecord(folder);
  if (known !== undefined && known !== fingerprint) {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `the index ${shownPath(folder)} was built from another corpus, with another model, or with other options`,
      { hint: "Name another folder with --index, or remove this one." },
    );
  }
  if (known === undefined && generationOf(folder) !== undefined) {
    request.say(`${shownPath(folder)} was not built by maxsim eval, and is used as it is`);
    return requireFilled(await openIndex(options.index, { ...opening, warm: true }));
  }
  await build({ ...request, corpus }, folder, fingerprint, context);
  return requireFilled(await Index.open(folder, { ...opening, warm: true }));
}

/** Does nothing when the index is complete. What an interruption left is taken up. */
async function build(
  { corpus, options, logger, onProgress, say }: EvalIndexRequest & { readonly corpus: string },
  folder: string,
  fingerprint: string,
  context: CommandContext,
): Promise<void> {
  if ((generationOf(folder) ?? 0) > 0) return;
  say(`building ${shownPath(folder)} from ${shownPath(corpus)}`);
  // Before the index: one without the record would count as somebody's own.
  await makeFolders(folder);
  await writeRecord(folder, fingerprint, corpus);
  const { documents, origin, skipped } = commandCorpus([resolve(corpus)], folder, {}, {}, context);
  const { model, nbits, threads } = options;
  const { signal } = context;
  await buildIndex(folder, documents, {
    model,
    nbits,
    threads,
    lexical: undefined,
    seed: undefined,
    logger,
    origin,
    signal,
    onProgress,
  });
  const left = skipped.files.length + skipped.records.length;
  if (left > 0) logger.warn(`${left} files or records of ${shownPath(corpus)} could not be read`);
}

/** What decides what is in the index: SHA-256 of the documents, the settings and the version, hexadecimal. */
async function fingerprintOf(
  corpus: string,
  { model, nbits }: EvalIndexOptions,
  signal: AbortSignal,
): Promise<string> {
  const path = resolve(corpus);
  const wanted = { ...(model === undefined ? {} : { model }), ...(nbits === undefined ? {} : { nbits }) };
  const [settings, documents] = await Promise.all([createSettings(wanted), hashCorpus(path, signal)]);
  // The name of a model is only where it was found.
  const deciding = [PACKAGE_VERSION, { ...settings, model: settings.model?.fingerprint }, documents];
  return createHash("sha256").update(JSON.stringify(deciding)).digest("hex");
}

/** A single file by its bytes, which is faster; a folder by what is read from it. */
async function hashCorpus(path: string, signal: AbortSignal): Promise<string> {
  if (await isFile(path)) return (await hashFile(path)).sha256;
  const hash = createHash("sha256");
  for await (const item of readCorpus([path], { signal })) {
    if (item.kind !== "document") continue;
    const { id, text, title, url, metadata } = item.document;
    hash.update(JSON.stringify([id, text, title, url, metadata]));
  }
  return hash.digest("hex");
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") {
      throw new MaxsimError("PATH_NOT_FOUND", `there is no corpus ${path}`, {
        hint: "Name a file or folder that exists.",
        cause: error,
      });
    }
    throw ioError("read", path, error);
  }
}

/** Of the index in a folder; undefined when there is none. Errors: FORMAT_TOO_NEW, CORRUPT, IO. */
function generationOf(folder: string): number | undefined {
  let view: CatalogView;
  try {
    view = CatalogView.open(folder);
  } catch (error) {
    if (isMaxsimError(error) && error.code === "INDEX_NOT_FOUND") return undefined;
    throw error;
  }
  const { generation } = view;
  view.close();
  return generation;
}

async function requireFilled(index: Index): Promise<Index> {
  try {
    requireDocuments(index);
    return index;
  } catch (error) {
    await index.close();
    throw error;
  }
}

function modelAndThreads({ model, threads }: EvalIndexOptions): { model?: string; threads?: number } {
  return { ...(model === undefined ? {} : { model }), ...(threads === undefined ? {} : { threads }) };
}

/** The fingerprint that an index was built for; undefined for one without a record. Errors: INVALID_INPUT, IO. */
async function readRecord(folder: string): Promise<string | undefined> {
  const path = join(folder, RECORD_NAME);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw ioError("read", path, error);
  }
  const fingerprint = /"fingerprint":\s*"([0-9a-f]{64})"/.exec(text)?.[1];
  if (fingerprint !== undefined) return fingerprint;
  throw new MaxsimError("INVALID_INPUT", `${path} holds no fingerprint`, {
    hint: "Remove that file to have the index used as it is.",
  });
}

async function writeRecord(folder: string, fingerprint: string, corpus: string): Promise<void> {
  const path = join(folder, RECORD_NAME);
  try {
    await writeFile(path, `${JSON.stringify({ fingerprint, corpus: resolve(corpus) }, null, 2)}\n`);
  } catch (error) {
    throw ioError("write", path, error);
  }
}

/** Whether the index was made with words, which lexical search needs. Errors: those of Index.search. */
export async function hasWords(index: Index): Promise<boolean> {
  try {
    await index.search("a", { mode: "lexical", k: 1 });
    return true;
  } catch (error) {
    if (isMaxsimError(error) && error.code === "NO_LEXICAL_INDEX") return false;
    throw error;
  }
}
