/** The one transaction that makes a generation: everything in it becomes visible at once, or nothing. */
import type Database from "better-sqlite3";
import { describe } from "../common/check.js";
import type { CatalogChange } from "./catalog-change.js";
import { checkDocument } from "./check-document.js";
import { HiddenRows, IDS_AT_ONCE } from "./hidden-rows.js";
import { inconsistent } from "./inconsistent.js";
import { IndexedRows } from "./indexed-rows.js";
import { objectFromJsonText, toJsonText } from "./json-text.js";
import { writeWords } from "./passage-words.js";
import { purge } from "./purge.js";
import type { CodecRecord, DocumentUpdate, SegmentRecord } from "./records.js";
import { RowQuery, rowWriter, type WithoutChecksum } from "./rows.js";
import { CATALOG_VERSION, type Rows } from "./schema.js";
import { checkFileRecord, SnapshotReader, tableEnds } from "./snapshot.js";
import type { Staging } from "./staging.js";

interface Totals {
  documents: number;
  passages: number;
  tokens: number;
}

/**
 * Writes generation N + 1 and returns its number; call it within an immediate transaction. Rows go in by ascending
 * key and table after table, so equal changes give equal catalogs, byte for byte.
 */
export function writeGeneration(db: Database.Database, change: CatalogChange): number {
  const base = new SnapshotReader(db).read();
  const generation = base.generation + 1;
  const { staging, segments = [], dropSegments = [], deleteDocuments = [] } = change;
  if (
    staging !== undefined &&
    (staging.firstDocument !== base.nextDocument || staging.firstPassage !== base.nextPassage)
  ) {
    throw inconsistent(`it was staged for another generation than ${generation}`);
  }
  if (change.purgeBefore !== undefined) purge(db, Math.min(change.purgeBefore, base.generation));
  const removed = addTombstones(db, generation, deleteDocuments);
  updateDocuments(db, generation, change.updateDocuments ?? []);
  const added = staging === undefined ? emptyTotals() : copyStaged(db, generation, staging);
  const dropped = dropSegmentRows(db, generation, dropSegments);
  checkSegments(segments, added, dropped, dropSegments.length > 0);
  const codecs = new Set(base.codecs.keys());
  if (change.codec !== undefined) codecs.add(addCodec(db, generation, change.codec));
  for (const segment of segments) {
    if (!codecs.has(segment.codecNo)) throw inconsistent(`segment ${segment.segmentNo} has an unknown codec`);
    addSegment(db, generation, segment);
  }
  const roots = base.roots + changeRoots(db, generation, change.roots);
  const sources = base.sources + changeSources(db, generation, change.sources);
  rowWriter(db, "commits")(
    generation,
    CATALOG_VERSION,
    base.indexId,
    settingsOf(db, base.generation),
    change.operation,
    staging?.documents ?? 0,
    deleteDocuments.length,
    change.codec?.codecNo ?? base.codec?.codecNo ?? null,
    base.segments.length + segments.length - dropSegments.length,
    base.documents + added.documents - removed.documents,
    base.passages + added.passages - removed.passages,
    base.tokens + added.tokens - removed.tokens,
    staging?.endDocument ?? base.nextDocument,
    staging?.endPassage ?? base.nextPassage,
    ...tableEnds(db).get()!,
    roots,
    sources,
  );
  return generation;
}

function emptyTotals(): Totals {
  return { documents: 0, passages: 0, tokens: 0 };
}

function settingsOf(db: Database.Database, generation: number): string {
  return new RowQuery(db, "commits", "WHERE generation = ?").get(generation)![3];
}

function addTombstones(db: Database.Database, generation: number, numbers: readonly number[]): Totals {
  const documentOf = new RowQuery(db, "documents", "WHERE document_no = ? AND gen_replaced IS NULL");
  const tombstoneOf = new RowQuery(db, "tombstones", "WHERE document_no = ?");
  const insert = rowWriter(db, "tombstones");
  const total = emptyTotals();
  for (const documentNo of [...numbers].sort((a, b) => a - b)) {
    const document = documentOf.get(documentNo);
    if (document === undefined || tombstoneOf.get(documentNo) !== undefined) {
      throw inconsistent(`it deletes document ${documentNo}, which is not live`);
    }
    const [firstPassage, passages, tokens] = [document[9], document[10], document[11]];
    insert(documentNo, generation, firstPassage, passages, tokens);
    total.documents++;
    total.passages += passages;
    total.tokens += tokens;
  }
  return total;
}

/** The live row of a number. */
function liveByNumber(db: Database.Database): RowQuery<"documents"> {
  return new RowQuery(
    db,
    "documents",
    `WHERE document_no = ? AND gen_replaced IS NULL
       AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.document_no = documents.document_no)`,
  );
}

/** Ends the rows of all documents first, so that two of them may swap their ids. */
function updateDocuments(
  db: Database.Database,
  generation: number,
  updates: readonly DocumentUpdate[],
): void {
  if (updates.length === 0) return;
  const documentOf = liveByNumber(db);
  const sorted = [...updates].sort((a, b) => a.documentNo - b.documentNo);
  const replace = rowWriter(db, "documents", "REPLACE");
  const rows = sorted.map(({ documentNo }) => {
    const row = documentOf.get(documentNo);
    if (row === undefined) throw inconsistent(`it updates document ${documentNo}, which is not live`);
    const [, genAdded, , ...rest] = row.slice(0, -1) as unknown as WithoutChecksum<Rows["documents"]>;
    replace(documentNo, genAdded, generation, ...rest);
    return row;
  });
  const byId = new IndexedRows(db, "id");
  const insert = rowWriter(db, "documents");
  const renamed: string[] = [];
  sorted.forEach((update, i) => {
    const row = rows[i]!;
    const checked = checkDocument(updatedInput(row, update));
    if (checked.id !== row[3]) renamed.push(checked.id);
    if (byId.live(checked.id, generation).length > 0) {
      throw inconsistent(`document ${describe(checked.id)} is live and another one would get its id`);
    }
    const { id, title, url, metadata, sourcePath, sourceLine } = checked;
    const values = [id, title, url, metadata, sourcePath, sourceLine] as const;
    insert(update.documentNo, generation, null, ...values, row[9], row[10], row[11]);
  });
  if (renamed.length > 0) new HiddenRows(db).requireNew(renamed, generation);
}

function updatedInput(row: Rows["documents"], update: DocumentUpdate): Parameters<typeof checkDocument>[0] {
  const [, , , id, title, url, metadata, path, line] = row;
  const chosen = <T>(value: T | null | undefined, before: T | null): T | undefined =>
    (value === undefined ? before : value) ?? undefined;
  const before =
    metadata === null ? null : objectFromJsonText(metadata, `the metadata of document ${row[0]}`);
  const source = chosen(update.source, path === null ? null : line === null ? { path } : { path, line });
  const values = {
    title: chosen(update.title, title),
    url: chosen(update.url, url),
    metadata: chosen(update.metadata, before),
  };
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return {
    id: update.id ?? id,
    text: "",
    ...Object.fromEntries(given),
    ...(source === undefined ? {} : { source }),
  };
}

function copyStaged(db: Database.Database, generation: number, staging: Staging): Totals {
  const byId = new IndexedRows(db, "id");
  const hidden = new HiddenRows(db);
  let ids: string[] = [];
  const insertDocument = rowWriter(db, "documents");
  const insertText = rowWriter(db, "texts");
  const insertPassage = rowWriter(db, "passages");
  const total = emptyTotals();
  for (const document of staging.readDocuments()) {
    const { documentNo, id, title, url, metadata, sourcePath, sourceLine, firstPassage, passages } = document;
    if (byId.live(id, generation).length > 0) {
      throw inconsistent(`document ${describe(id)} is live and would be added a second time`);
    }
    const values = [id, title, url, metadata, sourcePath, sourceLine] as const;
    insertDocument(documentNo, generation, null, ...values, firstPassage, passages, document.tokens);
    insertText(documentNo, document.text);
    total.documents++;
    total.passages += passages;
    total.tokens += document.tokens;
    if (ids.push(id) < IDS_AT_ONCE) continue;
    hidden.requireNew(ids, generation, staging.firstDocument);
    ids = [];
  }
  // An id that damage hides must not get a second document.
  hidden.requireNew(ids, generation, staging.firstDocument);
  for (const span of staging.readSpans()) {
    const { passageNo, documentNo, start, end, lineStart, lineEnd, context } = span;
    insertPassage(passageNo, documentNo, start, end, lineStart, lineEnd, span.tokens, context);
  }
  if (staging.passages > 0) writeWords(db, staging.firstPassage);
  return total;
}

function addCodec(db: Database.Database, generation: number, codec: CodecRecord): number {
  const { codecNo, baseCodecNo, file, centroids } = codec;
  checkFileRecord("codec", file);
  const { name, length, crc32, sha256, fileId } = file;
  rowWriter(db, "codecs")(codecNo, generation, baseCodecNo, name, length, crc32, sha256, fileId, centroids);
  return codecNo;
}

function addSegment(db: Database.Database, generation: number, segment: SegmentRecord): void {
  const { segmentNo, file, codecNo, firstPassage, lastPassage, passages, tokens } = segment;
  checkFileRecord("segment", file);
  const { name, length, crc32, sha256, fileId } = file;
  const stored = [name, length, crc32, sha256, fileId, codecNo] as const;
  rowWriter(db, "segments")(
    segmentNo,
    generation,
    null,
    ...stored,
    firstPassage,
    lastPassage,
    passages,
    tokens,
  );
}

/** New segments hold all staged tokens, or no more than the dropped ones did. */
function checkSegments(
  segments: readonly SegmentRecord[],
  staged: Totals,
  dropped: Totals,
  merging: boolean,
): void {
  const total = emptyTotals();
  for (const { passages, tokens } of segments) {
    total.passages += passages;
    total.tokens += tokens;
  }
  if (merging) {
    if (staged.documents > 0) throw inconsistent("it adds documents and replaces segments");
    if (total.passages <= dropped.passages && total.tokens <= dropped.tokens) return;
    throw inconsistent(
      `segments of ${dropped.passages} passages are replaced by some of ${total.passages} passages`,
    );
  }
  // Passages without a single token vector need no segment when there is no codec to make one with.
  if (segments.length === 0 && staged.tokens === 0) return;
  if (total.passages !== staged.passages || total.tokens !== staged.tokens) {
    throw inconsistent(
      `${staged.passages} passages with ${staged.tokens} tokens are staged, its segments hold ${total.passages} with ${total.tokens}`,
    );
  }
}

function dropSegmentRows(db: Database.Database, generation: number, numbers: readonly number[]): Totals {
  const segmentOf = new RowQuery(db, "segments", "WHERE segment_no = ?");
  const replace = rowWriter(db, "segments", "REPLACE");
  const total = emptyTotals();
  for (const segmentNo of [...numbers].sort((a, b) => a - b)) {
    const row = segmentOf.get(segmentNo);
    if (row === undefined || row[2] !== null)
      throw inconsistent(`it drops segment ${segmentNo}, which is not in use`);
    const [, added, , ...rest] = row.slice(0, -1) as unknown as WithoutChecksum<Rows["segments"]>;
    replace(segmentNo, added, generation, ...rest);
    total.passages += row[11];
    total.tokens += row[12];
  }
  return total;
}

/** Returns by how many the live roots grow. */
function changeRoots(db: Database.Database, generation: number, change: CatalogChange["roots"]): number {
  if (change === undefined) return 0;
  const rootOf = new RowQuery(db, "roots", "WHERE root_no = ?");
  const replace = rowWriter(db, "roots", "REPLACE");
  for (const rootNo of [...change.drop].sort((a, b) => a - b)) {
    const row = rootOf.get(rootNo);
    if (row === undefined || row[2] !== null)
      throw inconsistent(`it drops root ${rootNo}, which is not in use`);
    const [, added, , path, prefix, options] = row;
    replace(rootNo, added, generation, path, prefix, options);
  }
  const insert = rowWriter(db, "roots");
  for (const { rootNo, path, prefix, options } of change.add) {
    insert(rootNo, generation, null, path, prefix, toJsonText(options, { sortKeys: true }));
  }
  return change.add.length - change.drop.length;
}

/** Returns by how many the live sources grow. */
function changeSources(db: Database.Database, generation: number, change: CatalogChange["sources"]): number {
  if (change === undefined) return 0;
  const sourceOf = new RowQuery(db, "sources", "WHERE source_no = ?");
  const replace = rowWriter(db, "sources", "REPLACE");
  for (const sourceNo of [...change.drop].sort((a, b) => a - b)) {
    const row = sourceOf.get(sourceNo);
    if (row === undefined || row[2] !== null)
      throw inconsistent(`it drops source ${sourceNo}, which is not in use`);
    const [, added, , rootNo, path, size, modified, sha256] = row;
    replace(sourceNo, added, generation, rootNo, path, size, modified, sha256);
  }
  let sourceNo = Number(db.prepare("SELECT coalesce(max(source_no), 0) + 1 FROM sources").pluck().get());
  const insert = rowWriter(db, "sources");
  for (const { rootNo, path, size, modified, sha256 } of change.add) {
    insert(sourceNo++, generation, null, rootNo, path, size, modified, sha256);
  }
  return change.add.length - change.drop.length;
}
