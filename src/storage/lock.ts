/**
 * The writer lock: a small SQLite file of its own, held in an exclusive transaction. The kernel frees it when the
 * process dies, however it dies, so it never goes stale; a second process, a second thread and a second holder in
 * the same thread are all refused. Node has no flock(), and files with process ids in them go stale.
 */
import { join } from "node:path";
import Database from "better-sqlite3";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";

export const LOCK_NAME = "write.lock";

export class WriterLock {
  private constructor(
    private readonly db: Database.Database,
    readonly path: string,
  ) {}

  /** Takes the lock of an index folder at once or not at all. Errors: LOCKED, INDEX_NOT_FOUND, IO. */
  static acquire(folder: string): WriterLock {
    const path = join(folder, LOCK_NAME);
    let db: Database.Database | undefined;
    try {
      db = new Database(path, { timeout: 0 });
      // The file holds nothing, so it needs no journal beside it.
      db.pragma("journal_mode = MEMORY");
      db.exec("BEGIN EXCLUSIVE");
      return new WriterLock(db, path);
    } catch (error) {
      db?.close();
      throw lockFailure(folder, path, error);
    }
  }

  /** Lets go; a second call does nothing. The file stays: removing it could free a lock that another one took. */
  release(): void {
    this.db.close();
  }
}

function lockFailure(folder: string, path: string, error: unknown): MaxsimError {
  const code = systemCode(error);
  if (code?.startsWith("SQLITE_BUSY")) {
    return new MaxsimError("LOCKED", `the index ${folder} is being written to by another writer`, {
      hint: "Wait until it is done, or close the other Index object; readers are not affected.",
      cause: error,
    });
  }
  if (code?.startsWith("SQLITE_NOTADB") || code?.startsWith("SQLITE_CORRUPT")) {
    return new MaxsimError("CORRUPT", `${path} is not a lock file`, {
      hint: "Delete this one file while no process uses the index; it holds no data.",
      cause: error,
    });
  }
  // better-sqlite3 throws a plain TypeError for a folder that is not there.
  if (error instanceof TypeError) {
    return new MaxsimError("INDEX_NOT_FOUND", `there is no index folder ${folder}`, {
      hint: "Check the path, or build an index there first.",
      cause: error,
    });
  }
  return ioError("lock", path, error);
}
