/** Removal of an index that never got its first commit. */
import { Catalog } from "../documents/catalog.js";
import { removeIndexFiles } from "../documents/remove.js";
import { removeEmptyFolders, topmostMissing } from "../storage/folders.js";
import { WriterLock } from "../storage/lock.js";

/**
 * To be called before an index is made: the topmost folder that its creation will make, for discardEmptyIndex.
 * `folder` is absolute.
 */
export const topmostNewFolder = topmostMissing;

/**
 * Deletes the files of the index in `folder` when it is still at generation 0, and the folder when nothing else is
 * in it; with `topmost`, its parents up to that one as well. An index with a committed generation is left alone.
 * Returns whether it was removed. Errors: LOCKED, IO.
 */
export async function discardEmptyIndex(folder: string, topmost?: string): Promise<boolean> {
  const lock = WriterLock.acquire(folder);
  try {
    const catalog = Catalog.open(folder, { readOnly: false });
    const { generation } = catalog.snapshot();
    catalog.close();
    if (generation > 0) return false;
  } finally {
    lock.release();
  }
  await removeIndexFiles(folder);
  if (topmost !== undefined) await removeEmptyFolders(folder, topmost);
  return true;
}
