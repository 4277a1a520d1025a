/** Opens every file of a generation before anything is answered from it. */
import { join } from "node:path";
import type { Codec } from "../codec/codec.js";
import { decodeCodecFile } from "../codec/codec-file.js";
import { MaxsimError } from "../common/errors.js";
import type { Catalog, Generation } from "../documents/catalog.js";
import type { CodecRecord, FileRecord, SegmentRecord, Snapshot } from "../documents/records.js";
import { decodeSegment, inGeneration, type Segment } from "../indexing/segment.js";
import type { SearchSnapshot } from "../search/types.js";
import type { FileMapper } from "../storage/file-mapper.js";
import type { FileType } from "../storage/file-names.js";
import type { SectionFile } from "../storage/section-file.js";
import { readSectionFile, VERIFY_WHOLE_BYTES } from "../storage/section-reader.js";
import { SnapshotLock } from "../storage/snapshot-lock.js";

export interface LoadedSnapshot {
  readonly catalog: Snapshot;
  readonly codec: { readonly codec: Codec; readonly record: CodecRecord } | null;
  /** Null while the index holds no token vector. */
  readonly search: SearchSnapshot | null;
  /** By file id. */
  readonly segments: ReadonlyMap<string, Segment>;
}

/** A loaded generation whose files and rows nobody removes while the lock is held. */
export interface HeldSnapshot {
  readonly loaded: LoadedSnapshot;
  readonly lock: SnapshotLock;
}

/** A writer that commits again and again can be outrun; each try takes milliseconds. */
const MAX_TRIES = 100;

/**
 * The newest generation, held. Files of `previous` that it still names are taken over instead of opened again; without
 * a mapper each file is read into memory. Errors: CORRUPT naming the file, FORMAT_TOO_NEW, PATH_NOT_FOUND, LOCKED, IO.
 */
export async function holdNewest(
  folder: string,
  catalog: Catalog,
  previous: LoadedSnapshot | null,
  mapper: FileMapper | undefined,
): Promise<HeldSnapshot> {
  const { generation, lock } = holdGeneration(folder, catalog);
  try {
    return { loaded: await openGeneration(folder, generation, previous, mapper), lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The newest generation, held, its files unopened. Errors: CORRUPT, LOCKED, IO. */
export function holdGeneration(
  folder: string,
  catalog: Catalog,
): { readonly generation: Generation; readonly lock: SnapshotLock } {
  for (let tries = 1; ; tries++) {
    const generation = catalog.generation();
    const lock = SnapshotLock.hold(folder, generation.snapshot.generation);
    try {
      // Only a generation that is still the newest after the lock was taken is protected by it.
      if (tries === MAX_TRIES || catalog.newestGeneration() === generation.snapshot.generation) {
        return { generation, lock };
      }
    } catch (error) {
      lock.release();
      throw error;
    }
    lock.release();
  }
}

/** Opens the files of a generation that cannot go away: it is held, or the writer lock is. */
export async function openGeneration(
  folder: string,
  { snapshot, deleted }: Generation,
  previous: LoadedSnapshot | null,
  mapper: FileMapper | undefined,
): Promise<LoadedSnapshot> {
  if (snapshot.codec === null) return { catalog: snapshot, codec: null, search: null, segments: new Map() };
  const files = new FileOpener(folder, snapshot.indexId, mapper);
  try {
    const codec = await loadCodec(files, snapshot.codec, previous);
    const byFile = new Map<string, Segment>();
    for (const record of snapshot.segments) {
      const known = previous?.segments.get(record.file.fileId);
      const { centroids } = snapshot.codecs.get(record.codecNo)!;
      const segment =
        known === undefined
          ? await loadSegment(files, record, centroids, codec, deleted, snapshot.nextDocument)
          : inGeneration(known, codec, deleted);
      byFile.set(record.file.fileId, segment);
    }
    const segments = [...byFile.values()];
    return {
      catalog: snapshot,
      codec: { codec, record: snapshot.codec },
      search: { codec, segments, tokens: snapshot.tokens },
      segments: byFile,
    };
  } catch (error) {
    files.close();
    throw error;
  }
}

/** The files of a snapshot, which may be those of other snapshots as well. */
export function filesOf({ codec, segments }: LoadedSnapshot): SectionFile[] {
  return [codec?.codec.file ?? null, ...[...segments.values()].map(({ file }) => file)].filter(
    (file) => file !== null,
  );
}

class FileOpener {
  private readonly opened: SectionFile[] = [];
  /** Small files are verified whole while they are opened, as long as that takes no noticeable time. */
  private verifyBudget = VERIFY_WHOLE_BYTES;

  constructor(
    private readonly folder: string,
    private readonly indexId: string,
    private readonly mapper: FileMapper | undefined,
  ) {}

  async open(type: FileType, { name, length, fileId }: FileRecord): Promise<SectionFile> {
    const file = await readSectionFile(
      join(this.folder, name),
      { type, indexId: this.indexId, fileId, length },
      { mapper: this.mapper, verifyWhole: this.verifyBudget },
    );
    if (file.verifiedWhole) this.verifyBudget -= length;
    this.opened.push(file);
    return file;
  }

  close(): void {
    for (const file of this.opened) file.close();
  }
}

async function loadCodec(
  files: FileOpener,
  record: CodecRecord,
  previous: LoadedSnapshot | null,
): Promise<Codec> {
  const known = previous?.codec ?? null;
  if (known !== null && known.record.file.fileId === record.file.fileId) return known.codec;
  const codec = decodeCodecFile(await files.open("codec", record.file));
  if (codec.codebook.size === record.centroids) return codec;
  throw new MaxsimError(
    "CORRUPT",
    `${record.file.name}: it has ${codec.codebook.size} centroids, the catalog states ${record.centroids}`,
  );
}

async function loadSegment(
  files: FileOpener,
  record: SegmentRecord,
  centroids: number,
  codec: Codec,
  deleted: readonly (readonly [number, number])[],
  nextDocument: number,
): Promise<Segment> {
  const file = await files.open("segment", record.file);
  const segment = decodeSegment(file, codec, { ...record, centroids }, deleted);
  checkDocuments(segment, nextDocument);
  return segment;
}

/** Numbers of documents become sizes of sets, and are looked up by halves. Errors: CORRUPT. */
function checkDocuments({ name, documents }: Segment, nextDocument: number): void {
  let last = 0;
  for (let p = 0; p < documents.length; p++) {
    const documentNo = documents[p]!;
    if (documentNo >= last && documentNo < nextDocument) {
      last = documentNo;
      continue;
    }
    throw new MaxsimError(
      "CORRUPT",
      `${name}: passage ${p} belongs to document ${documentNo}, expected ${last} to ${nextDocument - 1}`,
    );
  }
}
