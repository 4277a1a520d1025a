/**
 * The full-text table compared with one that is made anew from the same passages. FTS5 can check its inner structure, but a
 * table without content has nothing that it could compare a term or a passage number with.
 */
import type Database from "better-sqlite3";
import { LEXICAL_TABLE, LexicalWriter, lexicalSchema } from "./table.js";
import type { LexicalKind } from "./types.js";

const FRESH = "lexical_fresh";
const STORED_WORDS = "lexical_stored_words";
const FRESH_WORDS = "lexical_fresh_words";
const TEMPORARY = [STORED_WORDS, FRESH_WORDS, FRESH];

/**
 * One row a term, by ascending terms: how often it occurs, and sums over where. One wrong number in the list of a term
 * shifts all that follow it there, so no single damage leaves all the sums as they were.
 */
const sumsOf = (words: string): string =>
  `SELECT term, count(*), sum(doc), sum(offset), sum(unicode(col)) FROM temp.${words} GROUP BY term`;

/** The record of all sizes: the key 1 in the table of blocks. A table that never had a row has none, an emptied one zeros. */
const totalsOf = (table: string): string =>
  `SELECT iif(trim(hex(block), '0') = '', '', hex(block)) FROM ${table}_data WHERE id = 1`;

const sizesOf = (table: string): string => `SELECT id, hex(sz) FROM ${table}_docsize ORDER BY id`;

/**
 * What is wrong with what the table holds; undefined when it is what `fill` makes of the passages. Takes up to
 * twice as long as making it, and room for it in a temporary file. Errors: those of SQLite, of damage among them.
 */
export function compareLexical(
  db: Database.Database,
  kind: Exclude<LexicalKind, "off">,
  fill: (writer: LexicalWriter) => void,
): string | undefined {
  removeTemporary(db);
  try {
    db.exec(lexicalSchema(kind, `temp.${FRESH}`)!);
    fill(new LexicalWriter(db, `temp.${FRESH}`));
    db.exec(
      `CREATE VIRTUAL TABLE temp.${STORED_WORDS} USING fts5vocab('main', '${LEXICAL_TABLE}', 'instance')`,
    );
    db.exec(`CREATE VIRTUAL TABLE temp.${FRESH_WORDS} USING fts5vocab('temp', '${FRESH}', 'instance')`);
    const [stored, fresh] = [`main.${LEXICAL_TABLE}`, `temp.${FRESH}`];
    if (differ(db, sizesOf(stored), sizesOf(fresh))) return "the table holds other lengths of passages";
    if (differ(db, totalsOf(stored), totalsOf(fresh))) return "the table holds another sum of lengths";
    if (differ(db, sumsOf(STORED_WORDS), sumsOf(FRESH_WORDS))) return "the table holds other words";
    return undefined;
  } finally {
    removeTemporary(db);
  }
}

/** Whether two questions have different rows for answers. */
function differ(db: Database.Database, a: string, b: string): boolean {
  const [left, right] = [a, b].map((sql) => db.prepare<[], unknown[]>(sql).raw().iterate()) as Rows;
  try {
    for (;;) {
      const [x, y] = [left.next(), right.next()];
      if (x.done === true || y.done === true) return x.done !== y.done;
      if (x.value.some((value, i) => value !== y.value[i])) return true;
    }
  } finally {
    // A connection does nothing else while a question is open.
    left.return?.();
    right.return?.();
  }
}

type Rows = [left: IterableIterator<unknown[]>, right: IterableIterator<unknown[]>];

function removeTemporary(db: Database.Database): void {
  for (const table of TEMPORARY) db.exec(`DROP TABLE IF EXISTS temp.${table}`);
}
