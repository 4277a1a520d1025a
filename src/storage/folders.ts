/** Folders and sizes that lie outside the commit protocol. */
import { statSync } from "node:fs";
import { mkdir, rmdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";

/** Makes a folder and its parents; one that exists is fine. Errors: IO, DISK_FULL. `path` is absolute. */
export async function makeFolders(path: string): Promise<void> {
  // One by one: where nothing can be made (/proc), mkdir with `recursive` does not come to an end.
  const missing: string[] = [];
  for (let at = path; !(await isFolder(at)); at = dirname(at)) missing.push(at);
  for (const folder of missing.reverse()) {
    try {
      await mkdir(folder);
    } catch (error) {
      // Somebody else was faster.
      if (systemCode(error) !== "EEXIST") throw ioError("create", folder, error);
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw ioError("look at", path, error);
  }
  throw new MaxsimError("IO", `${path} is not a folder`, { hint: "Name a folder, or one that can be made." });
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

/** Bytes of a file that somebody may be removing just now: 0 when it is gone. For estimates. */
export function lengthIfPresent(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch (error) {
    throw ioError("look at", path, error);
  }
}

/** What tells a file from another one that gets its name later; undefined when there is none. Errors: IO. */
export function fileIdentity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw ioError("look at", path, error);
  }
}
