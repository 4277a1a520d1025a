/**
 * Rows of `documents` found through an index. An index has no checksum, so every entry of it has to lead to a row that
 * says the same; whether it has an entry for each row is asked in hidden-rows.ts.
 */
import type Database from "better-sqlite3";
import { damagedCatalog } from "./damaged-catalog.js";
import { RowQuery } from "./rows.js";
import type { Rows } from "./schema.js";

/** Whether a row is of the generation: added by then, and not replaced. */
export function isVisible(row: Rows["documents"], generation: number): boolean {
  const [, genAdded, genReplaced] = row;
  return genAdded <= generation && (genReplaced === null || genReplaced > generation);
}

/** What is looked up in which index: the column's place in a row. */
const INDEXES = {
  id: { index: "documents_id", place: 3 },
  source_path: { index: "documents_source", place: 7 },
} as const;

export class IndexedRows {
  private readonly entries: Database.Statement<[string], [documentNo: number, genAdded: number]>;
  private readonly rowOf: RowQuery<"documents">;
  private readonly tombstone: Database.Statement<[number, number], number>;

  constructor(
    private readonly db: Database.Database,
    private readonly column: keyof typeof INDEXES,
  ) {
    // Nothing but the key of the table is asked for, so the table itself is not looked at.
    this.entries = db
      .prepare<[string], [number, number]>(
        `SELECT document_no, gen_added FROM documents INDEXED BY ${INDEXES[column].index} WHERE ${column} = ?
           ORDER BY document_no, gen_added`,
      )
      .raw();
    this.rowOf = new RowQuery(db, "documents", "WHERE document_no = ? AND gen_added = ?");
    this.tombstone = db
      .prepare<[number, number], number>(
        "SELECT 1 FROM tombstones WHERE document_no = ? AND gen_deleted <= ?",
      )
      .pluck();
  }

  /**
   * Rows with that value of documents that are live in the generation, by ascending number; call it within a transaction.
   * Errors: CORRUPT.
   */
  live(value: string, generation: number): Rows["documents"][] {
    const { index, place } = INDEXES[this.column];
    return this.entries
      .all(value)
      .map(([documentNo, genAdded]) => {
        const row = this.rowOf.get(documentNo, genAdded);
        if (row !== undefined && row[place] === value) return row;
        throw damagedCatalog(
          this.db.name,
          `${index} leads from ${JSON.stringify(value)} to document ${documentNo}, which ${
            row === undefined ? "is missing" : "has another value"
          }`,
        );
      })
      .filter((row) => isVisible(row, generation) && this.tombstone.get(row[0], generation) === undefined);
  }
}
