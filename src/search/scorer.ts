/** The two scoring stages over stored passages, behind one interface: on the calling thread or on many. */

import type { Segment } from "../indexing/segment.js";
import type { KernelBackend, PackedQuery, ResidualQuantizer } from "../kernels/backend.js";
import type { SegmentPassages } from "./types.js";

/** What scoring needs to know of a query. `table` is the centroid score table, f32 `[centroids][lanes]`. */
export interface ScoringQuery {
  readonly packed: PackedQuery;
  readonly quantizer: ResidualQuantizer;
  readonly table: Float32Array;
}

export type ScoringStage = "approximate" | "maxsim";

export interface Scorer {
  /** Scores of the passages, in their order, for each of `work`. */
  score(stage: ScoringStage, query: ScoringQuery, work: readonly SegmentPassages[]): Promise<Float32Array[]>;
}

/** Scores passages `from` .. `to - 1` of a list, or of the whole segment when `passages` is null. */
export function scoreRange(
  kernels: KernelBackend,
  stage: ScoringStage,
  query: ScoringQuery,
  segment: Pick<Segment, "offsets" | "compressed">,
  passages: Uint32Array | null,
  from: number,
  to: number,
): Float32Array {
  const { packed, quantizer, table } = query;
  // A list keeps absolute ordinals; a range of all passages is a window of the offsets.
  const offsets = passages === null ? segment.offsets.subarray(from, to + 1) : segment.offsets;
  const list = passages === null ? null : passages.subarray(from, to);
  const out = new Float32Array(to - from);
  if (stage === "approximate")
    kernels.approximate(packed, table, segment.compressed.codes, offsets, list, out);
  else kernels.maxsim(packed, quantizer, table, segment.compressed, offsets, list, out);
  return out;
}

/** Scores everything on the calling thread. */
export class InlineScorer implements Scorer {
  private readonly kernels: KernelBackend;

  constructor(kernels: KernelBackend) {
    this.kernels = kernels;
  }

  async score(
    stage: ScoringStage,
    query: ScoringQuery,
    work: readonly SegmentPassages[],
  ): Promise<Float32Array[]> {
    return work.map(({ segment, passages }) =>
      scoreRange(this.kernels, stage, query, segment, passages, 0, passages?.length ?? segment.passages),
    );
  }
}

/** Tokens of a piece of work: what scoring it costs. */
export function workTokens({ segment, passages }: SegmentPassages): number {
  if (passages === null) return segment.tokens;
  let tokens = 0;
  for (const p of passages) tokens += segment.offsets[p + 1]! - segment.offsets[p]!;
  return tokens;
}
