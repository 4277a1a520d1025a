/** Reads one generation and checks that the catalog's tables agree with its commit record. */
import type Database from "better-sqlite3";
import { MaxsimError } from "../common/errors.js";
import { LEXICAL_KINDS } from "../lexical/types.js";
import { type FileType, isFileId, publishedName } from "../storage/file-names.js";
import { damagedCatalog } from "./damaged-catalog.js";
import { fromJsonText } from "./json-text.js";
import {
  type CodecRecord,
  type FileRecord,
  type GenerationRecord,
  type IndexSettings,
  OPERATIONS,
  type SegmentRecord,
  type Snapshot,
} from "./records.js";
import { RowQuery } from "./rows.js";
import type { Rows } from "./schema.js";

/** Undefined when the settings are usable, else what is wrong. */
export function settingsProblem(settings: IndexSettings): string | undefined {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings))
    return `an object is expected, found ${JSON.stringify(settings)}`;
  const { dim, nbits, seed, model, lexical } = settings;
  if (lexical !== undefined && !LEXICAL_KINDS.includes(lexical))
    return `lexical must be one of ${LEXICAL_KINDS.join(", ")}, found ${String(lexical)}`;
  if (!Number.isSafeInteger(dim) || dim < 1 || dim > 65535)
    return `dim must be from 1 to 65535, found ${dim}`;
  if (nbits !== 1 && nbits !== 2 && nbits !== 4) return `nbits must be 1, 2 or 4, found ${String(nbits)}`;
  if (!Number.isSafeInteger(seed)) return `seed must be an integer, found ${seed}`;
  if (model !== null && (typeof model?.name !== "string" || typeof model.fingerprint !== "string")) {
    return "model must be null or have a name and a fingerprint";
  }
  return undefined;
}

/** The last document and passage numbers that there are rows of, and how many tombstones: what a commit record states. */
export function tableEnds(
  db: Database.Database,
): Database.Statement<[], [lastDocument: number | null, lastPassage: number | null, tombstones: number]> {
  return db
    .prepare<[], [number | null, number | null, number]>(
      `SELECT (SELECT max(document_no) FROM documents), (SELECT max(passage_no) FROM passages),
         (SELECT count(*) FROM tombstones)`,
    )
    .raw();
}

export class SnapshotReader {
  private readonly lastCommit: RowQuery<"commits">;
  private readonly commitOf: RowQuery<"commits">;
  private readonly commits: RowQuery<"commits">;
  private readonly codecOf: RowQuery<"codecs">;
  private readonly segmentsOf: RowQuery<"segments">;
  private readonly tombstonesOf: RowQuery<"tombstones">;
  private readonly ends: ReturnType<typeof tableEnds>;
  private readonly next: Database.Statement<[], [number, number, number]>;

  constructor(private readonly db: Database.Database) {
    this.lastCommit = new RowQuery(db, "commits", "ORDER BY generation DESC LIMIT 1");
    this.commitOf = new RowQuery(db, "commits", "WHERE generation = ?");
    this.commits = new RowQuery(db, "commits", "WHERE generation < ? ORDER BY generation DESC LIMIT ?");
    this.codecOf = new RowQuery(db, "codecs", "WHERE codec_no = ?");
    this.segmentsOf = new RowQuery(
      db,
      "segments",
      "WHERE gen_added <= ? AND (gen_dropped IS NULL OR gen_dropped > ?) ORDER BY first_passage",
    );
    this.tombstonesOf = new RowQuery(db, "tombstones", "WHERE gen_deleted <= ? ORDER BY document_no");
    this.ends = tableEnds(db);
    this.next = db
      .prepare<[], [number, number, number]>(
        `SELECT coalesce((SELECT max(segment_no) FROM segments), 0) + 1,
           coalesce((SELECT max(codec_no) FROM codecs), 0) + 1,
           coalesce((SELECT max(root_no) FROM roots), 0) + 1`,
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
    const [generation, version, indexId, settingsText, , , , codecNo, segmentCount] = commit;
    const [documents, passages, tokens, nextDocument, nextPassage, lastDocument, lastPassage] = commit.slice(
      9,
    ) as TailOfCommit;
    const [tombstones, roots, sources] = commit.slice(16) as [number, number, number];
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
    checkRanges(path, segments);
    const held = segments.reduce((sum, segment) => sum + segment.tokens, 0);
    if (held < tokens)
      throw damagedCatalog(path, `its segments hold ${held} tokens, expected at least ${tokens}`);
    // A checksum cannot notice that a row is missing, these numbers can.
    const [documentsEnd, passagesEnd, tombstoneCount] = this.ends.get()!;
    expectCount(path, "as the last document number", lastDocument, documentsEnd);
    expectCount(path, "as the last passage number", lastPassage, passagesEnd);
    expectCount(path, "tombstones", tombstones, tombstoneCount);
    const codec = codecNo === null ? null : this.codec(codecNo);
    const codecs = this.lineage(codec, segments);
    const [nextSegment, nextCodec, nextRoot] = this.next.get()!;
    const totals = { documents, passages, tokens, roots, sources };
    const next = { nextDocument, nextPassage, nextSegment, nextCodec, nextRoot };
    return { generation, indexId, settings, codec, codecs, segments, ...totals, ...next };
  }

  /** Passages of deleted documents as ascending ranges [first, count]; neighbours are joined. */
  deadPassages(generation: number): [first: number, count: number][] {
    const commit = this.commitOf.get(generation);
    if (commit === undefined)
      throw damagedCatalog(this.db.name, `it lacks the commit record of ${generation}`);
    const rows = this.tombstonesOf.ascending(generation);
    expectCount(this.db.name, "tombstones", commit[16], rows.length);
    const ranges: [first: number, count: number][] = [];
    for (const [, , first, count] of rows) {
      const last = ranges.at(-1);
      if (count === 0) continue;
      if (last !== undefined && last[0] + last[1] === first) last[1] += count;
      else ranges.push([first, count]);
    }
    return ranges;
  }

  /** Names of the files that a generation of at least `oldest` names. A codec is in use until the next one is added. */
  filesInUse(oldest: number): Set<string> {
    const segments = new RowQuery(
      this.db,
      "segments",
      "WHERE gen_dropped IS NULL OR gen_dropped > ? ORDER BY segment_no",
    ).all(oldest);
    const codecs = new RowQuery(
      this.db,
      "codecs",
      `WHERE NOT EXISTS (SELECT 1 FROM codecs n WHERE n.codec_no > codecs.codec_no AND n.gen_added <= ?)
         ORDER BY codec_no`,
    ).all(oldest);
    return new Set([...segments.map((row) => row[3]), ...codecs.map((row) => row[3])]);
  }

  /** At most `limit` generations below `before`, newest first. */
  generations(before: number, limit: number): GenerationRecord[] {
    return this.commits.all(before, limit).map((row, i) => {
      if (row[0] !== before - 1 - i)
        throw damagedCatalog(this.db.name, `the commit record of generation ${before - 1 - i} is missing`);
      const [generation, , , , operation, added, removed, , segments, documents, passages, tokens] = row;
      const known = OPERATIONS.find((name) => name === operation);
      if (known === undefined)
        throw damagedCatalog(
          this.db.name,
          `generation ${generation} was made by ${JSON.stringify(operation)}`,
        );
      return { generation, operation: known, added, removed, documents, passages, tokens, segments };
    });
  }

  /** The index's codec and those that it extends, as far as segments name them. */
  private lineage(codec: CodecRecord | null, segments: readonly SegmentRecord[]): Map<number, CodecRecord> {
    const codecs = new Map<number, CodecRecord>();
    const path = this.db.name;
    const wanted = new Set(segments.map(({ codecNo }) => codecNo));
    for (let next = codec; next !== null; ) {
      codecs.set(next.codecNo, next);
      wanted.delete(next.codecNo);
      if (wanted.size === 0 || next.baseCodecNo === null) break;
      const base = this.codec(next.baseCodecNo);
      if (base.codecNo >= next.codecNo || base.centroids > next.centroids) {
        throw damagedCatalog(path, `codec ${next.codecNo} cannot extend codec ${base.codecNo}`);
      }
      next = base;
    }
    for (const segment of segments) {
      if (codecs.has(segment.codecNo)) continue;
      throw damagedCatalog(
        path,
        `segment ${segment.segmentNo} has codec ${segment.codecNo}, which the index's codec does not extend`,
      );
    }
    return codecs;
  }

  private codec(codecNo: number): CodecRecord {
    const row = this.codecOf.get(codecNo);
    if (row === undefined) throw damagedCatalog(this.db.name, `codec ${codecNo} is missing`);
    const [, , baseCodecNo, name, length, crc32, sha256, fileId, centroids] = row;
    checkFileName(this.db.name, "codec", name, fileId);
    return { codecNo, baseCodecNo, file: { name, length, crc32, sha256, fileId }, centroids };
  }
}

type TailOfCommit = [
  documents: number,
  passages: number,
  tokens: number,
  nextDocument: number,
  nextPassage: number,
  lastDocument: number | null,
  lastPassage: number | null,
];

/** Segments hold passages of ranges that do not overlap, so that their order is that of the passages. */
function checkRanges(path: string, segments: readonly SegmentRecord[]): void {
  let previous = -1;
  for (const { segmentNo, firstPassage, lastPassage, passages } of segments) {
    if (firstPassage <= previous || passages < 1 || lastPassage - firstPassage + 1 < passages) {
      throw damagedCatalog(
        path,
        `segment ${segmentNo} cannot hold ${passages} passages from ${firstPassage} to ${lastPassage}`,
      );
    }
    previous = lastPassage;
  }
}

function toSegment(path: string, row: Rows["segments"]): SegmentRecord {
  const [segmentNo, , , name, length, crc32, sha256, fileId, codecNo, firstPassage, lastPassage] = row;
  const [passages, tokens] = [row[11], row[12]];
  checkFileName(path, "segment", name, fileId);
  const file = { name, length, crc32, sha256, fileId };
  return { segmentNo, file, codecNo, firstPassage, lastPassage, passages, tokens };
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

function expectCount(path: string, what: string, expected: number | null, found: number | null): void {
  if (expected !== found) throw damagedCatalog(path, `it has ${found} ${what}, expected ${expected}`);
}
