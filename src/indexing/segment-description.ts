/** A segment for another thread. One that lies in a file is not copied. */
import type { Codec } from "../codec/codec.js";
import type { FileMapper } from "../storage/file-mapper.js";
import type { SectionFileDescription } from "../storage/section-file.js";
import { attachSectionFile } from "../storage/section-reader.js";
import { guarded, type Segment, type SegmentData, sectionViews, segmentInMemory } from "./segment.js";

type InFile = "documents" | "compressed" | "postingOffsets" | "postings";

/** Plain data that survives structured cloning; arrays over shared memory are not copied by it. */
export interface SegmentDescription extends Omit<SegmentData, InFile> {
  readonly stored:
    | { readonly kind: "file"; readonly file: SectionFileDescription }
    | ({ readonly kind: "memory" } & Pick<SegmentData, InFile>);
}

export function describeSegment(segment: Segment): SegmentDescription {
  const { name, passages, tokens, firstPassage, offsets, dead, live, file } = segment;
  const { documents, compressed, postingOffsets, postings } = segment;
  return {
    name,
    passages,
    tokens,
    firstPassage,
    offsets,
    dead,
    live,
    stored:
      file === null
        ? { kind: "memory", documents, compressed, postingOffsets, postings }
        : { kind: "file", file: file.describe() },
  };
}

/** The segment that another thread described, over the same memory. Errors: as `attachSectionFile`. */
export function attachSegment(
  description: SegmentDescription,
  codec: Codec,
  mapper: FileMapper | undefined,
): Segment {
  const { stored, ...data } = description;
  if (stored.kind === "memory") {
    const { kind, ...views } = stored;
    return segmentInMemory({ ...data, ...views });
  }
  const file = attachSectionFile(stored.file, mapper);
  return guarded(file, { ...data, ...sectionViews(file, codec) });
}
