/**
 * The place where a copy of an index grows before it gets its final name: a folder beside that name, with a lock that
 * the kernel frees, so that what a crash leaves is told from what somebody else is making, and is taken over.
 *
 *   <name>.partial/write.lock     held by the owner
 *   <name>.partial/copy/          the index
 *   <name>.partial/backup.tar     the archive, when one is made
 */
import { dirname, join } from "node:path";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { FILE_FOLDERS, FILE_TYPES, type FileType } from "../storage/file-names.js";
import type { FileSystem } from "../storage/file-system.js";
import { move, pathKind, removeFile, removeIfEmpty } from "../storage/folder-moves.js";
import { makeFolders } from "../storage/folders.js";
import { HISTORY_NAME } from "../storage/history-log.js";
import { LOCK_NAME, WriterLock } from "../storage/lock.js";
import { SNAPSHOT_FOLDER } from "../storage/snapshot-lock.js";
import { CATALOG_NAME } from "./connection.js";

const COPY_NAME = "copy";
const ARCHIVE_NAME = "backup.tar";
const OWN_NAMES = new Set([LOCK_NAME, `${LOCK_NAME}-journal`, COPY_NAME, ARCHIVE_NAME]);
const CLAIM_ATTEMPTS = 5;

export class WorkFolder {
  private constructor(
    private readonly path: string,
    private readonly fs: FileSystem,
    private readonly lock: WriterLock,
  ) {}

  /** The index that is being made; an empty folder at first. */
  get copy(): string {
    return join(this.path, COPY_NAME);
  }

  /** Where an archive is written; no such file at first. */
  get archive(): string {
    return join(this.path, ARCHIVE_NAME);
  }

  /**
   * Makes the work folder `path`, or takes over what a crash left there. `path` is absolute; its parents are made.
   * Errors: LOCKED when somebody is making the same copy; TARGET_EXISTS when the folder is no work folder; IO.
   */
  static async claim(path: string, fs: FileSystem): Promise<WorkFolder> {
    await makeFolders(dirname(path));
    const lock = await claimLock(path, fs);
    const work = new WorkFolder(path, fs, lock);
    try {
      await work.clear();
      return work;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Back to an empty `copy` and no archive. */
  async clear(): Promise<void> {
    await this.removeContents();
    await this.fs.makeFolder(this.copy);
  }

  /** Makes every name in `copy` durable. */
  async sync(): Promise<void> {
    for (const subfolder of Object.values(FILE_FOLDERS)) {
      const folder = join(this.copy, subfolder);
      if ((await pathKind(folder)) === "folder") await this.fs.syncFolder(folder);
    }
    await this.fs.syncFolder(this.copy);
  }

  /**
   * Gives `copy` its final name; `target` does not exist or is an empty folder, and its parent is to be synced. Errors:
   * TARGET_EXISTS, IO.
   */
  async moveCopy(target: string): Promise<void> {
    if (!(await removeIfEmpty(target))) throw targetExists(target);
    await move(this.copy, target);
  }

  /** `moveCopy`, durably. */
  async publishCopy(target: string): Promise<void> {
    await this.moveCopy(target);
    await this.fs.syncFolder(dirname(target));
  }

  /** Gives the archive its final name, durably; there must be nothing of that name. Errors: TARGET_EXISTS, IO. */
  async publishArchive(target: string): Promise<void> {
    if (!(await this.fs.publish(this.archive, target))) throw targetExists(target);
    await this.fs.syncFolder(dirname(target));
  }

  /** Removes the folder with what is left in it, and lets go. */
  async discard(): Promise<void> {
    try {
      await this.removeContents();
      await removeFile(this.lock.path);
    } finally {
      this.lock.release();
    }
    // SQLite has taken away its journal by now. Whoever claims the folder in this moment keeps it from being empty.
    await removeIfEmpty(this.path);
  }

  /** Everything but the lock, by the names that a copy can have. */
  private async removeContents(): Promise<void> {
    await removeFile(this.archive);
    for (const suffix of ["", "-wal", "-shm", "-journal"]) {
      await removeFile(join(this.copy, CATALOG_NAME + suffix));
    }
    await removeFile(join(this.copy, HISTORY_NAME));
    const locks = join(this.copy, SNAPSHOT_FOLDER);
    for (const name of await this.fs.list(locks)) await removeFile(join(locks, name));
    await removeIfEmpty(locks);
    for (const type of Object.keys(FILE_TYPES) as FileType[]) {
      const folder = join(this.copy, FILE_FOLDERS[type]);
      for (const name of await this.fs.list(folder)) await removeFile(join(folder, name));
      await removeIfEmpty(folder);
    }
    if (!(await removeIfEmpty(this.copy))) throw foreignFiles(this.copy);
  }
}

async function claimLock(path: string, fs: FileSystem): Promise<WriterLock> {
  for (let attempt = 1; ; attempt++) {
    await fs.makeFolder(path);
    const names = await fs.list(path);
    if (!names.every((name) => OWN_NAMES.has(name))) throw foreignFiles(path);
    let lock: WriterLock | undefined;
    try {
      lock = WriterLock.acquire(path);
      // The one who finished just now may have removed the folder, or the lock file, after it was opened here.
      if ((await pathKind(lock.path)) === "file") return lock;
      lock.release();
    } catch (error) {
      lock?.release();
      if (isMaxsimError(error) && error.code === "LOCKED") throw beingMade(path, error);
      if (!isMaxsimError(error) || error.code !== "INDEX_NOT_FOUND") throw error;
    }
    if (attempt === CLAIM_ATTEMPTS) throw beingMade(path);
  }
}

function beingMade(path: string, cause?: MaxsimError): MaxsimError {
  return new MaxsimError("LOCKED", `another process works in ${path} for the same target`, {
    hint: "Wait until it is done, or choose another target.",
    cause,
  });
}

function foreignFiles(path: string): MaxsimError {
  return new MaxsimError("TARGET_EXISTS", `${path} is needed as a work folder, and holds other files`, {
    hint: "Move that folder away, or choose another target.",
  });
}

export function targetExists(target: string): MaxsimError {
  return new MaxsimError("TARGET_EXISTS", `${target} exists already`, {
    hint: "Choose a name that does not exist yet, or an empty folder.",
  });
}
