/**
 * Gather: passages from the posting lists of the probed centroids, scored by the centroids alone.
 *
 * A passage that query token q reached gets the score of its best probed centroid; one that q did not reach gets
 * m_q, the score of the last centroid probed for q, instead of nothing (the missing-similarity estimate of WARP).
 * Adding `best - m_q` at the first touch and leaving out the constant sum of all m_q gives the same order.
 * Lists are read best centroid first, so the first touch of (q, passage) is the best one.
 */
import { readPostings } from "../codec/postings.js";
import { TopK } from "../common/top-k.js";
import type { Segment } from "../indexing/segment.js";
import type { PackedQuery } from "../kernels/backend.js";

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

export function gather(segment: Segment, query: PackedQuery, probes: Probes, limit: number): Gathered {
  const { passages, dead } = segment;
  const score = new Float32Array(passages);
  // touched[p]: the last query token that reached p, plus one.
  const touched = new Uint8Array(passages);
  const order = new Uint32Array(passages);
  const list = new Uint32Array(passages);
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
        }
        touched[p] = q + 1;
        score[p] = score[p]! + gain;
      }
    }
  }
  return { passages: best(order.subarray(0, reached), score, limit), reached, postings };
}

function best(candidates: Uint32Array, score: Float32Array, limit: number): Uint32Array {
  if (candidates.length <= limit) return candidates.slice().sort();
  const top = new TopK(limit);
  for (const p of candidates) top.push(score[p]!, p);
  return Uint32Array.from(top.drain(), (entry) => entry.id).sort();
}
