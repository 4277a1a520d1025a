/** What the stages of a search hand to each other. */

import type { Codec } from "../codec/codec.js";
import type { Segment } from "../indexing/segment.js";
import type { PackedQuery } from "../kernels/backend.js";
import type { StageTrace } from "./explain.js";
import type { SearchParameters } from "./parameters.js";

/** One generation as search sees it. */
export interface SearchSnapshot {
  readonly codec: Codec;
  readonly segments: readonly Segment[];
  /** Tokens of live passages: what an exhaustive scan costs. */
  readonly tokens: number;
  /** Where this is a part of a generation: the generation, and the place of each segment in it. */
  readonly partOf?: { readonly base: SearchSnapshot; readonly places: readonly number[] };
}

/** A query and how it is to be answered. */
export interface SearchRequest {
  readonly packed: PackedQuery;
  /** The query's token vectors, f32 `[tokens][dim]`: what `rescore` compares with. */
  readonly vectors: Float32Array;
  readonly k: number;
  readonly parameters: SearchParameters;
}

export interface SearchOutcome {
  readonly ranked: readonly RankedDocument[];
  readonly plan: "exhaustive" | "pruned";
  /** Why this plan was taken, one sentence. */
  readonly reason: string;
  readonly stages: readonly StageTrace[];
}

/** Passages of one segment: ordinals, or null for all of them. */
export interface SegmentPassages {
  readonly segment: Segment;
  readonly passages: Uint32Array | null;
}

export interface RankedDocument {
  readonly documentNo: number;
  readonly score: number;
  /** The passage that gave the score. */
  readonly passageNo: number;
}
