/**
 * Connections to SQLite files of the index, with the settings that make a commit durable. better-sqlite3 compiles
 * SQLite with synchronous=NORMAL for WAL, which can lose acknowledged commits at a power cut, so every setting is
 * made on every connection and read back.
 */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { ioError, isMaxsimError, MaxsimError, systemCode } from "../common/errors.js";
import { isLexicalSchema, LEXICAL_TABLE } from "../lexical/table.js";
import { FILE_FOLDERS } from "../storage/file-names.js";
import { syncFolderSync } from "../storage/node-file-system.js";
import { registerFilterFunctions } from "./filter/functions.js";
import { APPLICATION_ID, CATALOG_VERSION, SCHEMA } from "./schema.js";

export const CATALOG_NAME = "catalog.sqlite";

/** How long a call waits for a lock of another connection. Readers and the one writer hold them for moments. */
const BUSY_TIMEOUT_MS = 10_000;

const DAMAGE_CODES =
  /^SQLITE_(CORRUPT|NOTADB|ERROR|SCHEMA|MISMATCH|FORMAT|CONSTRAINT|IOERR_SHORT_READ|IOERR_DATA)/;

/** Whether SQLite says of the file that it is damaged: not of the disk, locks, or memory. */
export function isDamage(error: unknown): boolean {
  return !isMaxsimError(error) && DAMAGE_CODES.test(systemCode(error) ?? "");
}

/** Runs `work` and turns what SQLite throws into an error that names the file. */
export function guard<T>(path: string, action: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw sqliteFailure(path, action, error);
  }
}

function sqliteFailure(path: string, action: string, error: unknown): MaxsimError {
  if (isMaxsimError(error)) return error;
  const code = systemCode(error);
  if (code === undefined) throw error;
  // The statements are fixed and what they write is checked: a plain SQLITE_ERROR (no such column) or a violated
  // constraint means that what is there is damaged.
  if (DAMAGE_CODES.test(code)) {
    return new MaxsimError(
      "CORRUPT",
      `${path} is damaged: cannot ${action} it (${(error as Error).message})`,
      {
        hint: "Restore the index from a copy, or build it again.",
        cause: error,
      },
    );
  }
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new MaxsimError("LOCKED", `cannot ${action} ${path}: another process keeps it locked`, {
      hint: "Wait for the other process, and try again.",
      cause: error,
    });
  }
  // Only a creation writes with a journal that would have to be rolled back.
  if (code === "SQLITE_READONLY_ROLLBACK") {
    return new MaxsimError("INDEX_NOT_FOUND", `there is no index at ${path}: its creation did not finish`, {
      hint: "Check the path, or build an index there.",
      cause: error,
    });
  }
  if (/^SQLITE_(READONLY|CANTOPEN)/.test(code)) {
    return new MaxsimError("IO", `cannot ${action} ${path}: its folder cannot be written to (${code})`, {
      hint: "Readers, too, share memory through a file beside the catalog: make the folder writable, or copy it.",
      cause: error,
    });
  }
  return ioError(action, path, error);
}

/** A setting that did not take would make the promises of this module void. */
function setPragma(db: Database.Database, name: string, value: string, reads: unknown): void {
  db.pragma(`${name} = ${value}`);
  const found: unknown = db.pragma(name, { simple: true });
  if (found !== reads) {
    throw new MaxsimError("IO", `${db.name}: PRAGMA ${name} reads ${String(found)} after setting ${value}`);
  }
}

function configure(db: Database.Database): void {
  setPragma(db, "synchronous", "FULL", 2);
  setPragma(db, "cell_size_check", "ON", 1);
  setPragma(db, "trusted_schema", "OFF", 0);
  db.pragma("mmap_size = 0");
  // The log is emptied after every commit, by name; a second trigger would only do it at other times.
  setPragma(db, "wal_autocheckpoint", "0", 0);
  registerFilterFunctions(db);
}

function requireRegularFile(folder: string, path: string): void {
  try {
    if (!statSync(path).isFile()) {
      throw new MaxsimError("CORRUPT", `${path} is not a regular file`, {
        hint: "Restore the index from a copy.",
      });
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new MaxsimError("INDEX_NOT_FOUND", `there is no index in ${folder}: it has no ${CATALOG_NAME}`, {
        hint: "Check the path, or build an index there first.",
        cause: error,
      });
    }
    throw ioError("look at", path, error);
  }
}

function open(path: string, readOnly: boolean): Database.Database {
  return guard(path, "open", () => {
    const db = new Database(path, { readonly: readOnly, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    try {
      configure(db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** True when the file holds nothing yet: a creation that did not get to its commit. */
function isEmpty(db: Database.Database): boolean {
  return db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
}

function checkSchema(db: Database.Database, folder: string): void {
  const applicationId = db.pragma("application_id", { simple: true });
  if (applicationId !== APPLICATION_ID) {
    if (isEmpty(db) && existsSync(join(folder, FILE_FOLDERS.segment))) {
      throw new MaxsimError(
        "CORRUPT",
        `${db.name} is damaged: it is empty, but there are segments beside it`,
        {
          hint: "Restore the index from a copy, or build it again.",
        },
      );
    }
    const found = isEmpty(db)
      ? "its creation did not finish"
      : `its ${CATALOG_NAME} has the application id ${String(applicationId)}, expected ${APPLICATION_ID}`;
    throw new MaxsimError("INDEX_NOT_FOUND", `there is no index in ${folder}: ${found}`, {
      hint: "Check the path, or build an index in another folder.",
    });
  }
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > CATALOG_VERSION) {
    throw new MaxsimError(
      "FORMAT_TOO_NEW",
      `${db.name} has format version ${version}, this package reads up to version ${CATALOG_VERSION}`,
      { hint: "Upgrade maxsim, or build the index again with this version." },
    );
  }
  const journal = db.pragma("journal_mode", { simple: true });
  const stored = new Map(
    db.prepare<[], [string, string]>("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").raw().all(),
  );
  const wrong = [...SCHEMA].find(([name, sql]) => stored.get(name) !== sql) ?? wrongLexicalTable(stored);
  if (version < 1 || journal !== "wal" || wrong !== undefined) {
    const what =
      wrong !== undefined
        ? `its schema of ${wrong[0]} is not the one of version ${version}`
        : version < 1
          ? `it states the format version ${version}`
          : `its journal mode is ${String(journal)}, expected wal`;
    throw new MaxsimError("CORRUPT", `${db.name} is damaged: ${what}`, {
      hint: "Restore the index from a copy, or build it again.",
    });
  }
}

/** A full-text table is optional and comes in kinds. */
function wrongLexicalTable(stored: ReadonlyMap<string, string>): readonly [name: string] | undefined {
  const sql = stored.get(LEXICAL_TABLE);
  return sql === undefined || isLexicalSchema(sql) ? undefined : [LEXICAL_TABLE];
}

/**
 * Opens the catalog of an index folder. A writer holds the writer lock; a reader needs nothing and may open while a
 * writer works. Errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW, CORRUPT, LOCKED, IO.
 */
export function openCatalog(folder: string, readOnly: boolean): Database.Database {
  const path = join(folder, CATALOG_NAME);
  requireRegularFile(folder, path);
  const db = open(path, readOnly);
  try {
    guard(path, "read", () => checkSchema(db, folder));
    if (!readOnly) checkpoint(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Makes the folder and an empty catalog in it. `fill` runs in the one transaction that makes tables and first rows,
 * so a crash leaves either an index or none. Errors: INDEX_EXISTS, IO, DISK_FULL.
 */
export function createCatalog(folder: string, fill: (db: Database.Database) => void): Database.Database {
  const path = join(folder, CATALOG_NAME);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw ioError("make the folder", folder, error);
  }
  const db = guard(path, "create", () => new Database(path, { timeout: BUSY_TIMEOUT_MS }));
  try {
    guard(path, "create", () => {
      if (!isEmpty(db)) {
        throw new MaxsimError("INDEX_EXISTS", `there is an index in ${folder} already`, {
          hint: "Open it, or choose another folder.",
        });
      }
      db.pragma("page_size = 4096");
      db.pragma("encoding = 'UTF-8'");
      // With auto_vacuum the place of a page depends on what was freed before it.
      db.pragma("auto_vacuum = NONE");
      setPragma(db, "journal_mode", "WAL", "wal");
      configure(db);
      db.transaction(() => {
        db.pragma(`application_id = ${APPLICATION_ID}`);
        db.pragma(`user_version = ${CATALOG_VERSION}`);
        for (const sql of SCHEMA.values()) db.exec(sql);
        fill(db);
      }).immediate();
      checkpoint(db);
    });
    syncFolderSync(folder);
    syncFolderSync(dirname(folder));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Moves the log into the catalog and empties it: SQLite takes a damaged log for the end of the log, so a long one
 * would be a risk. False when a reader was in the way, which only leaves the log for the next time.
 */
export function checkpoint(db: Database.Database): boolean {
  return guard(db.name, "write", () => {
    const rows = db.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
    return rows[0]?.busy === 0;
  });
}

/** Version of the SQLite inside better-sqlite3, such as "3.53.2". */
export function sqliteVersion(): string {
  const db = new Database(":memory:");
  try {
    return String(db.prepare("SELECT sqlite_version()").pluck().get());
  } finally {
    db.close();
  }
}
