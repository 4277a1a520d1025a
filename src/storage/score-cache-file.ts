/**
 * The file of a score cache: which files are one, and how one begins. A cache may lose anything, so a damaged file is replaced, and
 * commits are not synced. A file of somebody else is never written to.
 */
import { closeSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { ioError, isMaxsimError, MaxsimError, systemCode } from "../common/errors.js";
import { fileIdentity, makeFolders } from "./folders.js";

/** "MSRC" */
const APPLICATION_ID = 0x4d535243;
const VERSION = 1;

/** A blocked thread answers nobody, so waiting for another process is mostly left to the caller. */
const BUSY_TIMEOUT_MS = 100;
/** Bytes of the log that stay for reuse after it was moved into the database. */
const LOG_BYTES = 4 << 20;

/**
 * `key`: 32 bytes. `used`: time of the last use, in milliseconds since 1970. `checksum`: CRC-32 of scores and key. `scores`: 64-bit floats,
 * little-endian. `totals` has one row: rows of `scores` and what they take by `rowBytes`, with the CRC-32 of "entries bytes".
 */
const SCHEMA: ReadonlyMap<string, string> = new Map([
  [
    "scores",
    "CREATE TABLE scores (key BLOB PRIMARY KEY, used INTEGER NOT NULL, checksum INTEGER NOT NULL, scores BLOB NOT NULL) STRICT, WITHOUT ROWID",
  ],
  ["scores_by_use", "CREATE INDEX scores_by_use ON scores (used)"],
  [
    "totals",
    "CREATE TABLE totals (id INTEGER PRIMARY KEY, entries INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT",
  ],
]);

const MAGIC = Buffer.from("SQLite format 3\0", "latin1");
const APPLICATION_ID_AT = 68;
const HEADER_BYTES = 100;

/** A fixed set of statements meets SQLITE_ERROR or a constraint only where what is there is damaged. */
const DAMAGE_CODES =
  /^SQLITE_(CORRUPT|NOTADB|ERROR|SCHEMA|MISMATCH|FORMAT|CONSTRAINT|IOERR_SHORT_READ|IOERR_DATA)/;

export function isDamaged(error: unknown): boolean {
  if (isMaxsimError(error)) return error.code === "CORRUPT";
  return DAMAGE_CODES.test(systemCode(error) ?? "");
}

/** Whether another process is at work on the file just now. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(systemCode(error) ?? "");
}

/** Whether the file could not be read just now, as happens when another process removes it in between. */
export function isPassing(error: unknown): boolean {
  return isBusy(error) || systemCode(error)?.startsWith("SQLITE_IOERR") === true;
}

/**
 * Opens the cache file, makes folder and file where there are none. A file that is no database is renamed, a cache of an older version
 * is replaced; `tell` gets a sentence for that. Errors: CORRUPT and those of SQLite (`isDamaged`: see `removeScoreFile`), `isBusy`,
 * INVALID_ARGUMENT for a database of something else, FORMAT_TOO_NEW, IO, DISK_FULL. `path` is absolute.
 */
export async function openScoreFile(
  path: string,
  tell: (message: string) => void,
): Promise<Database.Database> {
  await makeFolders(dirname(path));
  setStrangerAside(path, tell);
  let db = openDatabase(path);
  try {
    const { version, empty } = headOf(db);
    if (version < VERSION && !empty) {
      tell(`the score cache ${path} is of an older version and begins anew`);
      db.close();
      removeScoreFile(path, fileIdentity(path));
      db = openDatabase(path);
    }
    begin(db);
    check(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Removes a damaged file, unless another process was faster: `identity` is that of the damaged one. Errors: IO. */
export function removeScoreFile(path: string, identity: string | undefined): void {
  if (identity === undefined || fileIdentity(path) !== identity) return;
  try {
    // The database last: were it gone first, a new one could come to share the old log.
    for (const suffix of ["-wal", "-shm", ""]) rmSync(path + suffix, { force: true });
  } catch (error) {
    throw ioError("remove", path, error);
  }
}

function openDatabase(path: string): Database.Database {
  const db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    const { applicationId, version, empty } = headOf(db);
    if (applicationId !== APPLICATION_ID && !empty) {
      throw new MaxsimError("INVALID_ARGUMENT", `${path} is a database, but not one of cached scores`, {
        hint: "Name another file for the cache.",
      });
    }
    if (version > VERSION) {
      const versions = `has format version ${version}, this package reads up to version ${VERSION}`;
      throw new MaxsimError("FORMAT_TOO_NEW", `the score cache ${path} ${versions}`, {
        hint: "Name another file for the cache, or upgrade maxsim.",
      });
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Makes the tables where there are none. Several processes may do so at once. */
function begin(db: Database.Database): void {
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = NORMAL");
  db.pragma(`journal_size_limit = ${LOG_BYTES}`);
  db.pragma("trusted_schema = OFF");
  db.pragma("cell_size_check = ON");
  if (!isEmpty(db)) return;
  db.transaction(() => {
    if (!isEmpty(db)) return;
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${VERSION}`);
    for (const sql of SCHEMA.values()) db.exec(sql);
  }).immediate();
}

function check(db: Database.Database): void {
  const stored = new Map(
    db.prepare<[], [string, string]>("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").raw().all(),
  );
  const wrong = [...SCHEMA].find(([name, sql]) => stored.get(name) !== sql);
  if (wrong !== undefined || stored.size !== SCHEMA.size) {
    throw new MaxsimError("CORRUPT", `${db.name} is damaged: its tables are not those of version ${VERSION}`);
  }
}

/** What the file says of itself, at one moment: another process may be making its tables. */
function headOf(db: Database.Database): { applicationId: number; version: number; empty: boolean } {
  const read = (name: string): number => Number(db.pragma(name, { simple: true }));
  return db.transaction(() => {
    // The first statement that reads a table takes the lock that the others share.
    const empty = isEmpty(db);
    return { applicationId: read("application_id"), version: read("user_version"), empty };
  })();
}

function isEmpty(db: Database.Database): boolean {
  return db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
}

/** A file that does not begin like a database nor like nothing may be anybody's, so it is renamed, not removed. */
function setStrangerAside(path: string, tell: (message: string) => void): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || (found.isFile() && found.size === 0)) return;
    if (!found.isFile()) {
      throw new MaxsimError("INVALID_ARGUMENT", `${path} is not a file`, {
        hint: "Name a file for the cache, or one that can be made.",
      });
    }
    const header = headerOf(path);
    if (header.subarray(0, MAGIC.length).equals(MAGIC)) return;
    // What is left of a cache whose first bytes were damaged is of no use to anybody.
    if (header.length === HEADER_BYTES && header.readInt32BE(APPLICATION_ID_AT) === APPLICATION_ID) {
      tell(`the score cache ${path} is damaged and begins anew`);
      removeScoreFile(path, fileIdentity(path));
    } else {
      const aside = `${path}.set-aside-${Date.now()}`;
      renameSync(path, aside);
      tell(`${path} is not a score cache: it is now called ${aside}, and the cache begins anew`);
    }
  } catch (error) {
    // Another process was faster.
    if (systemCode(error) === "ENOENT") return;
    throw ioError("open", path, error);
  }
}

function headerOf(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, "r");
  try {
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
