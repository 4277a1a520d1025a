/**
 * Where a repair writes files until they are whole: `repair.work` in the index folder, so that a file can take the place of a
 * damaged one of the same name in one step. What a crash leaves there is of no use; the next writer removes it.
 */
import { dirname, join } from "node:path";
import { MaxsimError } from "../common/errors.js";
import {
  FILE_FOLDERS,
  FILE_TYPES,
  type FileType,
  isPublishedBaseName,
  isTemporaryBaseName,
} from "./file-names.js";
import { move, pathKind, removeFile, removeIfEmpty } from "./folder-moves.js";
import { nodeFileSystem } from "./node-file-system.js";

export const REPAIR_FOLDER = "repair.work";

/** Removes the work folder of an index as far as its files are a repair's. Errors: IO. */
export async function removeRepairFolder(indexFolder: string): Promise<void> {
  const path = join(indexFolder, REPAIR_FOLDER);
  for (const type of Object.keys(FILE_TYPES) as FileType[]) {
    const folder = join(path, FILE_FOLDERS[type]);
    for (const name of await nodeFileSystem.list(folder)) {
      if (isTemporaryBaseName(name) || isPublishedBaseName(type, name)) await removeFile(join(folder, name));
    }
    await removeIfEmpty(folder);
  }
  await removeIfEmpty(path);
}

export class RepairFolder {
  private constructor(
    private readonly indexFolder: string,
    /** Has the subfolders of an index. */
    readonly path: string,
  ) {}

  /** An empty work folder. Only under the writer lock. Errors: IO, DISK_FULL. */
  static async create(indexFolder: string): Promise<RepairFolder> {
    await removeRepairFolder(indexFolder);
    const path = join(indexFolder, REPAIR_FOLDER);
    await nodeFileSystem.makeFolder(path);
    return new RepairFolder(indexFolder, path);
  }

  /**
   * Gives a finished file its place in the index, durably; a damaged file of that name goes in the same step. Whoever has
   * that one open keeps it. Errors: IO.
   */
  async place(name: string): Promise<void> {
    const target = join(this.indexFolder, name);
    const folder = dirname(target);
    if (await nodeFileSystem.makeFolder(folder)) await nodeFileSystem.syncFolder(this.indexFolder);
    const kind = await pathKind(target);
    if (kind === "folder" && !(await removeIfEmpty(target))) {
      throw new MaxsimError("IO", `a folder is in the place of the file ${target}`, {
        hint: "Move it away and repair the index again.",
      });
    }
    await move(join(this.path, name), target);
    await nodeFileSystem.syncFolder(folder);
  }

  /** Takes a damaged file that nobody needs out of the index, durably. Errors: IO. */
  async unpublish(name: string): Promise<void> {
    const target = join(this.indexFolder, name);
    if ((await pathKind(target)) === "folder") await removeIfEmpty(target);
    else await removeFile(target);
    await nodeFileSystem.syncFolder(dirname(target));
  }

  /** Removes a file that is not wanted after all. */
  async discard(name: string): Promise<void> {
    await removeFile(join(this.path, name));
  }

  remove(): Promise<void> {
    return removeRepairFolder(this.indexFolder);
  }
}
