/** The full-text rows of passages: made with the passages, compared with them, made again from them. */
import type Database from "better-sqlite3";
import { isMaxsimError } from "../common/errors.js";
import { compareLexical } from "../lexical/compare.js";
import { dropLexical, forgetLexical } from "../lexical/discard.js";
import { removeLexicalRows } from "../lexical/remove-rows.js";
import { hasLexicalTable, LEXICAL_TABLE, LexicalWriter, lexicalSchema } from "../lexical/table.js";
import { LEXICAL_KINDS, type LexicalKind } from "../lexical/types.js";
import { isDamage } from "./connection.js";
import { fromJsonText } from "./json-text.js";

/** Rows that are read in one go: a connection cannot write while it steps through rows. */
const ROWS_AT_ONCE = 1000;

type PassageRow = [passageNo: number, documentNo: number, start: number, end: number, context: string];

/** Writes the rows of all passages from number `first` on; call it within a transaction. */
export function writeWords(db: Database.Database, first: number, writer = new LexicalWriter(db)): void {
  if (!writer.writes) return;
  // Checksums are compared elsewhere: a repair makes the table before it knows which rows are sound.
  const passages = db
    .prepare<[number, number], PassageRow>(
      `SELECT passage_no, document_no, start, "end", context FROM passages
         WHERE passage_no >= ? ORDER BY passage_no LIMIT ?`,
    )
    .raw();
  const texts = db.prepare<[number], string>("SELECT text FROM texts WHERE document_no = ?").pluck();
  let current: { readonly documentNo: number; readonly text: string } | undefined;
  for (let next = first; ; ) {
    const rows = passages.all(next, ROWS_AT_ONCE);
    for (const [passageNo, documentNo, start, end, context] of rows) {
      if (current?.documentNo !== documentNo) {
        current = { documentNo, text: texts.get(documentNo) ?? "" };
      }
      writer.add(passageNo, context, current.text.slice(start, end));
    }
    if (rows.length < ROWS_AT_ONCE) return;
    next = rows.at(-1)![0] + 1;
  }
}

/** The kind that the newest commit states; undefined when that cannot be read. */
function statedKind(db: Database.Database): LexicalKind | undefined {
  const text = db
    .prepare<[], string>("SELECT settings FROM commits ORDER BY generation DESC LIMIT 1")
    .pluck()
    .get();
  try {
    const settings = fromJsonText(text ?? "", "the settings") as { readonly lexical?: LexicalKind } | null;
    const kind = settings?.lexical ?? "off";
    return LEXICAL_KINDS.includes(kind) ? kind : undefined;
  } catch (error) {
    // Told by the checksum of that row.
    if (!isMaxsimError(error)) throw error;
    return undefined;
  }
}

/**
 * What is wrong with the full-text table beyond its inner structure, which SQLite checks: words and passages that are not those
 * of the rows. Takes up to twice as long as making the table.
 * @param compare whether words are compared: not with those of damaged rows.
 */
export function wordsProblem(db: Database.Database, compare: boolean): string | undefined {
  const kind = statedKind(db);
  if (kind === undefined) return undefined;
  if (hasLexicalTable(db) !== (kind !== "off")) {
    return kind === "off" ? "there is a table that no commit knows of" : "the table is missing";
  }
  if (kind === "off") return undefined;
  try {
    const problem = numbersProblem(db);
    if (problem !== undefined || !compare) return problem;
    return compareLexical(db, kind, (writer) => writeWords(db, 0, writer));
  } catch (error) {
    if (!isDamage(error)) throw error;
    return `the table cannot be read (${(error as Error).message})`;
  }
}

/** Passages without a row, and rows without a passage. */
function numbersProblem(db: Database.Database): string | undefined {
  const [missing, left] = db
    .prepare<[], [number, number]>(
      `SELECT (SELECT count(*) FROM passages WHERE passage_no NOT IN (SELECT id FROM ${LEXICAL_TABLE}_docsize)),
         (SELECT count(*) FROM ${LEXICAL_TABLE}_docsize WHERE id NOT IN (SELECT passage_no FROM passages))`,
    )
    .raw()
    .get()!;
  if (missing === 0 && left === 0) return undefined;
  return `the table lacks ${missing} passages and has ${left} that are not there`;
}

/**
 * Makes the table again from the rows; call it within a transaction. Does nothing when it is not known which kind it is.
 * @param forget what to do with a table that cannot be dropped: its pages are left to a VACUUM, none of them is read.
 */
export function rebuildWords(db: Database.Database, { forget }: { readonly forget: boolean }): void {
  const kind = statedKind(db);
  if (kind === undefined) return;
  if (forget) forgetLexical(db);
  else dropLexical(db);
  const sql = lexicalSchema(kind);
  if (sql === null) return;
  db.exec(sql);
  writeWords(db, 0);
}

/** After passages were removed. */
export function removeWordsWithoutPassage(db: Database.Database): void {
  removeLexicalRows(
    db,
    `SELECT id FROM ${LEXICAL_TABLE}_docsize WHERE id NOT IN (SELECT passage_no FROM passages)`,
  );
}
