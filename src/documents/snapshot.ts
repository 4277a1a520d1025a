/** Reads one generation and checks that the catalog's tables agree with its commit record. */
import type Database from "better-sqlite3";
import { MaxsimError } from "../common/errors.js";
import { type FileType, isFileId, publishedName } from "../storage/file-names.js";
import { fromJsonText } from "./json-text.js";
import type { CodecRecord, FileRecord, IndexSettings, SegmentRecord, Snapshot } from "./records.js";
import { RowQuery } from "./rows.js";
import type { Rows } from "./schema.js";

export function damagedCatalog(path: string, what: string): MaxsimError {
  return new MaxsimError("CORRUPT", `${path} is damaged: ${what}`, {
    hint: "Restore the index from a copy, or build it again.",
  });
}

/** Undefined when the settings are usable, else what is wrong. */
export function settingsProblem(settings: IndexSettings): string | undefined {
  const { dim, nbits, seed, model } = settings;
  if (!Number.isSafeInteger(dim) || dim < 1 || dim > 65535)
    return `dim must be from 1 to 65535, found ${dim}`;
  if (nbits !== 1 && nbits !== 2 && nbits !== 4) return `nbits must be 1, 2 or 4, found ${String(nbits)}`;
  if (!Number.isSafeInteger(seed)) return `seed must be an integer, found ${seed}`;
  if (model !== null && (typeof model?.name !== "string" || typeof model.fingerprint !== "string")) {
    return "model must be null or have a name and a fingerprint";
  }
  return undefined;
}

export class SnapshotReader {
  private readonly lastCommit: RowQuery<"commits">;
  private readonly commitOf: RowQuery<"commits">;
  private readonly codecOf: RowQuery<"codecs">;
  private readonly segmentsOf: RowQuery<"segments">;
  private readonly tombstonesOf: RowQuery<"tombstones">;
  private readonly ends: Database.Statement<[], [number, number, number]>;

  constructor(private readonly db: Database.Database) {
    this.lastCommit = new RowQuery(db, "commits", "ORDER BY generation DESC LIMIT 1");
    this.commitOf = new RowQuery(db, "commits", "WHERE generation = ?");
    this.codecOf = new RowQuery(db, "codecs", "WHERE codec_no = ?");
    this.segmentsOf = new RowQuery(
      db,
      "segments",
      "WHERE gen_added <= ? AND (gen_dropped IS NULL OR gen_dropped > ?) ORDER BY segment_no",
    );
    this.tombstonesOf = new RowQuery(db, "tombstones", "WHERE gen_deleted <= ? ORDER BY document_no");
    this.ends = db
      .prepare<[], [number, number, number]>(
        `SELECT coalesce((SELECT max(document_no) FROM documents), -1) + 1,
           coalesce((SELECT max(passage_no) FROM passages), -1) + 1, (SELECT count(*) FROM tombstones)`,
      )
      .raw();
  }

  /** The commit record of the newest generation. */
  last(): Rows["commits"] {
    const commit = this.lastCommit.get();
    if (commit === undefined) throw damagedCatalog(this.db.name, "it has no commit record");
    return commit;
  }

  /** The newest generation; call it within a transaction, so that all tables are of one state. */
  read(): Snapshot {
    const commit = this.last();
    const path = this.db.name;
    const [generation, version, indexId, settingsText, codecNo, segmentCount, documents, passages, tokens] =
      commit;
    const [, , , , , , , , , nextDocument, nextPassage, tombstones] = commit;
    if (!isFileId(indexId)) throw damagedCatalog(path, `its index id is ${JSON.stringify(indexId)}`);
    const settings = fromJsonText(
      settingsText,
      `${path}: the settings of generation ${generation}`,
    ) as unknown as IndexSettings;
    const problem = settingsProblem(settings);
    if (problem !== undefined)
      throw damagedCatalog(path, `the settings of format version ${version}: ${problem}`);

    const segments = this.segmentsOf.all(generation, generation).map((row) => toSegment(path, row));
    expectCount(path, "segments", segmentCount, segments.length);
    const held = segments.reduce((sum, segment) => sum + segment.tokens, 0);
    if (held < tokens)
      throw damagedCatalog(path, `its segments hold ${held} tokens, expected at least ${tokens}`);
    // A checksum cannot notice that a row is missing, these numbers can.
    const [documentsEnd, passagesEnd, tombstoneCount] = this.ends.get()!;
    expectCount(path, "document numbers", nextDocument, documentsEnd);
    expectCount(path, "passage numbers", nextPassage, passagesEnd);
    expectCount(path, "tombstones", tombstones, tombstoneCount);
    const codec = codecNo === null ? null : this.codec(codecNo);
    const totals = { documents, passages, tokens, nextDocument, nextPassage };
    return { generation, indexId, settings, codec, segments, ...totals };
  }

  /** Passages of deleted documents as ascending ranges [first, count]; neighbours are joined. */
  deadPassages(generation: number): [first: number, count: number][] {
    const commit = this.commitOf.get(generation);
    if (commit === undefined)
      throw damagedCatalog(this.db.name, `it lacks the commit record of ${generation}`);
    const rows = this.tombstonesOf.all(generation);
    expectCount(this.db.name, "tombstones", commit[11], rows.length);
    const ranges: [first: number, count: number][] = [];
    for (const [, , first, count] of rows) {
      const last = ranges.at(-1);
      if (count === 0) continue;
      if (last !== undefined && last[0] + last[1] === first) last[1] += count;
      else ranges.push([first, count]);
    }
    return ranges;
  }

  private codec(codecNo: number): CodecRecord {
    const row = this.codecOf.get(codecNo);
    if (row === undefined) throw damagedCatalog(this.db.name, `codec ${codecNo} is missing`);
    const [, , name, length, crc32, sha256, fileId, centroids] = row;
    checkFileName(this.db.name, "codec", name, fileId);
    return { codecNo, file: { name, length, crc32, sha256, fileId }, centroids };
  }
}

function toSegment(path: string, row: Rows["segments"]): SegmentRecord {
  const [segmentNo, , , name, length, crc32, sha256, fileId, firstPassage, passages, tokens] = row;
  checkFileName(path, "segment", name, fileId);
  return { segmentNo, file: { name, length, crc32, sha256, fileId }, firstPassage, passages, tokens };
}

/** Only generated names become paths. */
function checkFileName(path: string, type: FileType, name: string, fileId: string): void {
  if (!isFileId(fileId) || name !== publishedName(type, fileId)) {
    throw damagedCatalog(
      path,
      `it names the file ${JSON.stringify(name)} for ${type} ${JSON.stringify(fileId)}`,
    );
  }
}

/** A record that is about to be stored. Errors: INTERNAL. */
export function checkFileRecord(type: FileType, file: FileRecord): void {
  if (!isFileId(file.fileId) || file.name !== publishedName(type, file.fileId)) {
    throw new MaxsimError("INTERNAL", `${file.name} is not the name of the ${type} ${file.fileId}`);
  }
}

function expectCount(path: string, what: string, expected: number, found: number): void {
  if (expected !== found) throw damagedCatalog(path, `it has ${found} ${what}, expected ${expected}`);
}
