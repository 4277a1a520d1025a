/**
 * Lock files as files. They are empty SQLite files, of which only the locks count that the kernel keeps for them; one with
 * something in it cannot be locked, and holds nothing worth keeping.
 */
import { lstatSync, rmSync, type Stats } from "node:fs";
import { join } from "node:path";
import { ioError, systemCode } from "../common/errors.js";
import { LOCK_NAME } from "./lock.js";
import { lockedGenerations, SNAPSHOT_FOLDER } from "./snapshot-lock.js";

export interface DamagedLock {
  /** Path relative to the index folder. */
  readonly file: string;
  readonly what: string;
}

/** Lock files of the folder that cannot be locked. Errors: IO. */
export function damagedLocks(folder: string): DamagedLock[] {
  const names = [LOCK_NAME, ...lockedGenerations(folder).map((no) => `${SNAPSHOT_FOLDER}/${no}.lock`)];
  return names.flatMap((file) => {
    const found = look(join(folder, file));
    if (found === undefined || (found.isFile() && found.size === 0)) return [];
    const what = found.isFile()
      ? `a lock file is empty, this one has ${found.size} bytes`
      : "a lock file is a regular file, this is none";
    return [{ file, what }];
  });
}

/** Removes what `damagedLocks` found: nobody can hold a lock on it. Errors: IO. */
export function removeDamagedLock(folder: string, { file }: DamagedLock): void {
  const path = join(folder, file);
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw ioError("remove", path, error);
  }
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw ioError("look at", path, error);
  }
}
