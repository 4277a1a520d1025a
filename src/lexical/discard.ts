/** Takes the full-text table out of a catalog, whatever state it is in. */
import type Database from "better-sqlite3";
import { LEXICAL_TABLE } from "./table.js";

/** The tables that FTS5 keeps its own rows in. */
const SHADOWS = ["data", "idx", "content", "docsize", "config"].map((name) => `${LEXICAL_TABLE}_${name}`);

/** Removes the table. Errors: those of SQLite, of damage where FTS5 cannot open the table or a page of it cannot be read. */
export function dropLexical(db: Database.Database): void {
  db.exec(`DROP TABLE IF EXISTS ${LEXICAL_TABLE}`);
}

/**
 * Makes SQLite forget the table without a look at its pages; call it within a transaction that has not touched the table.
 * The pages stay in the file, belong to nothing, and go with the next VACUUM.
 */
export function forgetLexical(db: Database.Database): void {
  const names = [LEXICAL_TABLE, ...SHADOWS];
  db.unsafeMode(true);
  try {
    db.pragma("writable_schema = ON");
    db.prepare<string[]>(
      `DELETE FROM sqlite_schema WHERE tbl_name IN (${names.map(() => "?").join(", ")})`,
    ).run(...names);
    db.pragma("writable_schema = RESET");
  } finally {
    db.unsafeMode(false);
  }
}
