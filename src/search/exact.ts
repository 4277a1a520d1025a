/** Exact MaxSim over what is stored: of every live passage, or of candidates in descending order with early exit. */
import type { KernelBackend, PackedQuery, ResidualQuantizer } from "../kernels/backend.js";
import { type Candidate, damagedSegment } from "./candidates.js";
import type { TopDocuments } from "./top-documents.js";
import type { SegmentPassages } from "./types.js";

/** What exact scoring needs to know of a query. */
export interface ScoringQuery {
  readonly packed: PackedQuery;
  readonly quantizer: ResidualQuantizer;
  /** f32 `[centroids][lanes]`. */
  readonly table: Float32Array;
}

/** Passages scored between two looks at the best documents. */
const REFINE_BATCH = 64;
/** Passages of one call of an exhaustive scan: bounds the memory of their scores. */
const SCAN_BATCH = 16_384;

/**
 * Scores candidates, best first, into `top` and returns how many were scored. Stops early once `patience` passages in a row
 * brought no document into the top k: the later ones have lower approximate scores.
 */
export function refine(
  parts: readonly SegmentPassages[],
  candidates: readonly Candidate[],
  query: ScoringQuery,
  patience: number,
  top: TopDocuments,
  kernels: KernelBackend,
): number {
  const scored: number[][] = parts.map(() => []);
  let fruitless = 0;
  let done = 0;
  while (done < candidates.length && fruitless < patience) {
    const batch = candidates.slice(done, done + REFINE_BATCH);
    done += batch.length;
    for (const list of scored) list.length = 0;
    for (const { part, passage } of batch) scored[part]!.push(passage);
    const before = top.threshold;
    let improved = false;
    scored.forEach((list, part) => {
      if (list.length === 0) return;
      const { segment } = parts[part]!;
      const passages = Uint32Array.from(list);
      const highest = scoreInto({ segment, passages }, query, top, kernels);
      if (highest > before) improved = true;
    });
    fruitless = improved ? 0 : fruitless + batch.length;
  }
  return done;
}

/** Scores passages `from` .. `to - 1` of a list, or of the whole segment when the list is null, into `top`. */
export function scan(
  { segment, passages }: SegmentPassages,
  from: number,
  to: number,
  query: ScoringQuery,
  top: TopDocuments,
  kernels: KernelBackend,
): void {
  for (let start = from; start < to; start += SCAN_BATCH) {
    const end = Math.min(start + SCAN_BATCH, to);
    const list =
      passages === null
        ? Uint32Array.from({ length: end - start }, (_, i) => start + i)
        : passages.subarray(start, end);
    scoreInto({ segment, passages: list }, query, top, kernels);
  }
}

/** Returns the highest score. */
function scoreInto(
  { segment, passages }: SegmentPassages & { readonly passages: Uint32Array },
  { packed, quantizer, table }: ScoringQuery,
  top: TopDocuments,
  kernels: KernelBackend,
): number {
  const { compressed, offsets, documents, firstPassage } = segment;
  segment.ensureTokens(passages);
  const out = new Float32Array(passages.length);
  try {
    kernels.maxsim(packed, quantizer, table, compressed, offsets, passages, out);
  } catch (cause) {
    throw damagedSegment(segment, cause);
  }
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < out.length; i++) {
    const passage = passages[i]!;
    const score = out[i]!;
    if (score > highest) highest = score;
    top.push(documents[passage]!, firstPassage + passage, score);
  }
  return highest;
}
