/** Opens every file of a generation before anything is answered from it. */
import { join } from "node:path";
import type { Codec } from "../codec/codec.js";
import { decodeCodecFile } from "../codec/codec-file.js";
import type { Catalog } from "../documents/catalog.js";
import type { CodecRecord, FileRecord, SegmentRecord, Snapshot } from "../documents/records.js";
import { decodeSegment, type Segment, withDeletions } from "../indexing/segment.js";
import type { SearchSnapshot } from "../search/types.js";
import type { FileMapper } from "../storage/file-mapper.js";
import type { FileType } from "../storage/file-names.js";
import type { SectionFile } from "../storage/section-file.js";
import { readSectionFile, VERIFY_WHOLE_BYTES } from "../storage/section-reader.js";

export interface LoadedSnapshot {
  readonly catalog: Snapshot;
  readonly codec: { readonly codec: Codec; readonly record: CodecRecord } | null;
  /** Null while the index holds no token vector. */
  readonly search: SearchSnapshot | null;
  /** By file id. */
  readonly segments: ReadonlyMap<string, Segment>;
}

/**
 * Files of `previous` that the new generation still names are taken over instead of opened again. Without a mapper each file
 * is read into memory. Errors: CORRUPT naming the file, FORMAT_TOO_NEW, PATH_NOT_FOUND, IO.
 */
export async function loadSnapshot(
  folder: string,
  catalog: Catalog,
  previous: LoadedSnapshot | null,
  mapper: FileMapper | undefined,
): Promise<LoadedSnapshot> {
  const snapshot = catalog.snapshot();
  if (snapshot.codec === null) return { catalog: snapshot, codec: null, search: null, segments: new Map() };
  const files = new FileOpener(folder, snapshot.indexId, mapper);
  try {
    const codec = await loadCodec(files, snapshot.codec, previous);
    const deleted = catalog.deadPassages(snapshot);
    const byFile = new Map<string, Segment>();
    for (const record of snapshot.segments) {
      const known = previous?.segments.get(record.file.fileId);
      const segment =
        known === undefined
          ? await loadSegment(files, record, codec, deleted)
          : withDeletions(known, deleted);
      byFile.set(record.file.fileId, segment);
    }
    const segments = [...byFile.values()];
    return {
      catalog: snapshot,
      codec: { codec, record: snapshot.codec },
      search: {
        codec,
        segments,
        tokens: snapshot.tokens,
      },
      segments: byFile,
    };
  } catch (error) {
    files.close();
    throw error;
  }
}

/**
 * Lets go of the mapped files. Nothing may be searching them on this thread; other threads keep what they have attached.
 */
export function closeSnapshot({ codec, segments }: LoadedSnapshot): void {
  codec?.codec.file?.close();
  for (const { file } of segments.values()) file?.close();
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
  return decodeCodecFile(await files.open("codec", record.file));
}

async function loadSegment(
  files: FileOpener,
  record: SegmentRecord,
  codec: Codec,
  deleted: readonly (readonly [number, number])[],
): Promise<Segment> {
  return decodeSegment(await files.open("segment", record.file), codec, record, deleted);
}
