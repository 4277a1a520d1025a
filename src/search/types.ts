/** What the stages of a search hand to each other. */

import type { Codec } from "../codec/codec.js";
import type { CompressedTokens, PassageOffsets } from "../kernels/backend.js";

/** What search needs of one segment. Buffers are shared between threads and never written. */
export interface SearchSegment {
  /** File name, for messages. */
  readonly name: string;
  readonly passages: number;
  readonly tokens: number;
  /** Passage number of the segment's first passage. */
  readonly firstPassage: number;
  readonly offsets: PassageOffsets;
  /** u32 `[passages]`: document number of each passage; a document's passages lie side by side. */
  readonly documents: Uint32Array;
  readonly compressed: CompressedTokens;
  /** u32 `[centroids + 1]` byte offsets into `postings`. */
  readonly postingOffsets: Uint32Array;
  readonly postings: Uint8Array;
  /** 1 for passages of deleted documents; null when there are none. */
  readonly dead: Uint8Array | null;
}

/** One generation as search sees it. */
export interface SearchSnapshot {
  readonly codec: Codec;
  readonly segments: readonly SearchSegment[];
  /** Live documents that have at least one token vector. */
  readonly searchableDocuments: number;
  /** Tokens of all segments, deleted passages included: what an exhaustive scan costs. */
  readonly tokens: number;
}

/** Passages of one segment: ascending ordinals, or null for all of them. */
export interface SegmentPassages {
  readonly segment: SearchSegment;
  readonly passages: Uint32Array | null;
}

/** Scores in the order of the passages that they belong to. */
export interface ScoredPassages extends SegmentPassages {
  readonly scores: Float32Array;
}

export interface RankedDocument {
  readonly documentNo: number;
  readonly score: number;
  /** The passage that gave the score. */
  readonly passageNo: number;
}
