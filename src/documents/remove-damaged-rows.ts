/** Takes rows that do not match their checksum out of a catalog, and with them the documents that are incomplete then. */
import type Database from "better-sqlite3";
import { removeWordsWithoutPassage } from "./passage-words.js";
import { OPERATIONS } from "./records.js";
import { type ColumnValue, rowChecksum } from "./row-checksum.js";
import type { LostDocument } from "./row-repair.js";
import { RowQuery, rowWriter } from "./rows.js";
import type { Rows, TableName } from "./schema.js";
import { damagedRows, INCOMPLETE_DOCUMENTS } from "./verify.js";

export interface Removal {
  readonly lost: readonly LostDocument[];
  /** Tombstones that were added for them. */
  readonly tombstones: number;
  /** What was done, one sentence each. */
  readonly steps: readonly string[];
}

const ORPHANS = [
  "SELECT DISTINCT document_no FROM texts WHERE document_no NOT IN (SELECT document_no FROM documents)",
  `SELECT DISTINCT p.document_no FROM passages p WHERE NOT EXISTS (SELECT 1 FROM documents d
     WHERE d.document_no = p.document_no AND p.passage_no >= d.first_passage
       AND p.passage_no < d.first_passage + d.passages)`,
] as const;

/** Of these only what they were is known, nothing that they still are. */
const WITHOUT_LIVE_VERSION =
  "SELECT document_no FROM documents GROUP BY document_no HAVING min(gen_replaced IS NULL) = 0 AND max(gen_replaced IS NULL) = 0";

/** Call it within a transaction. Newest commit records, codecs and segments in use stay as they are, damaged or not. */
export function removeDamagedRows(db: Database.Database): Removal {
  const steps: string[] = [];
  const generation = new RowQuery(db, "commits", "ORDER BY generation DESC LIMIT 1").get()![0];
  const count = (): number => db.prepare<[], number>("SELECT count(*) FROM tombstones").pluck().get()!;
  const before = count();
  const unreadable = removeDocumentRows(db);
  for (const table of ["texts", "passages"] as const) removeByKey(db, table, [...damagedRows(db, table)]);
  const incomplete = new Set(unreadable.keys());
  for (const sql of [INCOMPLETE_DOCUMENTS, WITHOUT_LIVE_VERSION, ...ORPHANS]) {
    for (const documentNo of db.prepare<[], number>(sql).pluck().all()) incomplete.add(documentNo);
  }
  const lost = removeDocuments(
    db,
    [...incomplete].sort((a, b) => a - b),
    unreadable,
    generation + 1,
  );
  if (lost.length > 0)
    steps.push(
      `${lost.length} ${lost.length === 1 ? "document" : "documents"} with damaged rows were removed`,
    );
  removeWordsWithoutPassage(db);
  restoreTombstones(db, generation);
  const memories = removeMemories(db);
  if (memories > 0)
    steps.push(
      `${memories} damaged rows about files to synchronize were removed: the next sync reads them again`,
    );
  const history = sealHistory(db, generation);
  if (history > 0) steps.push(`${history} damaged rows of the history were kept as they read`);
  return { lost, tombstones: count() - before, steps };
}

/** Removes damaged rows of documents; returns the ids, as they read, of those that lost their newest version. */
function removeDocumentRows(db: Database.Database): Map<number, string | null> {
  const removed = new Map<number, string | null>();
  const newer = db
    .prepare<[number, number], number>(
      "SELECT count(*) FROM documents WHERE document_no = ? AND gen_added > ?",
    )
    .pluck();
  const removeUpTo = db.prepare("DELETE FROM documents WHERE document_no = ? AND gen_added <= ?");
  const remove = db.prepare("DELETE FROM documents WHERE document_no = ? AND gen_added = ?");
  const damaged = [...damagedRows(db, "documents")] as unknown as Rows["documents"][];
  for (const [documentNo, genAdded, , id] of damaged) {
    if (newer.get(documentNo, genAdded)! > 0) {
      // An old version that nobody needs; those before it would leave a gap.
      removeUpTo.run(documentNo, genAdded);
      continue;
    }
    remove.run(documentNo, genAdded);
    removed.set(documentNo, typeof id === "string" ? id : null);
  }
  const known = db.prepare<[number], number>("SELECT count(*) FROM documents WHERE document_no = ?").pluck();
  // A damaged number may be that of another document, which is whole.
  for (const documentNo of [...removed.keys()]) if (known.get(documentNo)! > 0) removed.delete(documentNo);
  return removed;
}

function removeByKey(db: Database.Database, table: TableName, rows: readonly ColumnValue[][]): void {
  if (rows.length === 0) return;
  const remove = db.prepare<[ColumnValue]>(`DELETE FROM ${table} WHERE rowid = ?`);
  for (const [key] of rows) remove.run(key!);
}

function removeDocuments(
  db: Database.Database,
  numbers: readonly number[],
  unreadable: ReadonlyMap<number, string | null>,
  generation: number,
): LostDocument[] {
  const rowOf = new RowQuery(db, "documents", "WHERE document_no = ? ORDER BY gen_added DESC LIMIT 1");
  const tombstoneOf = db
    .prepare<[number], number>("SELECT count(*) FROM tombstones WHERE document_no = ?")
    .pluck();
  const passagesOf = db
    .prepare<[number], [number | null, number, number]>(
      "SELECT min(passage_no), max(passage_no) - min(passage_no) + 1, sum(tokens) FROM passages WHERE document_no = ?",
    )
    .raw();
  const bury = rowWriter(db, "tombstones");
  const remove = (["documents", "texts", "passages"] as const).map((table) =>
    db.prepare<[number]>(`DELETE FROM ${table} WHERE document_no = ?`),
  );
  const lost: LostDocument[] = [];
  for (const documentNo of numbers) {
    const row = rowOf.get(documentNo);
    const found = passagesOf.get(documentNo)!;
    for (const statement of remove) statement.run(documentNo);
    if (tombstoneOf.get(documentNo)! > 0) continue;
    lost.push({ documentNo, id: row?.[3] ?? unreadable.get(documentNo) ?? null });
    // Its passages are still in a segment; where nothing tells which they are, the segment has to be written again.
    const [first, passages, tokens] = row === undefined ? found : [row[9], row[10], row[11]];
    if (first !== null && passages > 0) bury(documentNo, generation, first, passages, tokens);
  }
  return lost;
}

/** Tombstones that only lost their checksum: those that name the passages of their document. */
function restoreTombstones(db: Database.Database, generation: number): void {
  const documentOf = new RowQuery(db, "documents", "WHERE document_no = ? AND gen_replaced IS NULL");
  const replace = rowWriter(db, "tombstones", "REPLACE");
  for (const row of [...damagedRows(db, "tombstones")] as unknown as Rows["tombstones"][]) {
    const [documentNo, deleted, firstPassage, passages] = row;
    const document = documentOf.get(documentNo);
    if (document === undefined || document[9] !== firstPassage || document[10] !== passages) continue;
    const legal = Number.isSafeInteger(deleted) && deleted > document[1] && deleted <= generation;
    replace(documentNo, legal ? deleted : generation, firstPassage, passages, document[11]);
  }
}

/** Returns how many damaged rows about synchronized files were removed. */
function removeMemories(db: Database.Database): number {
  let removed = 0;
  for (const table of ["roots", "sources"] as const) {
    const rows = [...damagedRows(db, table)];
    removeByKey(db, table, rows);
    removed += rows.length;
  }
  db.prepare(
    `DELETE FROM sources WHERE gen_dropped IS NULL AND NOT EXISTS
       (SELECT 1 FROM roots r WHERE r.root_no = sources.root_no AND r.gen_dropped IS NULL)`,
  ).run();
  // Segments of the past: their files may be gone already.
  removeByKey(
    db,
    "segments",
    [...damagedRows(db, "segments")].filter((row) => row[2] !== null),
  );
  return removed;
}

/** Commit records before the newest one inform, and no more. Returns how many got the checksum of what they say. */
function sealHistory(db: Database.Database, newest: number): number {
  const seal = db.prepare<[number, number]>("UPDATE commits SET checksum = ? WHERE generation = ?");
  const damaged = [...damagedRows(db, "commits")] as unknown as Rows["commits"][];
  const past = damaged.filter((row) => row[0] < newest && OPERATIONS.some((name) => name === row[4]));
  for (const row of past) seal.run(rowChecksum("commits", row.slice(0, -1)), row[0]);
  return past.length;
}
