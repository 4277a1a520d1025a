/** A snapshot for another thread: what is stored in files or in shared memory is not copied. */
import { attachCodec, type CodecDescription, describeCodec } from "../codec/codec-description.js";
import { attachSegment, describeSegment, type SegmentDescription } from "../indexing/segment-description.js";
import type { FileMapper } from "../storage/file-mapper.js";
import type { SearchSnapshot } from "./types.js";

/** Plain data that survives structured cloning. */
export interface SnapshotDescription {
  readonly codec: CodecDescription;
  readonly segments: readonly SegmentDescription[];
  readonly tokens: number;
}

export function describeSnapshot(snapshot: SearchSnapshot): SnapshotDescription {
  const { codec, segments, tokens } = snapshot;
  return {
    codec: describeCodec(codec),
    segments: segments.map(describeSegment),
    tokens,
  };
}

/**
 * The snapshot that another thread described. Mapped files need the mapper of the calling thread, and are let go of when
 * the snapshot is collected. Errors: CLOSED when the other thread has closed them already.
 */
export function attachSnapshot(
  description: SnapshotDescription,
  mapper: FileMapper | undefined,
): SearchSnapshot {
  const { tokens } = description;
  const codec = attachCodec(description.codec, mapper);
  const segments = description.segments.map((segment) => attachSegment(segment, mapper));
  return { codec, segments, tokens };
}
