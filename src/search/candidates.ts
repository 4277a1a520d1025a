/**
 * Candidate generation: passages from the posting lists of the probed centroids, then centroid interaction over the best
 * of them.
 *
 * Gathering: a passage that query token q reached gets the score of its best probed centroid; one that q did not reach
 * gets the score of the last centroid probed for q instead of nothing (the missing-similarity estimate of WARP). The
 * constant sum of those estimates is left out, which keeps the order.
 */
import { MaxsimError } from "../common/errors.js";
import type { Segment } from "../indexing/segment.js";
import type { KernelBackend, PackedQuery, Probes } from "../kernels/backend.js";
import type { SearchSnapshot, SegmentPassages } from "./types.js";
import type { ScoreTables, Workspace } from "./workspace.js";

export interface Gathered {
  /** The best `limit` passages that were reached, over all segments together; one entry a segment. */
  readonly parts: readonly SegmentPassages[];
  /** Live passages reached in all. */
  readonly reached: number;
  readonly kept: number;
}

export function gatherCandidates(
  snapshot: SearchSnapshot,
  query: PackedQuery,
  probes: Probes,
  limit: number,
  kernels: KernelBackend,
  workspace: Workspace,
): Gathered {
  const { segments } = snapshot;
  const total = segments.reduce((sum, { passages }) => sum + passages, 0);
  const { passages, sums } = workspace.reachedPassages(total);
  const ends: number[] = [];
  let reached = 0;
  for (const segment of segments) {
    const room = [passages.subarray(reached), sums.subarray(reached)] as const;
    reached += gatherSegment(segment, query, probes, room, kernels, workspace);
    ends.push(reached);
  }
  const chosen = new Uint32Array(Math.min(limit, reached));
  kernels.selectTop(sums.subarray(0, reached), limit, chosen);
  let at = 0;
  const parts = segments.map((segment, s) => {
    const first = at;
    while (at < chosen.length && chosen[at]! < ends[s]!) at++;
    const kept = chosen.subarray(first, at).map((position) => passages[position]!);
    // In the order of the passages, so that equal candidates stay in one order however segments are merged.
    return { segment, passages: kept.sort() };
  });
  return { parts, reached, kept: chosen.length };
}

function gatherSegment(
  segment: Segment,
  query: PackedQuery,
  probes: Probes,
  [passages, sums]: readonly [Uint32Array, Float32Array],
  kernels: KernelBackend,
  workspace: Workspace,
): number {
  segment.ensureLists(probes.ids);
  const postings = { offsets: segment.postingOffsets, bytes: segment.postings };
  const scratch = workspace.takeScratch(segment.passages);
  const own = {
    marks: scratch.marks.subarray(0, segment.passages),
    sums: scratch.sums.subarray(0, segment.passages),
  };
  try {
    const reached = kernels.gather(query, probes, postings, segment.dead, own, passages, sums);
    workspace.giveScratch(scratch);
    return reached;
  } catch (cause) {
    throw damagedSegment(segment, cause);
  }
}

/** A kernel refuses what a segment says of itself only when that is malformed. */
export function damagedSegment(segment: Segment, cause: unknown): MaxsimError {
  return new MaxsimError("CORRUPT", `${segment.name} is damaged: ${String(cause)}`, {
    hint: "Restore the index from a copy, or build it again.",
    cause,
  });
}

/** Steps of the byte table for a similarity of 1. */
const BYTE_STEPS = 255;

/** One passage of a segment, by the number of its part. */
export interface Candidate {
  readonly part: number;
  readonly passage: number;
  /** Approximate score: the sum over query tokens of the best centroid similarity, each at least 0. */
  readonly approximate: number;
}

/**
 * The `limit` candidates with the highest sums of centroid similarities, best first; ties to the earlier one. The sums are
 * integers of at most 64 * 255, so that a counting sort orders them.
 */
export function approximateBest(
  parts: readonly SegmentPassages[],
  query: PackedQuery,
  { bytes }: ScoreTables,
  limit: number,
  kernels: KernelBackend,
): Candidate[] {
  const scores: Float32Array[] = [];
  let highest = 0;
  for (const { segment, passages } of parts) {
    segment.ensureCodes(passages);
    const out = new Float32Array(passages?.length ?? segment.passages);
    try {
      kernels.approximate(query, bytes, segment.compressed.codes, segment.offsets, passages, out);
    } catch (cause) {
      throw damagedSegment(segment, cause);
    }
    for (const score of out) if (score > highest) highest = score;
    scores.push(out);
  }
  const counts = new Uint32Array(highest + 2);
  for (const part of scores) for (const score of part) if (score >= 0) counts[score] = counts[score]! + 1;
  // counts[s] becomes the place of the first candidate with the sum s.
  let place = 0;
  for (let s = highest; s >= 0; s--) {
    const here = counts[s]!;
    counts[s] = place;
    place += here;
  }
  const best = new Array<Candidate>(Math.min(limit, place));
  scores.forEach((partScores, part) => {
    const { passages } = parts[part]!;
    for (let i = 0; i < partScores.length; i++) {
      const score = partScores[i]!;
      if (!(score >= 0)) continue;
      const at = counts[score]!;
      counts[score] = at + 1;
      if (at < best.length)
        best[at] = { part, passage: passages === null ? i : passages[i]!, approximate: score / BYTE_STEPS };
    }
  });
  return best;
}
