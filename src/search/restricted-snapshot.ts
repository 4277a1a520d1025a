/**
 * A part of a generation: what a filter leaves of it. A search of the part is a search of an index that holds nothing else,
 * with the same codec: the plan, the candidates and min(k, documents) follow from what remains.
 */
import type { DocumentSet } from "../documents/document-set.js";
import { restrictSegment } from "../indexing/restrict-segment.js";
import type { SearchSnapshot } from "./types.js";

/** The live passages of `documents`; `base` itself when that is all of them. */
export function restrictSnapshot(base: SearchSnapshot, documents: DocumentSet): SearchSnapshot {
  const parts = base.segments.flatMap((segment, place) => {
    const restricted = restrictSegment(segment, documents);
    return restricted === null ? [] : [{ place, ...restricted }];
  });
  const segments = parts.map(({ segment }) => segment);
  const whole = segments.length === base.segments.length && segments.every((s, i) => s === base.segments[i]);
  if (whole) return base;
  const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
  return { codec: base.codec, segments, tokens, partOf: { base, places: parts.map(({ place }) => place) } };
}

/** Whether it is a part that has a quarter of its generation's tokens or less. */
export function isSmallPart({ tokens, partOf }: SearchSnapshot): boolean {
  return partOf !== undefined && 4 * tokens <= partOf.base.tokens;
}

/** Bytes of memory that a part takes beside its generation. */
export function partBytes({ segments, partOf }: SearchSnapshot): number {
  if (partOf === undefined) return 0;
  return segments.reduce((sum, { dead, live }, i) => {
    if (live === partOf.base.segments[partOf.places[i]!]!.live) return sum;
    return sum + (dead?.byteLength ?? 0) + (live?.byteLength ?? 0);
  }, 0);
}

/** A part for another thread that has the generation; arrays over shared memory are not copied. */
export interface PartDescription {
  readonly tokens: number;
  readonly segments: readonly {
    /** Its place in the generation. */
    readonly place: number;
    readonly dead: Uint8Array | null;
    readonly live: Uint32Array | null;
  }[];
}

/** Null for a snapshot that is no part. */
export function describePart({ tokens, segments, partOf }: SearchSnapshot): PartDescription | null {
  if (partOf === undefined) return null;
  const described = segments.map(({ dead, live }, i) => ({ place: partOf.places[i]!, dead, live }));
  return { tokens, segments: described };
}

/** The part that another thread described, of the generation as this thread has it. */
export function attachPart(base: SearchSnapshot, { tokens, segments }: PartDescription): SearchSnapshot {
  const places = segments.map(({ place }) => place);
  const restricted = segments.map(({ place, dead, live }) => ({ ...base.segments[place]!, dead, live }));
  return { codec: base.codec, segments: restricted, tokens, partOf: { base, places } };
}
