/** Exact MaxSim over what is stored: of every live passage, or of candidates in descending order with early exit. */

import { ordinalOf } from "../indexing/segment.js";
import type { KernelBackend, PackedQuery, ResidualQuantizer } from "../kernels/backend.js";
import { type Candidate, damagedSegment } from "./candidates.js";
import type { TopDocuments } from "./top-documents.js";
import type { SearchSnapshot, SegmentPassages } from "./types.js";

/** What exact scoring needs to know of a query. */
export interface ScoringQuery {
  readonly packed: PackedQuery;
  readonly quantizer: ResidualQuantizer;
  /** f32 `[centroids][lanes]`. */
  readonly table: Float32Array;
}

/** Passages scored between two looks at the best documents. */
const REFINE_BATCH = 32;
/** Passages of one call of an exhaustive scan: bounds the memory of their scores. */
const SCAN_BATCH = 16_384;

/**
 * Scores candidates, best first, into `top` and returns how many were scored. Stops early once the next candidate is not
 * expected among the best documents: what exact scores add to approximate ones has a mean and a deviation, measured on
 * the candidates so far, and the next one would have to exceed the mean by more than `margin` deviations.
 */
export function refine(
  parts: readonly SegmentPassages[],
  candidates: readonly Candidate[],
  query: ScoringQuery,
  margin: number,
  top: TopDocuments,
  kernels: KernelBackend,
): number {
  const gain = new RunningGain();
  let done = 0;
  while (done < candidates.length) {
    if (candidates[done]!.approximate + gain.atMost(margin) <= top.threshold) break;
    const batch = candidates.slice(done, done + REFINE_BATCH);
    done += batch.length;
    parts.forEach((part, p) => {
      const here = batch.filter((candidate) => candidate.part === p);
      if (here.length === 0) return;
      const passages = Uint32Array.from(here, ({ passage }) => passage);
      const scores = scoreInto({ segment: part.segment, passages }, query, top, kernels);
      here.forEach(({ approximate }, i) => {
        gain.add(scores[i]! - approximate);
      });
    });
  }
  return done;
}

/** Mean and standard deviation of the differences between exact and approximate scores. */
class RunningGain {
  private count = 0;
  private sum = 0;
  private squares = 0;

  add(difference: number): void {
    this.count++;
    this.sum += difference;
    this.squares += difference * difference;
  }

  /** The mean plus `margin` deviations; Infinity before the first difference. */
  atMost(margin: number): number {
    if (this.count === 0) return Number.POSITIVE_INFINITY;
    const mean = this.sum / this.count;
    return mean + margin * Math.sqrt(Math.max(0, this.squares / this.count - mean * mean));
  }
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

/**
 * Scores passages by number, wherever they lie, into `top`. Returns their scores in the order of `numbers`, NaN for those that
 * are not live in the snapshot or have no token vector.
 */
export function scoreNamed(
  { segments }: SearchSnapshot,
  numbers: Uint32Array,
  query: ScoringQuery,
  top: TopDocuments,
  kernels: KernelBackend,
): Float32Array {
  const out = new Float32Array(numbers.length).fill(Number.NaN);
  for (const segment of segments) {
    const places: number[] = [];
    const ordinals: number[] = [];
    numbers.forEach((number, i) => {
      const ordinal = ordinalOf(segment.numbers, number);
      if (segment.numbers[ordinal] !== number || segment.dead?.[ordinal] === 1) return;
      places.push(i);
      ordinals.push(ordinal);
    });
    if (ordinals.length === 0) continue;
    const scores = scoreInto({ segment, passages: Uint32Array.from(ordinals) }, query, top, kernels);
    places.forEach((place, i) => {
      if (Number.isFinite(scores[i])) out[place] = scores[i]!;
    });
  }
  return out;
}

/** Scores in the order of the passages, pushed into `top`. */
function scoreInto(
  part: SegmentPassages & { readonly passages: Uint32Array },
  query: ScoringQuery,
  top: TopDocuments,
  kernels: KernelBackend,
): Float32Array {
  const { documents, numbers } = part.segment;
  const out = scorePassages(part, query, kernels);
  out.forEach((score, i) => {
    const passage = part.passages[i]!;
    top.push(documents[passage]!, numbers[passage]!, score);
  });
  return out;
}

/** Scores in the order of the passages, -Infinity for those without tokens. Errors: CORRUPT. */
export function scorePassages(
  { segment, passages }: SegmentPassages & { readonly passages: Uint32Array },
  { packed, quantizer, table }: ScoringQuery,
  kernels: KernelBackend,
): Float32Array {
  const { compressed, offsets } = segment;
  segment.ensureTokens(passages);
  const out = new Float32Array(passages.length);
  try {
    kernels.maxsim(packed, quantizer, table, compressed, offsets, passages, out);
  } catch (cause) {
    throw damagedSegment(segment, cause);
  }
  return out;
}
