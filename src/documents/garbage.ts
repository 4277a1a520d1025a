/** Removal of files that a broken-off write left behind, or that no generation in use names any more. */
import { join } from "node:path";
import {
  FILE_FOLDERS,
  FILE_TYPES,
  type FileType,
  isPublishedBaseName,
  isTemporaryBaseName,
  publishedName,
} from "../storage/file-names.js";
import type { FileSystem } from "../storage/file-system.js";
import { nodeFileSystem } from "../storage/node-file-system.js";
import { REPAIR_FOLDER, removeRepairFolder } from "../storage/repair-folder.js";
import { removeStaging, STAGING_NAME } from "./staging.js";

/**
 * Deletes temporary files, the staging file, the work folder of a repair, and segment and codec files that are not in use. Only under the writer
 * lock, with no add running. Names of any other form stay, and so does the journal of an add that did not reach its
 * end: the next add goes on with it.
 * @param inUse names relative to the folder: `Catalog.filesInUse`.
 * @returns the names that were removed, relative to the folder.
 */
export async function removeGarbage(
  folder: string,
  inUse: ReadonlySet<string>,
  fs: FileSystem = nodeFileSystem,
): Promise<string[]> {
  const removed: string[] = [];
  const names = await fs.list(folder);
  if (names.includes(STAGING_NAME)) removed.push(STAGING_NAME);
  removeStaging(folder);
  if (names.includes(REPAIR_FOLDER)) await removeRepairFolder(folder);
  for (const name of names.filter(isTemporaryBaseName)) {
    await fs.unlink(join(folder, name));
    removed.push(name);
  }
  for (const type of Object.keys(FILE_TYPES) as FileType[]) {
    const subfolder = FILE_FOLDERS[type];
    for (const base of await fs.list(join(folder, subfolder))) {
      if (!isTemporaryBaseName(base) && !isUnnamed(type, base, inUse)) continue;
      await fs.unlink(join(folder, subfolder, base));
      removed.push(`${subfolder}/${base}`);
    }
  }
  return removed;
}

function isUnnamed(type: FileType, base: string, named: ReadonlySet<string>): boolean {
  if (!isPublishedBaseName(type, base)) return false;
  return !named.has(publishedName(type, base.slice(0, 32)));
}
