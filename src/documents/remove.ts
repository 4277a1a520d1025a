/** Removal of a whole index: its own files only, whatever else lies in the folder. */
import { rmSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { ioError, systemCode } from "../common/errors.js";
import { JOURNAL_NAME } from "../storage/encode-journal.js";
import {
  FILE_FOLDERS,
  FILE_TYPES,
  type FileType,
  isPublishedBaseName,
  isTemporaryBaseName,
} from "../storage/file-names.js";
import { HISTORY_NAME } from "../storage/history-log.js";
import { LOCK_NAME } from "../storage/lock.js";
import { nodeFileSystem } from "../storage/node-file-system.js";
import { removeRepairFolder } from "../storage/repair-folder.js";
import { isSnapshotLockName, SNAPSHOT_FOLDER } from "../storage/snapshot-lock.js";
import { CATALOG_NAME } from "./connection.js";
import { removeStaging } from "./staging.js";

/**
 * Deletes every file that an index consists of, and the folders that are empty then. No process may have the index
 * open. The catalog goes first: what a crash leaves is no index any more.
 */
export async function removeIndexFiles(folder: string): Promise<void> {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) removeFile(join(folder, CATALOG_NAME + suffix));
  removeStaging(folder);
  removeFile(join(folder, JOURNAL_NAME));
  for (const suffix of ["", "-journal"]) removeFile(join(folder, LOCK_NAME + suffix));
  removeFile(join(folder, HISTORY_NAME));
  await unlinkMatching(folder, isTemporaryBaseName);
  for (const type of Object.keys(FILE_TYPES) as FileType[]) {
    const subfolder = join(folder, FILE_FOLDERS[type]);
    await unlinkMatching(subfolder, (name) => isTemporaryBaseName(name) || isPublishedBaseName(type, name));
    await removeEmptyFolder(subfolder);
  }
  await removeRepairFolder(folder);
  await unlinkMatching(join(folder, SNAPSHOT_FOLDER), isSnapshotLockName);
  await removeEmptyFolder(join(folder, SNAPSHOT_FOLDER));
  await removeEmptyFolder(folder);
}

function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw ioError("remove", path, error);
  }
}

async function unlinkMatching(folder: string, matches: (name: string) => boolean): Promise<void> {
  for (const name of (await nodeFileSystem.list(folder)).filter(matches)) {
    await nodeFileSystem.unlink(join(folder, name));
  }
}

async function removeEmptyFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT") throw ioError("remove", path, error);
  }
}
