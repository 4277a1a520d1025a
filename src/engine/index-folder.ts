/** Whether the folder of an index is still the one that was opened; a restore may have put another in its place. */
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { Catalog } from "../documents/catalog.js";
import { interruptedReplacement } from "../documents/replace-index.js";
import { fileIdentity } from "../storage/folders.js";

/** Errors: those of `Catalog.open`; INDEX_NOT_FOUND says so when a restore was cut short. */
export async function openForReading(folder: string): Promise<Catalog> {
  try {
    return Catalog.open(folder, { readOnly: true });
  } catch (error) {
    if (!isMaxsimError(error) || error.code !== "INDEX_NOT_FOUND") throw error;
    const hint = await interruptedReplacement(folder);
    if (hint === undefined) throw error;
    throw new MaxsimError("INDEX_NOT_FOUND", error.message, { hint, cause: error });
  }
}

/** Errors: INDEX_EXISTS when a restore into the folder was cut short: what was there before is not lost. */
export async function requireNoReplacement(folder: string): Promise<void> {
  const hint = await interruptedReplacement(folder);
  if (hint === undefined) return;
  throw new MaxsimError("INDEX_EXISTS", `there was an index in ${folder}, which a restore was to replace`, {
    hint,
  });
}

/** Remembers the catalog's file, and notices that another one has its name. */
export class OpenedFolder {
  private readonly identity: string | undefined;

  constructor(private readonly catalog: Catalog) {
    this.identity = fileIdentity(catalog.path);
  }

  /** Errors: CLOSED. */
  check(): void {
    if (fileIdentity(this.catalog.path) === this.identity) return;
    throw new MaxsimError(
      "CLOSED",
      `the index ${this.catalog.folder} was replaced or removed since it was opened`,
      { hint: "Close this object and open the index again." },
    );
  }
}
