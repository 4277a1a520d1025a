/**
 * Locks of readers: who reads a generation shares the lock of `snapshots/<generation>.lock`, a small SQLite file. The
 * kernel frees it when the process dies. The writer removes what a generation needs only when it gets that lock for
 * itself alone.
 *
 * A reader takes the lock of the newest generation, then looks again whether it still is the newest: files of the
 * newest generation are never removed, and from then on the lock protects them.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";

export const SNAPSHOT_FOLDER = "snapshots";

/** The writer holds a lock alone only while it removes the file. */
const BUSY_TIMEOUT_MS = 10_000;

const NAME = /^(0|[1-9]\d{0,15})\.lock$/;

export function isSnapshotLockName(name: string): boolean {
  return NAME.test(name);
}

function lockPath(folder: string, generation: number): string {
  return join(folder, SNAPSHOT_FOLDER, `${generation}.lock`);
}

export class SnapshotLock {
  private constructor(
    private readonly db: Database.Database,
    readonly generation: number,
  ) {}

  /** Shares the lock of a generation. A damaged lock file, which nobody can hold, is replaced. Errors: LOCKED, IO. */
  static hold(folder: string, generation: number): SnapshotLock {
    const path = lockPath(folder, generation);
    try {
      return SnapshotLock.share(folder, path, generation);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      remove(path);
      return SnapshotLock.share(folder, path, generation);
    }
  }

  private static share(folder: string, path: string, generation: number): SnapshotLock {
    let db: Database.Database | undefined;
    try {
      mkdirSync(join(folder, SNAPSHOT_FOLDER), { recursive: true });
      db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
      // A read within a transaction takes SQLite's shared lock and keeps it; the file stays empty.
      db.exec("BEGIN");
      db.prepare("SELECT count(*) FROM sqlite_schema").get();
      return new SnapshotLock(db, generation);
    } catch (error) {
      db?.close();
      if (systemCode(error)?.startsWith("SQLITE_BUSY") === true) {
        throw new MaxsimError(
          "LOCKED",
          `cannot share the lock ${path}: another process keeps it for itself`,
          {
            hint: "Try again.",
            cause: error,
          },
        );
      }
      throw ioError("lock", path, error);
    }
  }

  /** Lets go; a second call does nothing. */
  release(): void {
    this.db.close();
  }
}

/** Generations that have a lock file, ascending, held or not. */
export function lockedGenerations(folder: string): number[] {
  const subfolder = join(folder, SNAPSHOT_FOLDER);
  try {
    return readdirSync(subfolder)
      .filter(isSnapshotLockName)
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw ioError("list", subfolder, error);
  }
}

/**
 * Removes the lock file of a generation that nobody reads; only under the writer lock and for generations before the
 * newest. False when a reader holds it.
 */
export function removeFreeLock(folder: string, generation: number): boolean {
  const path = lockPath(folder, generation);
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: 0 });
    // The file holds nothing, so it needs no journal beside it.
    db.pragma("journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
    rmSync(path, { force: true });
    return true;
  } catch (error) {
    if (systemCode(error)?.startsWith("SQLITE_BUSY") === true) return false;
    if (!isDamagedCode(systemCode(error))) throw ioError("remove", path, error);
    remove(path);
    return true;
  } finally {
    db?.close();
  }
}

/** Generations that somebody reads just now. The lock files of the others, but for `newest`, are removed. */
export function heldGenerations(folder: string, newest: number): number[] {
  return lockedGenerations(folder).filter(
    (generation) => generation < newest && !removeFreeLock(folder, generation),
  );
}

/** An error of a lock file that is no SQLite file; `ioError` keeps the cause. */
function isDamaged(error: unknown): boolean {
  return error instanceof Error && isDamagedCode(systemCode(error.cause));
}

function isDamagedCode(code: string | undefined): boolean {
  return code !== undefined && /^SQLITE_(NOTADB|CORRUPT)/.test(code);
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw ioError("remove", path, error);
  }
}
