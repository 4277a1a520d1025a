/** Removal of rows of the full-text table, with the statistics that FTS5 leaves as they were. */
import type Database from "better-sqlite3";
import { hasLexicalTable, LEXICAL_TABLE } from "./table.js";

/** Key of the record of all sizes among the blocks: the number of rows, then the tokens of each column. */
const TOTALS = 1;

/**
 * Removes rows; does nothing where there is no table. Call it within a transaction.
 * @param numbers SQL that gives the passage numbers, `parameters` for what it names.
 */
export function removeLexicalRows(
  db: Database.Database,
  numbers: string,
  parameters: Readonly<Record<string, number>> = {},
): void {
  if (!hasLexicalTable(db)) return;
  const sizes = db
    .prepare<[object], Buffer>(`SELECT sz FROM ${LEXICAL_TABLE}_docsize WHERE id IN (${numbers})`)
    .pluck();
  const removed: number[] = [];
  let rows = 0;
  for (const size of sizes.iterate(parameters)) {
    rows++;
    readVarints(size).forEach((tokens, column) => {
      removed[column] = (removed[column] ?? 0) + tokens;
    });
  }
  if (rows === 0) return;
  db.prepare<[object]>(`DELETE FROM ${LEXICAL_TABLE} WHERE rowid IN (${numbers})`).run(parameters);
  subtractTotals(db, [rows, ...removed]);
}

/**
 * A table without content does not take removed rows off its totals, and would rank by the lengths and the number of all
 * rows that it ever had.
 */
function subtractTotals(db: Database.Database, removed: readonly number[]): void {
  // FTS5 keeps the totals in memory once it removed a row, and writes them at the next savepoint.
  db.exec("SAVEPOINT lexical_totals; RELEASE lexical_totals");
  const blocks = `${LEXICAL_TABLE}_data`;
  const stored = db.prepare<[number], Buffer>(`SELECT block FROM ${blocks} WHERE id = ?`).pluck().get(TOTALS);
  const totals = readVarints(stored ?? new Uint8Array()).map((total, i) => total - (removed[i] ?? 0));
  db.unsafeMode(true);
  try {
    const write = db.prepare<[Buffer, number]>(`UPDATE ${blocks} SET block = ? WHERE id = ?`);
    write.run(writeVarints(totals.map((total) => Math.max(0, total))), TOTALS);
  } finally {
    db.unsafeMode(false);
  }
}

/** Varints of SQLite below 2^53: 7 bits a byte, the highest first, the high bit set on all bytes but the last. */
function readVarints(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    values.push(value);
    value = 0;
  }
  return values;
}

function writeVarints(values: readonly number[]): Buffer {
  return Buffer.from(
    values.flatMap((value) => {
      const bytes = [value % 128];
      for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
        bytes.unshift((rest % 128) + 128);
      }
      return bytes;
    }),
  );
}
