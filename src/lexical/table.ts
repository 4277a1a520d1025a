/**
 * The full-text table of a catalog: one row a passage, its number as the row id, the words of it and nothing else
 * (FTS5 with `content=''`, which keeps the text apart). The rows are derived from `passages` and `texts`, carry no
 * checksum, and can be built again from them at any time.
 *
 * Columns: `context` (title and headings), `text` (the passage's own text), `parts` (the words that identifiers in
 * both are made of, see identifiers.ts).
 */
import type Database from "better-sqlite3";
import { LEXICAL_KINDS, type LexicalKind } from "./types.js";
import { wordParts } from "./word-parts.js";

export const LEXICAL_TABLE = "lexical";

const TOKENIZERS: Record<Exclude<LexicalKind, "off">, string> = {
  english: "porter unicode61 remove_diacritics 2",
  words: "unicode61 remove_diacritics 2",
  trigrams: "trigram case_sensitive 0 remove_diacritics 1",
};

/** The statement that makes the table, or another one like it; null where there is none. */
export function lexicalSchema(kind: LexicalKind, table = LEXICAL_TABLE): string | null {
  if (kind === "off") return null;
  return (
    `CREATE VIRTUAL TABLE ${table} USING fts5(context, text, parts, content='', ` +
    `contentless_delete=1, tokenize='${TOKENIZERS[kind]}')`
  );
}

/** Whether a statement of sqlite_schema makes this table, in one of its kinds. */
export function isLexicalSchema(sql: string): boolean {
  return LEXICAL_KINDS.some((kind) => lexicalSchema(kind) === sql);
}

export function hasLexicalTable(db: Database.Database): boolean {
  const count = db.prepare<[string], number>("SELECT count(*) FROM sqlite_schema WHERE name = ?").pluck();
  return count.get(LEXICAL_TABLE) === 1;
}

/** Writes rows of passages, by ascending number; does nothing where there is no table. */
export class LexicalWriter {
  private readonly insert: Database.Statement<[number, string, string, string]> | null;

  /** @param other a table that is there and like the catalog's. */
  constructor(db: Database.Database, other?: string) {
    const sql = `INSERT INTO ${other ?? LEXICAL_TABLE}(rowid, context, text, parts) VALUES (?, ?, ?, ?)`;
    this.insert = other !== undefined || hasLexicalTable(db) ? db.prepare(sql) : null;
  }

  get writes(): boolean {
    return this.insert !== null;
  }

  /** @param text the passage's own part of the document's text. */
  add(passageNo: number, context: string, text: string): void {
    this.insert?.run(passageNo, context, text, wordParts(`${context}\n${text}`));
  }
}

/** One segment of the table's inner structure, and nothing of deleted rows: makes searches fastest. */
export function optimizeLexical(db: Database.Database): void {
  if (hasLexicalTable(db)) db.exec(`INSERT INTO ${LEXICAL_TABLE}(${LEXICAL_TABLE}) VALUES ('optimize')`);
}
