/** The whole catalog checked: SQLite's own structure, every checksum, and the sums of the newest commit record. */
import type Database from "better-sqlite3";
import { isMaxsimError } from "../common/errors.js";
import { isDamage } from "./connection.js";
import { wordsProblem } from "./passage-words.js";
import { type ColumnValue, rowChecksum } from "./row-checksum.js";
import { columnList, TABLES, type TableName } from "./schema.js";
import { SnapshotReader } from "./snapshot.js";
import { SourceReader } from "./source-reader.js";

const MAX_PROBLEMS = 20;

const STRUCTURE = "SQLite: ";
const DERIVED = "full text: ";

/** True for a row `d` of documents whose passages are others than it states. */
const OTHER_PASSAGES = `d.passages <> (SELECT count(*) FROM passages p
    WHERE p.passage_no >= d.first_passage AND p.passage_no < d.first_passage + d.passages
      AND p.document_no = d.document_no)
  OR d.tokens <> (SELECT coalesce(sum(p.tokens), 0) FROM passages p
    WHERE p.passage_no >= d.first_passage AND p.passage_no < d.first_passage + d.passages)`;

/** Each counts rows that contradict another table. */
const CONTRADICTIONS: readonly (readonly [what: string, sql: string])[] = [
  [
    "documents have no text",
    "SELECT count(DISTINCT document_no) FROM documents WHERE document_no NOT IN (SELECT document_no FROM texts)",
  ],
  [
    "texts belong to no document",
    "SELECT count(*) FROM texts WHERE document_no NOT IN (SELECT document_no FROM documents)",
  ],
  [
    "passages belong to no document",
    `SELECT count(*) FROM passages p WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.document_no = p.document_no
       AND p.passage_no >= d.first_passage AND p.passage_no < d.first_passage + d.passages)`,
  ],
  [
    "documents state other passages or tokens than there are",
    `SELECT count(*) FROM documents d WHERE ${OTHER_PASSAGES}`,
  ],
  [
    "tombstones differ from their document",
    `SELECT count(*) FROM tombstones t JOIN documents d USING (document_no)
       WHERE d.first_passage <> t.first_passage OR d.passages <> t.passages OR d.tokens <> t.tokens
         OR t.gen_deleted <= d.gen_added OR t.gen_deleted <= coalesce(d.gen_replaced, 0)`,
  ],
  [
    "versions of documents overlap or leave a gap",
    `SELECT count(*) FROM documents d JOIN documents n ON n.document_no = d.document_no
       AND n.gen_added = (SELECT min(m.gen_added) FROM documents m
         WHERE m.document_no = d.document_no AND m.gen_added > d.gen_added)
       WHERE d.gen_replaced IS NULL OR d.gen_replaced <> n.gen_added`,
  ],
  [
    "documents are of a generation without a commit record",
    "SELECT count(*) FROM documents WHERE max(gen_added, coalesce(gen_replaced, 0)) NOT IN (SELECT generation FROM commits)",
  ],
  [
    "ids belong to more than one live document",
    `SELECT count(*) FROM (SELECT id FROM documents d WHERE d.gen_replaced IS NULL AND NOT EXISTS
       (SELECT 1 FROM tombstones t WHERE t.document_no = d.document_no) GROUP BY id HAVING count(*) > 1)`,
  ],
  [
    "documents have metadata that is no object",
    `SELECT count(*) FROM documents WHERE metadata IS NOT NULL
       AND CASE WHEN json_valid(metadata) THEN json_type(metadata) ELSE '' END <> 'object'`,
  ],
  [
    "sources belong to no root",
    `SELECT count(*) FROM sources s WHERE s.gen_dropped IS NULL AND NOT EXISTS
       (SELECT 1 FROM roots r WHERE r.root_no = s.root_no AND r.gen_dropped IS NULL)`,
  ],
];

/** Live documents, their passages and tokens. */
export const LIVE_SUMS = `SELECT count(*), coalesce(sum(d.passages), 0), coalesce(sum(d.tokens), 0) FROM documents d
  WHERE d.gen_replaced IS NULL AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.document_no = d.document_no)`;

/**
 * What SQLite itself says of the structure of the file, and what of it can be derived from rows but is not.
 * @param derive whether the rows are sound that the full-text table is made from.
 */
function findStructureProblems(db: Database.Database, derive: boolean): string[] {
  const words = wordsProblem(db, derive);
  return integrityProblems(db)
    .map((message) => `${STRUCTURE}${message}`)
    .concat(words === undefined ? [] : [`${DERIVED}${words}`]);
}

function integrityProblems(db: Database.Database): string[] {
  try {
    const rows = db.pragma(`integrity_check(${MAX_PROBLEMS})`) as { integrity_check: string }[];
    return rows.map(({ integrity_check: message }) => message).filter((message) => message !== "ok");
  } catch (error) {
    // The check of a full-text table that cannot be opened throws what others report.
    if (!isDamage(error)) throw error;
    return [(error as Error).message];
  }
}

/** Whether a problem of the structure is no more than pages that nothing uses, which a VACUUM takes away. */
export function isUnusedPage(problem: string): boolean {
  return problem.startsWith(STRUCTURE) && /Page \d+: never used$/.test(problem);
}

/** Whether a problem is one of `findStructureProblems`, and not of the rows. */
export function isStructureProblem(problem: string): boolean {
  return problem.startsWith(STRUCTURE) || problem.startsWith(DERIVED);
}

/** Documents without their text, or with other passages or tokens than they state. */
export const INCOMPLETE_DOCUMENTS = `SELECT DISTINCT d.document_no FROM documents d
  WHERE NOT EXISTS (SELECT 1 FROM texts t WHERE t.document_no = d.document_no) OR (${OTHER_PASSAGES})`;

/** Rows of a table that do not match their checksum. */
export function* damagedRows(
  db: Database.Database,
  table: TableName,
): Generator<ColumnValue[], void, undefined> {
  const rows = db.prepare<[], ColumnValue[]>(`SELECT ${columnList(table)} FROM ${table}`).raw();
  for (const row of rows.iterate()) {
    if (rowChecksum(table, row.slice(0, -1)) !== row.at(-1)) yield row;
  }
}

/** The keys of the first rows. */
function keysOf(rows: Iterable<readonly ColumnValue[]>): string[] {
  const keys: string[] = [];
  for (const [key] of rows) if (keys.push(String(key)) === MAX_PROBLEMS) break;
  return keys;
}

/** Sentences that say what is wrong; errors of SQLite while reading are thrown. */
export function findProblems(db: Database.Database): string[] {
  const problems: string[] = [];
  const add = (problem: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push(problem);
  };
  const damaged = TABLES.flatMap((table) => keysOf(damagedRows(db, table)).map((key) => ({ table, key })));
  const derive = !damaged.some(({ table }) => table === "texts" || table === "passages");
  for (const problem of findStructureProblems(db, derive)) add(problem);
  for (const { table, key } of damaged) add(`row ${key} of ${table} does not match its checksum`);
  for (const [what, sql] of CONTRADICTIONS) {
    const count = Number(db.prepare(sql).pluck().get());
    if (count > 0) add(`${count} ${what}`);
  }
  const [documents, passages, tokens] = db.prepare<[], [number, number, number]>(LIVE_SUMS).raw().get()!;
  try {
    const snapshot = new SnapshotReader(db).read();
    if (snapshot.documents !== documents || snapshot.passages !== passages || snapshot.tokens !== tokens) {
      add(
        `the commit record states ${snapshot.documents} documents, ${snapshot.passages} passages and ` +
          `${snapshot.tokens} tokens, found ${documents}, ${passages} and ${tokens}`,
      );
    }
    const sources = new SourceReader(db);
    sources.roots(snapshot);
    sources.sources(snapshot);
  } catch (error) {
    if (!isMaxsimError(error) || error.code !== "CORRUPT") throw error;
    add(error.message);
  }
  return problems;
}
