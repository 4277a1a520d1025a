/** Messages between the scoring pool and its threads. Typed arrays over shared memory cross without a copy. */
import type { CompressedTokens, PassageOffsets } from "../kernels/backend.js";
import type { ScoringQuery, ScoringStage } from "../search/scorer.js";

export interface ScoreTask {
  readonly stage: ScoringStage;
  readonly query: ScoringQuery;
  readonly offsets: PassageOffsets;
  readonly compressed: CompressedTokens;
  /** Ascending ordinals, or null for the whole segment. */
  readonly passages: Uint32Array | null;
  /** The part of the list, or of the segment, that this task scores. */
  readonly from: number;
  readonly to: number;
}
