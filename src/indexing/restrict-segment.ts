/** A segment with a part of its documents: to a search the others are as if they were deleted. */
import type { DocumentSet } from "../documents/document-set.js";
import type { Segment } from "./segment.js";

export interface RestrictedSegment {
  /** The segment itself where all of its live documents are meant. */
  readonly segment: Segment;
  /** Tokens of its passages that remain. */
  readonly tokens: number;
}

/**
 * Leaves of the live passages those of `documents`. What it makes lies in shared memory, 1 byte a passage and 4 a passage
 * that remains; everything else is that of `segment`. Null when nothing remains.
 */
export function restrictSegment(segment: Segment, documents: DocumentSet): RestrictedSegment | null {
  const { passages, offsets, documents: documentOf, dead } = segment;
  const kept = new Uint32Array(passages);
  let count = 0;
  let tokens = 0;
  // A document's passages lie side by side.
  let last = -1;
  let meant = false;
  for (let p = 0; p < passages; p++) {
    if (dead !== null && dead[p] === 1) continue;
    const documentNo = documentOf[p]!;
    if (documentNo !== last) {
      last = documentNo;
      meant = documents.has(documentNo);
    }
    if (!meant) continue;
    kept[count++] = p;
    tokens += offsets[p + 1]! - offsets[p]!;
  }
  if (count === 0) return null;
  if (count === (segment.live?.length ?? passages)) return { segment, tokens };
  const live = new Uint32Array(new SharedArrayBuffer(4 * count));
  live.set(kept.subarray(0, count));
  const excluded = new Uint8Array(new SharedArrayBuffer(passages)).fill(1);
  for (const p of live) excluded[p] = 0;
  return { segment: { ...segment, dead: excluded, live }, tokens };
}
