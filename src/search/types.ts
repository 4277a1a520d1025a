/** What the stages of a search hand to each other. */

import type { Codec } from "../codec/codec.js";
import type { Segment } from "../indexing/segment.js";

/** One generation as search sees it. */
export interface SearchSnapshot {
  readonly codec: Codec;
  readonly segments: readonly Segment[];
  /** Live documents that have at least one token vector. */
  readonly searchableDocuments: number;
  /** Tokens of live passages: what an exhaustive scan costs. */
  readonly tokens: number;
}

/** Passages of one segment: ascending ordinals, or null for all of them. */
export interface SegmentPassages {
  readonly segment: Segment;
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
