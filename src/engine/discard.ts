/** Removal of an index that never got its first commit. */
import { Catalog } from "../documents/catalog.js";
import { removeIndexFiles } from "../documents/remove.js";
import { EncodeJournal } from "../storage/encode-journal.js";
import { removeEmptyFolders, topmostMissing } from "../storage/folders.js";
import { WriterLock } from "../storage/lock.js";

/**
 * To be called before an index is made: the topmost folder that its creation will make, for discardEmptyIndex.
 * `folder` is absolute.
 */
export const topmostNewFolder = topmostMissing;

/** Whether an add that did not reach its end has kept encoded passages in this folder. Errors: IO. */
export function hasEncodedPassages(folder: string): Promise<boolean> {
  return EncodeJournal.exists(folder);
}

/**
 * Deletes the files of the index in `folder` when it is still at generation 0, and the folder when nothing else is
 * in it; with `topmost`, its parents up to that one as well. An index with a committed generation is left alone, and
 * so is one with encoded passages to go on with.
 * Returns whether it was removed. Errors: LOCKED, IO.
 */
export async function discardEmptyIndex(folder: string, topmost?: string): Promise<boolean> {
  const lock = WriterLock.acquire(folder);
  try {
    const catalog = Catalog.open(folder, { readOnly: false });
    const { generation } = catalog.snapshot();
    catalog.close();
    if (generation > 0 || (await hasEncodedPassages(folder))) return false;
  } finally {
    lock.release();
  }
  await removeIndexFiles(folder);
  if (topmost !== undefined) await removeEmptyFolders(folder, topmost);
  return true;
}
