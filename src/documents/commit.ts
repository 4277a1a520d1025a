/** The one transaction that makes a generation: everything in it becomes visible at once, or nothing. */
import type Database from "better-sqlite3";
import { describe } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { CodecRecord, SegmentRecord } from "./records.js";
import { RowQuery, rowWriter } from "./rows.js";
import { CATALOG_VERSION } from "./schema.js";
import { checkFileRecord, SnapshotReader } from "./snapshot.js";
import type { Staging } from "./staging.js";

/** What the next generation adds and takes away. Files named here are published and durable. */
export interface CatalogChange {
  /** Its documents and passages become visible. */
  readonly staging?: Staging;
  /** A new codec, which replaces the one before. */
  readonly codec?: CodecRecord;
  /** New segments; together they hold exactly the staged passages, unless no passage has tokens or segments are dropped. */
  readonly segments: readonly SegmentRecord[];
  /** Numbers of segments that the new ones replace. */
  readonly dropSegments?: readonly number[];
  /** Numbers of live documents. */
  readonly deleteDocuments: readonly number[];
}

function inconsistent(problem: string): MaxsimError {
  return new MaxsimError("INTERNAL", `the commit contradicts itself: ${problem}`);
}

/**
 * Writes generation N + 1 and returns its number; call it within an immediate transaction. Rows go in by ascending
 * key and table after table, so equal changes give equal catalogs, byte for byte.
 */
export function writeGeneration(db: Database.Database, change: CatalogChange): number {
  const reader = new SnapshotReader(db);
  const base = reader.read();
  const tombstonesBefore = reader.last()[11];
  const generation = base.generation + 1;
  const { staging } = change;
  if (staging !== undefined) {
    if (staging.firstDocument !== base.nextDocument || staging.firstPassage !== base.nextPassage) {
      throw inconsistent(`it was staged for another generation than ${generation}`);
    }
  }

  const removed = deleteDocuments(db, generation, change.deleteDocuments);
  const added = staging === undefined ? { tokens: 0 } : copyStaged(db, generation, staging);
  checkSegments(change, added.tokens);
  dropSegments(db, generation, change.dropSegments ?? []);
  const insertSegment = rowWriter(db, "segments");
  for (const { segmentNo, file, firstPassage, passages, tokens } of change.segments) {
    checkFileRecord("segment", file);
    const { name, length, crc32, sha256, fileId } = file;
    insertSegment(
      segmentNo,
      generation,
      null,
      name,
      length,
      crc32,
      sha256,
      fileId,
      firstPassage,
      passages,
      tokens,
    );
  }
  if (change.codec !== undefined) {
    const { codecNo, file, centroids } = change.codec;
    checkFileRecord("codec", file);
    const { name, length, crc32, sha256, fileId } = file;
    rowWriter(db, "codecs")(codecNo, generation, name, length, crc32, sha256, fileId, centroids);
  }
  const last = reader.last();
  rowWriter(db, "commits")(
    generation,
    CATALOG_VERSION,
    base.indexId,
    last[3],
    change.codec?.codecNo ?? base.codec?.codecNo ?? null,
    base.segments.length + change.segments.length - (change.dropSegments?.length ?? 0),
    base.documents + (staging?.documents ?? 0) - removed.documents,
    base.passages + (staging?.passages ?? 0) - removed.passages,
    base.tokens + added.tokens - removed.tokens,
    base.nextDocument + (staging?.documents ?? 0),
    base.nextPassage + (staging?.passages ?? 0),
    tombstonesBefore + removed.documents,
  );
  return generation;
}

function deleteDocuments(
  db: Database.Database,
  generation: number,
  numbers: readonly number[],
): { documents: number; passages: number; tokens: number } {
  const documentOf = new RowQuery(db, "documents", "WHERE document_no = ?");
  const tombstoneOf = new RowQuery(db, "tombstones", "WHERE document_no = ?");
  const insert = rowWriter(db, "tombstones");
  const total = { documents: 0, passages: 0, tokens: 0 };
  for (const documentNo of [...numbers].sort((a, b) => a - b)) {
    const document = documentOf.get(documentNo);
    if (document === undefined || tombstoneOf.get(documentNo) !== undefined) {
      throw inconsistent(`it deletes document ${documentNo}, which is not live`);
    }
    const [firstPassage, passages, tokens] = [document[8], document[9], document[10]];
    insert(documentNo, generation, firstPassage, passages, tokens);
    total.documents++;
    total.passages += passages;
    total.tokens += tokens;
  }
  return total;
}

function copyStaged(db: Database.Database, generation: number, staging: Staging): { tokens: number } {
  const live = new RowQuery(
    db,
    "documents",
    "WHERE id = ? AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.document_no = documents.document_no)",
  );
  const insertDocument = rowWriter(db, "documents");
  const insertText = rowWriter(db, "texts");
  const insertPassage = rowWriter(db, "passages");
  let tokens = 0;
  for (const document of staging.readDocuments()) {
    const { documentNo, id, title, url, metadata, sourcePath, sourceLine, firstPassage, passages } = document;
    if (live.get(id) !== undefined) {
      throw inconsistent(`document ${describe(id)} is live and would be added a second time`);
    }
    const source = [sourcePath, sourceLine] as const;
    insertDocument(
      documentNo,
      generation,
      id,
      title,
      url,
      metadata,
      ...source,
      firstPassage,
      passages,
      document.tokens,
    );
    insertText(documentNo, document.text);
    tokens += document.tokens;
  }
  for (const span of staging.readSpans()) {
    const { passageNo, documentNo, start, end, lineStart, lineEnd, context } = span;
    insertPassage(passageNo, documentNo, start, end, lineStart, lineEnd, span.tokens, context);
  }
  return { tokens };
}

/** New segments hold the staged passages, in order and without a gap, or there are no tokens and no segments. */
function checkSegments(change: CatalogChange, stagedTokens: number): void {
  if (change.dropSegments !== undefined && change.dropSegments.length > 0) return;
  const first = change.staging?.firstPassage ?? 0;
  let next = first;
  let tokens = 0;
  for (const segment of change.segments) {
    if (segment.firstPassage !== next && change.staging !== undefined) {
      throw inconsistent(
        `segment ${segment.segmentNo} starts at passage ${segment.firstPassage}, not ${next}`,
      );
    }
    next += segment.passages;
    tokens += segment.tokens;
  }
  const staged = change.staging?.passages ?? 0;
  // Passages without a single token vector need no segment when there is no codec to make one with.
  if (change.segments.length === 0 && stagedTokens === 0) return;
  if (next - first !== staged || tokens !== stagedTokens) {
    throw inconsistent(
      `${staged} passages with ${stagedTokens} tokens are staged, its segments hold ${next - first} with ${tokens}`,
    );
  }
}

function dropSegments(db: Database.Database, generation: number, numbers: readonly number[]): void {
  const segmentOf = new RowQuery(db, "segments", "WHERE segment_no = ?");
  const replace = rowWriter(db, "segments", "REPLACE");
  for (const segmentNo of [...numbers].sort((a, b) => a - b)) {
    const row = segmentOf.get(segmentNo);
    if (row === undefined || row[2] !== null)
      throw inconsistent(`it drops segment ${segmentNo}, which is not in use`);
    const [, added, , name, length, crc32, sha256, fileId, firstPassage, passages, tokens] = row;
    replace(
      segmentNo,
      added,
      generation,
      name,
      length,
      crc32,
      sha256,
      fileId,
      firstPassage,
      passages,
      tokens,
    );
  }
}
