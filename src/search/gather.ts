/**
 * Gather: passages from the posting lists of the probed centroids, scored by the centroids alone.
 *
 * A passage that query token q reached gets the score of its best probed centroid; one that q did not reach gets
 * m_q, the score of the last centroid probed for q, instead of nothing (the missing-similarity estimate of WARP).
 * Adding `best - m_q` at the first touch and leaving out the constant sum of all m_q gives the same order.
 * Lists are read best centroid first, so the first touch of (q, passage) is the best one.
 */
import { readPostings } from "../codec/postings.js";
import type { Segment } from "../indexing/segment.js";
import type { PackedQuery } from "../kernels/backend.js";
import { selectBest } from "./select.js";

/** Probed centroids of each query token, best first: ids u32 and scores f32 `[tokens][nprobe]`. */
export interface Probes {
  readonly nprobe: number;
  readonly ids: Uint32Array;
  readonly scores: Float32Array;
}

export interface Gathered {
  /** Ascending ordinals of the best `limit` live passages that were reached. */
  readonly passages: Uint32Array;
  /** Live passages reached in all. */
  readonly reached: number;
  /** Posting list entries read. */
  readonly postings: number;
}

/** Arrays as long as the segment, kept between searches; gathering runs to its end before another one starts. */
interface Scratch {
  readonly score: Float32Array;
  /** The last query token that reached the passage, plus one; all 0 between searches. */
  readonly touched: Uint8Array;
  /** Passages in the order in which they were reached. */
  readonly order: Uint32Array;
  readonly list: Uint32Array;
}

/** By the offsets of a segment, which all generations of it share. */
const scratches = new WeakMap<Uint32Array, Scratch>();

/** Taken out while it is in use, so that a search that fails half way leaves no marks for the next one. */
function takeScratch({ offsets, passages }: Segment): Scratch {
  const known = scratches.get(offsets);
  scratches.delete(offsets);
  if (known !== undefined) return known;
  return {
    score: new Float32Array(passages),
    touched: new Uint8Array(passages),
    order: new Uint32Array(passages),
    list: new Uint32Array(passages),
  };
}

export function gather(segment: Segment, query: PackedQuery, probes: Probes, limit: number): Gathered {
  const scratch = takeScratch(segment);
  const { reached, postings } = accumulate(segment, query, probes, scratch);
  const candidates = scratch.order.subarray(0, reached);
  const passages = selectBest(candidates, scratch.score, limit);
  for (let i = 0; i < reached; i++) scratch.touched[candidates[i]!] = 0;
  scratches.set(segment.offsets, scratch);
  return { passages, reached, postings };
}

function accumulate(
  segment: Segment,
  query: PackedQuery,
  probes: Probes,
  { score, touched, order, list }: Scratch,
): { reached: number; postings: number } {
  const { passages, dead } = segment;
  let reached = 0;
  let postings = 0;
  for (let q = 0; q < query.tokens; q++) {
    const scale = query.scales[q]!;
    const base = q * probes.nprobe;
    const missing = probes.scores[base + probes.nprobe - 1]!;
    for (let n = base; n < base + probes.nprobe; n++) {
      const centroid = probes.ids[n]!;
      const gain = (probes.scores[n]! - missing) * scale;
      const start = segment.postingOffsets[centroid]!;
      const end = segment.postingOffsets[centroid + 1]!;
      const count = readPostings(segment.postings, start, end, passages, list, segment.name);
      postings += count;
      for (let i = 0; i < count; i++) {
        const p = list[i]!;
        const seen = touched[p]!;
        if (seen === q + 1) continue;
        if (seen === 0) {
          if (dead !== null && dead[p] === 1) continue;
          order[reached++] = p;
          score[p] = 0;
        }
        touched[p] = q + 1;
        score[p] = score[p]! + gain;
      }
    }
  }
  return { reached, postings };
}
