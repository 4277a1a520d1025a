/** Opens the index that a command line names. */
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { Index } from "../engine/index.js";
import type { OpenOptions } from "../engine/options.js";
import { indexFolder, shownPath } from "./context.js";

/** Opens the index of `--index`, or the default one; errors as Index.open, with a hint about the command line. */
export async function openIndex(option: string | undefined, options: OpenOptions): Promise<Index> {
  const folder = indexFolder(option);
  try {
    return await Index.open(folder, options);
  } catch (error) {
    throw hintToBuild(error, option);
  }
}

/** The error; one of an index that is not there with a hint about the command line. `option` is that of `--index`. */
export function hintToBuild(error: unknown, option: string | undefined): unknown {
  if (!isMaxsimError(error) || error.code !== "INDEX_NOT_FOUND") return error;
  const place = option === undefined ? "" : ` --index ${shownPath(indexFolder(option))}`;
  return new MaxsimError(error.code, error.message, {
    hint: `Build one with: maxsim index <paths...>${place}${option === undefined ? ", or name another folder with --index." : ""}`,
    cause: error,
  });
}

/** An error for an index without documents. */
export function requireDocuments(index: Index): void {
  if (index.info().documents > 0) return;
  throw new MaxsimError("EMPTY_CORPUS", `the index ${index.folder} holds no documents`, {
    hint: "Fill it with: maxsim index <paths...>",
  });
}
