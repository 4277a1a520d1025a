/**
 * Removal of rows that no generation in use sees. Compaction does it: what was deleted or replaced is gone from the
 * catalog then, and its pages are overwritten with zeros (secure_delete).
 */
import type Database from "better-sqlite3";
import { removeLexicalRows } from "../lexical/remove-rows.js";

/** Numbers of passages whose document is deleted in every generation in use. */
const DEAD_PASSAGES = `SELECT p.passage_no FROM tombstones t JOIN passages p
  ON p.passage_no >= t.first_passage AND p.passage_no < t.first_passage + t.passages WHERE t.gen_deleted <= @H`;

/**
 * Steps in order; `H` is the oldest generation that somebody may still read. The tombstone of a deleted document stays
 * while a segment that may be read holds its passages: those that were written before the deletion.
 */
const STEPS = [
  "DELETE FROM documents WHERE gen_replaced <= @H",
  `DELETE FROM passages WHERE passage_no IN (${DEAD_PASSAGES})`,
  "DELETE FROM texts WHERE document_no IN (SELECT document_no FROM tombstones WHERE gen_deleted <= @H)",
  "DELETE FROM documents WHERE document_no IN (SELECT document_no FROM tombstones WHERE gen_deleted <= @H)",
  `DELETE FROM tombstones WHERE gen_deleted <= @H AND NOT EXISTS (SELECT 1 FROM segments s
     WHERE (s.gen_dropped IS NULL OR s.gen_dropped > @H) AND s.gen_added <= tombstones.gen_deleted
       AND s.first_passage < tombstones.first_passage + tombstones.passages
       AND s.last_passage >= tombstones.first_passage)`,
  "DELETE FROM segments WHERE gen_dropped <= @H",
  "DELETE FROM roots WHERE gen_dropped <= @H",
  "DELETE FROM sources WHERE gen_dropped <= @H",
  // A codec is in use until the next one is added, and as long as a segment names it or an extension of it.
  `DELETE FROM codecs WHERE EXISTS (SELECT 1 FROM codecs n WHERE n.codec_no > codecs.codec_no AND n.gen_added <= @H)
     AND codec_no NOT IN (WITH RECURSIVE used(codec_no) AS (
       SELECT codec_no FROM segments UNION SELECT max(codec_no) FROM codecs
       UNION SELECT c.base_codec_no FROM codecs c JOIN used u ON c.codec_no = u.codec_no WHERE c.base_codec_no IS NOT NULL)
     SELECT codec_no FROM used)`,
] as const;

/** True when `purge` would remove something. */
export function hasPurgeable(db: Database.Database, oldestInUse: number): boolean {
  const ended = `SELECT EXISTS (SELECT 1 FROM documents WHERE gen_replaced <= @H)
    OR EXISTS (SELECT 1 FROM tombstones t JOIN documents d USING (document_no) WHERE t.gen_deleted <= @H)
    OR EXISTS (SELECT 1 FROM segments WHERE gen_dropped <= @H)`;
  return db.prepare<[{ H: number }], number>(ended).pluck().get({ H: oldestInUse }) === 1;
}

/** Call it within the transaction of a commit. */
export function purge(db: Database.Database, oldestInUse: number): void {
  // Before the rows that they are found by; their words leave the file with the next `optimize`.
  removeLexicalRows(db, DEAD_PASSAGES, { H: oldestInUse });
  for (const sql of STEPS) db.prepare(sql).run({ H: oldestInUse });
}
