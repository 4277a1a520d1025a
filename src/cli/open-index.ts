/** Opens the index that a command line names. */
import { describe } from "../common/check.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { CatalogView } from "../engine/catalog-view.js";
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

/** Opens the catalog of that index for looking; errors as CatalogView.open, with a hint about the command line. */
export function openView(option: string | undefined): CatalogView {
  try {
    return CatalogView.open(indexFolder(option));
  } catch (error) {
    throw hintToBuild(error, option);
  }
}

/** The error for an id that the index does not have, with ids that resemble it. */
export function unknownDocument(view: CatalogView, id: string): MaxsimError {
  const nearest = view.nearestIds(id).map((near) => JSON.stringify(near));
  return new MaxsimError("UNKNOWN_DOCUMENT", `the index ${view.folder} has no document ${describe(id)}`, {
    hint: nearest.length === 0 ? "See the ids with: maxsim list" : `Did you mean ${nearest.join(" or ")}?`,
  });
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
