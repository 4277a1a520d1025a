/**
 * Repair of a catalog that SQLite can read: its indexes are built again, and documents with damaged rows are taken out, so
 * that what remains is whole. Nothing is guessed: a row that does not match its checksum is not believed.
 */
import type Database from "better-sqlite3";
import { isDamage } from "./connection.js";
import { rebuildWords } from "./passage-words.js";
import { type Removal, removeDamagedRows } from "./remove-damaged-rows.js";
import type { RowRepair, RowRepairOptions } from "./row-repair.js";
import { RowQuery, rowWriter } from "./rows.js";
import { CATALOG_VERSION } from "./schema.js";
import { tableEnds } from "./snapshot.js";
import { findProblems, isStructureProblem, isUnusedPage, LIVE_SUMS } from "./verify.js";

/** Ends a transaction whose changes are not wanted. */
class Undo extends Error {}

/** Errors: those of SQLite. A generation comes from removed rows; building indexes again makes none. */
export function repairRows(db: Database.Database, { drop, dryRun }: RowRepairOptions): RowRepair {
  const done: string[] = [];
  const left = repairStructure(db, dryRun, done);
  if (left.length === 0) return { done, lost: [], left, dropHelps: false, generation: null };
  let removal: Removal | undefined;
  let generation: number | null = null;
  let remaining: string[] = [];
  try {
    db.transaction(() => {
      removal = removeDamagedRows(db);
      const gone = vanished(db, removal);
      generation = writeRepairRecord(db, removal.lost.length);
      remaining = gone === undefined ? findProblems(db) : [gone];
      if (remaining.length > 0 && remaining.every(isStructureProblem)) {
        // Words can be compared only now that no damaged row is left.
        rebuildWords(db, { forget: false });
        remaining = findProblems(db);
      }
      if (remaining.length > 0 || dryRun || !drop) throw new Undo();
    }).immediate();
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
    generation = null;
  }
  const { lost, steps } = removal!;
  if (remaining.length > 0) {
    return { done, lost: [], left: [...left, ...remaining], dropHelps: false, generation: null };
  }
  const mended = drop ? { done: [...done, ...steps], left: [] } : { done, left };
  return { ...mended, lost, dropHelps: !drop, generation };
}

/**
 * What the rows that are left do not account for: documents or deletions that are gone without a trace. Counting them anew
 * would bring deleted documents back, or hide that some are missing.
 */
function vanished(db: Database.Database, { lost, tombstones }: Removal): string | undefined {
  const base = new RowQuery(db, "commits", "ORDER BY generation DESC LIMIT 1").get()!;
  const expected = [base[9] - lost.length, base[16] + tombstones];
  const [documents] = numbers(db, LIVE_SUMS);
  const [buried] = numbers(db, "SELECT count(*) FROM tombstones");
  if (documents === expected[0] && buried === expected[1]) return undefined;
  return (
    `without its damaged rows it has ${documents} documents and ${buried} tombstones, ` +
    `the newest commit lets expect ${expected[0]} and ${expected[1]}`
  );
}

/** Builds SQL indexes and the full-text table, or the whole file, again where that helps; returns what is wrong then. */
function repairStructure(db: Database.Database, dryRun: boolean, done: string[]): string[] {
  const before = findProblems(db);
  if (!before.some(isStructureProblem)) return before;
  let after: string[] = [];
  const rebuild = (forget: boolean): boolean => {
    try {
      db.transaction(() => {
        rebuildWords(db, { forget });
        db.exec("REINDEX");
        // Pages of a forgotten table may hide further problems: so many sentences are told, and no more.
        after = findProblems(db).filter((problem) => !(forget && isUnusedPage(problem)));
        if (dryRun || after.some(isStructureProblem)) throw new Undo();
      }).immediate();
      return true;
    } catch (error) {
      // The schema of a transaction that was rolled back may still be in memory.
      db.pragma("writable_schema = RESET");
      if (!(error instanceof Undo)) throw error;
      return false;
    }
  };
  try {
    rebuild(false);
  } catch (error) {
    if (!isDamage(error)) throw error;
    // A full-text table that cannot even be dropped.
    if (rebuild(true)) {
      db.exec("VACUUM");
      after = findProblems(db);
    }
  }
  const structure = after.filter(isStructureProblem);
  if (structure.length === 0) {
    done.push("the SQL indexes and the full-text table were built again from the rows");
    return after;
  }
  // Every row is right: only the pages that hold them are in disorder.
  if (structure.length < after.length) return after;
  if (!dryRun) {
    db.exec("VACUUM");
    after = findProblems(db);
  }
  if (dryRun || after.length === 0)
    done.push("the file was written again from its rows, which are all sound");
  return dryRun ? [] : after;
}

/** The commit record of a repair: what the tables hold now. Returns its generation. */
function writeRepairRecord(db: Database.Database, removed: number): number {
  const base = new RowQuery(db, "commits", "ORDER BY generation DESC LIMIT 1").get()!;
  const [before, , indexId, settings, , , , codecNo] = base;
  const [nextDocument, nextPassage] = [base[12], base[13]];
  const [documents, passages, tokens] = numbers(db, LIVE_SUMS);
  const [segments] = numbers(db, "SELECT count(*) FROM segments WHERE gen_dropped IS NULL");
  const [lastDocument, lastPassage, tombstones] = tableEnds(db).get()!;
  const [roots, sources] = numbers(
    db,
    `SELECT (SELECT count(*) FROM roots WHERE gen_dropped IS NULL),
       (SELECT count(*) FROM sources WHERE gen_dropped IS NULL)`,
  );
  const generation = before + 1;
  rowWriter(db, "commits")(
    generation,
    CATALOG_VERSION,
    indexId,
    settings,
    "repair",
    0,
    removed,
    codecNo,
    segments!,
    documents!,
    passages!,
    tokens!,
    nextDocument,
    nextPassage,
    lastDocument ?? null,
    lastPassage ?? null,
    tombstones!,
    roots!,
    sources!,
  );
  return generation;
}

function numbers(db: Database.Database, sql: string): (number | null)[] {
  return db.prepare<[], (number | null)[]>(sql).raw().get()!;
}
