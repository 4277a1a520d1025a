/** Removal of an index that never got its first commit. */
import { join } from "node:path";
import { Catalog } from "../documents/catalog.js";
import { removeIndexFiles } from "../documents/remove.js";
import { WriterLock } from "../storage/lock.js";

/**
 * Deletes the files of the index in `folder` when it is still at generation 0, and the folder when nothing else is
 * in it. An index with a committed generation is left alone. Returns whether it was removed.
 */
export async function discardEmptyIndex(folder: string): Promise<boolean> {
  const lock = WriterLock.acquire(folder);
  try {
    const catalog = Catalog.open(folder, { readOnly: false });
    const { generation } = catalog.snapshot();
    catalog.close();
    if (generation > 0) return false;
  } finally {
    lock.release();
  }
  await removeIndexFiles(join(folder));
  return true;
}
