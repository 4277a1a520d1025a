/** Folders and sizes that lie outside the commit protocol. */
import { statSync } from "node:fs";
import { mkdir, rmdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ioError, systemCode } from "../common/errors.js";

/** Makes a folder and its parents; one that exists is fine. */
export async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw ioError("create", path, error);
  }
}

/** The topmost folder that `makeFolders` would make; undefined when the path exists. `path` is absolute. */
export async function topmostMissing(path: string): Promise<string | undefined> {
  let missing: string | undefined;
  for (let at = path; ; at = dirname(at)) {
    try {
      await stat(at);
      return missing;
    } catch (error) {
      const code = systemCode(error);
      // Below a file nothing can be made: makeFolders will say so.
      if (code === "ENOTDIR") return missing;
      if (code !== "ENOENT") throw ioError("look at", at, error);
    }
    missing = at;
  }
}

/** Removes `path` and its parents up to `topmost`, as far as they are empty; what is gone already is fine. */
export async function removeEmptyFolders(path: string, topmost: string): Promise<void> {
  for (let at = path; ; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch (error) {
      const code = systemCode(error);
      if (code === "ENOTEMPTY" || code === "EEXIST") return;
      if (code !== "ENOENT") throw ioError("remove", at, error);
    }
    if (at === topmost || at === dirname(at)) return;
  }
}

/** Bytes of a file. */
export function fileLength(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw ioError("read", path, error);
  }
}
