/** A segment for another thread. One that lies in a file is not copied. */
import type { FileMapper } from "../storage/file-mapper.js";
import type { SectionFileDescription } from "../storage/section-file.js";
import { attachSectionFile } from "../storage/section-reader.js";
import { guarded, type Segment, type SegmentData, sectionViews, segmentInMemory } from "./segment.js";

type InFile = "numbers" | "documents" | "compressed" | "postingOffsets" | "postings";

/** Plain data that survives structured cloning; arrays over shared memory are not copied by it. */
export interface SegmentDescription extends Omit<SegmentData, InFile> {
  readonly stored:
    | {
        readonly kind: "file";
        readonly file: SectionFileDescription;
        /** Offsets for the centroids of an extended codec, over shared memory; null when the file's own are meant. */
        readonly extendedOffsets: Uint32Array | null;
      }
    | ({ readonly kind: "memory" } & Pick<SegmentData, InFile>);
}

export function describeSegment(segment: Segment): SegmentDescription {
  const { name, passages, tokens, centroids, offsets, dead, live, file } = segment;
  const { numbers, documents, compressed, postingOffsets, postings } = segment;
  const extendedOffsets = postingOffsets.length === centroids + 1 ? null : postingOffsets;
  return {
    name,
    passages,
    tokens,
    centroids,
    offsets,
    dead,
    live,
    stored:
      file === null
        ? { kind: "memory", numbers, documents, compressed, postingOffsets, postings }
        : { kind: "file", file: file.describe(), extendedOffsets },
  };
}

/** The segment that another thread described, over the same memory. Errors: as `attachSectionFile`. */
export function attachSegment(description: SegmentDescription, mapper: FileMapper | undefined): Segment {
  const { stored, ...data } = description;
  if (stored.kind === "memory") {
    const { kind, ...views } = stored;
    return segmentInMemory({ ...data, ...views });
  }
  const file = attachSectionFile(stored.file, mapper);
  const views = sectionViews(file, data.centroids);
  const postingOffsets = stored.extendedOffsets ?? views.postingOffsets;
  return guarded(file, { ...data, ...views, postingOffsets });
}
