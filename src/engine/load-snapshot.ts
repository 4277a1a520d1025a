/** Opens every file of a generation before anything is answered from it. */
import { join } from "node:path";
import type { Codec } from "../codec/codec.js";
import { decodeCodecFile } from "../codec/codec-file.js";
import type { Catalog } from "../documents/catalog.js";
import type { CodecRecord, SegmentRecord, Snapshot } from "../documents/records.js";
import { decodeSegment, type Segment, withDeletions } from "../indexing/segment.js";
import type { SearchSnapshot } from "../search/types.js";
import { readSectionFile } from "../storage/section-reader.js";

export interface LoadedSnapshot {
  readonly catalog: Snapshot;
  readonly codec: { readonly codec: Codec; readonly record: CodecRecord } | null;
  /** Null while the index holds no token vector. */
  readonly search: SearchSnapshot | null;
  /** By file id. */
  readonly segments: ReadonlyMap<string, Segment>;
}

/** Files of `previous` that the new generation still names are taken over instead of read again. */
export async function loadSnapshot(
  folder: string,
  catalog: Catalog,
  previous: LoadedSnapshot | null,
): Promise<LoadedSnapshot> {
  const snapshot = catalog.snapshot();
  if (snapshot.codec === null) return { catalog: snapshot, codec: null, search: null, segments: new Map() };
  const codec = await loadCodec(folder, snapshot, snapshot.codec, previous);
  const deleted = catalog.deadPassages(snapshot);
  const byFile = new Map<string, Segment>();
  for (const record of snapshot.segments) {
    const known = previous?.segments.get(record.file.fileId);
    const segment =
      known === undefined
        ? await loadSegment(folder, snapshot, record, codec, deleted)
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
      searchableDocuments: countSearchable(segments),
      tokens: snapshot.tokens,
    },
    segments: byFile,
  };
}

async function loadCodec(
  folder: string,
  snapshot: Snapshot,
  record: CodecRecord,
  previous: LoadedSnapshot | null,
): Promise<Codec> {
  const known = previous?.codec ?? null;
  if (known !== null && known.record.file.fileId === record.file.fileId) return known.codec;
  const { name, length, fileId } = record.file;
  const file = await readSectionFile(join(folder, name), {
    type: "codec",
    indexId: snapshot.indexId,
    fileId,
    length,
  });
  return decodeCodecFile(file);
}

async function loadSegment(
  folder: string,
  snapshot: Snapshot,
  record: SegmentRecord,
  codec: Codec,
  deleted: readonly (readonly [number, number])[],
): Promise<Segment> {
  const { name, length, fileId } = record.file;
  const file = await readSectionFile(join(folder, name), {
    type: "segment",
    indexId: snapshot.indexId,
    fileId,
    length,
  });
  return decodeSegment(file, codec, record, deleted);
}

/** Documents with at least one live passage that has tokens. A document's passages lie in one segment. */
function countSearchable(segments: readonly Segment[]): number {
  let count = 0;
  for (const { passages, offsets, documents, dead } of segments) {
    let counted = -1;
    for (let p = 0; p < passages; p++) {
      if (documents[p] === counted || offsets[p] === offsets[p + 1] || dead?.[p] === 1) continue;
      counted = documents[p]!;
      count++;
    }
  }
  return count;
}
