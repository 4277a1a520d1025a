/** Folders that get another name, and files that are made durable or removed, outside the commit protocol. */
import { type FileHandle, open, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
import { ioError, systemCode } from "../common/errors.js";

export type PathKind = "missing" | "folder" | "file" | "other";

/** What a path names; links are followed. Errors: IO. */
export async function pathKind(path: string): Promise<PathKind> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return "folder";
    return found.isFile() ? "file" : "other";
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return "missing";
    throw ioError("look at", path, error);
  }
}

/**
 * Gives a file or folder another name on the same file system. A folder may take the place of an empty one, never of one
 * that holds something. The folders above are to be synced. Errors: IO.
 */
export async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    throw ioError("move", `${from} to ${to}`, error);
  }
}

/** Removes a file; one that is not there is fine. Errors: IO. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw ioError("remove", path, error);
  }
}

/** Removes a folder when it is empty; false when something is in it. One that is not there is fine. Errors: IO. */
export async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return true;
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw ioError("remove", folder, error);
  }
}

/** Makes the bytes of a file durable that something else wrote. Errors: IO. */
export async function syncFile(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r+");
    await handle.sync();
  } catch (error) {
    throw ioError("sync", path, error);
  } finally {
    await handle?.close();
  }
}

/** The path without symbolic links; as it is when it does not exist. Errors: IO. */
export async function withoutLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return path;
    throw ioError("look at", path, error);
  }
}
