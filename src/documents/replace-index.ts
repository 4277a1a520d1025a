/**
 * Puts a finished index in the place of another one: the old folder is renamed to `<folder>.replaced`, the new one gets
 * its name, then the old one is removed. Between the two renames there is no index in `folder`; both lie beside it.
 */
import { dirname, join } from "node:path";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { FILE_FOLDERS } from "../storage/file-names.js";
import type { FileSystem } from "../storage/file-system.js";
import { move, pathKind, removeIfEmpty } from "../storage/folder-moves.js";
import { CATALOG_NAME } from "./connection.js";
import { removeIndexFiles } from "./remove.js";
import type { WorkFolder } from "./work-folder.js";

/** Where the old index waits for its removal. */
export function asidePath(folder: string): string {
  return `${folder}.replaced`;
}

export interface IndexPlace {
  /** "index" also for a damaged one; "other" for a folder that holds something else. */
  readonly holds: "nothing" | "index" | "other";
  /** True when a replacement did not come to its end: `asidePath` is there. */
  readonly interrupted: boolean;
}

/** What is in the way of an index that is to get the name `folder`. Errors: IO, INVALID_ARGUMENT for a file. */
export async function inspectPlace(folder: string, fs: FileSystem): Promise<IndexPlace> {
  const interrupted = (await pathKind(asidePath(folder))) === "folder";
  const kind = await pathKind(folder);
  if (kind === "missing") return { holds: "nothing", interrupted };
  if (kind !== "folder") {
    throw new MaxsimError("INVALID_ARGUMENT", `${folder} is not a folder`, { hint: "Name another folder." });
  }
  const names = await fs.list(folder);
  if (names.length === 0) return { holds: "nothing", interrupted };
  const isIndex = [CATALOG_NAME, ...Object.values(FILE_FOLDERS)].some((name) => names.includes(name));
  return { holds: isIndex ? "index" : "other", interrupted };
}

/**
 * The sentence for somebody who finds no index in `folder` because a replacement was cut short between its two renames;
 * undefined when that is not so.
 */
export async function interruptedReplacement(folder: string): Promise<string | undefined> {
  const aside = asidePath(folder);
  if ((await pathKind(folder)) !== "missing" || (await pathKind(join(aside, CATALOG_NAME))) !== "file") {
    return undefined;
  }
  return `A restore into ${folder} was cut short; the index from before is in ${aside}: move it back, or restore again with replace.`;
}

/**
 * Publishes `work.copy` as `folder`, in the place of the index that is there. The caller holds the writer lock of that
 * index. When it throws, the old index is in its place, or the error says where it is.
 */
export async function replaceIndex(folder: string, work: WorkFolder, fs: FileSystem): Promise<void> {
  const aside = asidePath(folder);
  await move(folder, aside);
  try {
    await fs.syncFolder(dirname(folder));
    await work.moveCopy(folder);
  } catch (error) {
    await moveBack(aside, folder, error);
    throw error;
  }
  try {
    await fs.syncFolder(dirname(folder));
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    throw new MaxsimError(error.code, `${error.message}, after the restored index got the name ${folder}`, {
      hint: `The index from before is still in ${aside}; remove it, or restore again with replace.`,
      cause: error,
    });
  }
}

async function moveBack(aside: string, folder: string, reason: unknown): Promise<void> {
  try {
    await move(aside, folder);
  } catch (error) {
    const why = reason instanceof Error ? reason.message : String(reason);
    const second = error instanceof Error ? error.message : String(error);
    throw new MaxsimError("IO", `the restored index could not get the name ${folder}: ${why}; ${second}`, {
      hint: `The index from before is complete in ${aside}: move it back by hand.`,
      cause: reason,
    });
  }
}

/**
 * Removes what a replacement put aside. Files there that belong to no index are moved into `folder`, where they were
 * before. @returns the path of what could not be removed, undefined when all is gone.
 */
export async function finishReplacement(folder: string, fs: FileSystem): Promise<string | undefined> {
  const aside = asidePath(folder);
  try {
    await removeIndexFiles(aside);
    const taken = new Set(await fs.list(folder));
    for (const name of await fs.list(aside)) {
      if (!taken.has(name)) await move(join(aside, name), join(folder, name));
    }
    const gone = await removeIfEmpty(aside);
    await fs.syncFolder(dirname(folder));
    return gone ? undefined : aside;
  } catch (error) {
    // The new index is in place and complete: what is left of the old one must not look like a failure of that.
    if (!isMaxsimError(error)) throw error;
    return (await pathKind(aside)) === "missing" ? undefined : aside;
  }
}
