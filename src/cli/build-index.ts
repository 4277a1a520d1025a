/** Opens or makes the index that `maxsim index` writes to, adds to it, and tidies up after a failure. */
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import type { DocumentInput } from "../documents/types.js";
import { discardEmptyIndex, hasEncodedPassages, topmostNewFolder } from "../engine/discard.js";
import { Index } from "../engine/index.js";
import type { AddReport } from "../engine/options.js";
import type { OriginalAddOptions } from "../engine/writing.js";
import type { LexicalKind } from "../lexical/types.js";

export interface BuildOptions extends OriginalAddOptions {
  readonly model: string | undefined;
  readonly nbits: 1 | 2 | 4 | undefined;
  readonly lexical: LexicalKind | undefined;
  readonly seed: number | undefined;
  readonly threads: number | undefined;
  readonly logger: Logger;
}

/**
 * Adds the documents as one generation. A build that fails before the first commit of an index leaves nothing of it
 * behind, unless passages were encoded already: then the same call goes on with them. Errors: those of Index.create,
 * Index.open and Index.add; INVALID_ARGUMENT for options that the index was not made with.
 */
export async function buildIndex(
  folder: string,
  documents: AsyncIterable<DocumentInput>,
  options: BuildOptions,
): Promise<AddReport> {
  const topmost = await topmostNewFolder(folder);
  const index = await openOrCreate(folder, options);
  const { generation } = index.info();
  try {
    return await index.add(documents, options);
  } catch (error) {
    await index.close();
    // Whoever holds the lock is writing just now.
    if (isMaxsimError(error) && error.code === "LOCKED") throw error;
    const kept = await keepEncoded(folder, options.logger);
    if (!kept && generation === 0) await discard(folder, topmost, options.logger);
    throw kept && isMaxsimError(error) ? resumable(error) : error;
  } finally {
    await index.close();
  }
}

/** The error with a hint that nothing needs to be encoded again. */
function resumable(error: MaxsimError): MaxsimError {
  const { code, message, hint = "Nothing was changed." } = error;
  const kept = "What was encoded is kept: the same command goes on where it stopped.";
  return new MaxsimError(code, message, { hint: `${hint} ${kept}`, cause: error });
}

/** Whether there are encoded passages to go on with. The error that led here is the one to report, not one of this. */
async function keepEncoded(folder: string, logger: Logger): Promise<boolean> {
  try {
    return await hasEncodedPassages(folder);
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    logger.warn(`what was encoded cannot be looked at: ${error.message}`);
    return false;
  }
}

/** What cannot be removed is worth a warning: the error that led here is the one to report. */
async function discard(folder: string, topmost: string | undefined, logger: Logger): Promise<void> {
  try {
    await discardEmptyIndex(folder, topmost);
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    logger.warn(`the unfinished index in ${folder} stays: ${error.message}`);
  }
}

async function openOrCreate(folder: string, options: BuildOptions): Promise<Index> {
  const { model, nbits, lexical, seed, threads, logger } = options;
  const common = {
    logger,
    ...(threads === undefined ? {} : { threads }),
    ...(model === undefined ? {} : { model }),
  };
  let index: Index;
  try {
    index = await Index.open(folder, common);
  } catch (error) {
    if (!isMaxsimError(error) || error.code !== "INDEX_NOT_FOUND") throw error;
    return Index.create(folder, {
      ...common,
      ...(nbits === undefined ? {} : { nbits }),
      ...(lexical === undefined ? {} : { lexical }),
      ...(seed === undefined ? {} : { seed }),
    });
  }
  const made = index.info();
  const problem =
    nbits !== undefined && nbits !== made.nbits
      ? `--nbits ${nbits}: the index ${folder} was made with ${made.nbits} bits`
      : seed !== undefined && seed !== made.seed
        ? `--seed ${seed}: the index ${folder} was made with seed ${made.seed}`
        : lexical !== undefined && lexical !== made.lexical
          ? `--lexical ${lexical}: the index ${folder} was made with ${made.lexical}`
          : undefined;
  if (problem === undefined) return index;
  await index.close();
  throw new MaxsimError("INVALID_ARGUMENT", problem, {
    hint: "Leave the option out to add to this index, or name another folder with --index.",
  });
}
