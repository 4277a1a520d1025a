/** Gathering from posting lists in plain TypeScript. */
import { checkGather, malformedList } from "../arguments.js";
import type { GatherScratch, PackedQuery, PostingLists, Probes } from "../backend.js";

/** See `KernelBackend.gather`. */
export function gather(
  query: PackedQuery,
  probes: Probes,
  postings: PostingLists,
  excluded: Uint8Array | null,
  scratch: GatherScratch,
  passages: Uint32Array,
  sums: Float32Array,
): number {
  const centroids = checkGather(query, probes, postings, excluded, scratch, passages, sums);
  const { nprobe, ids, scores } = probes;
  const { marks, sums: dense } = scratch;
  let reached = 0;
  for (let q = 0; q < query.tokens; q++) {
    const missing = scores[(q + 1) * nprobe - 1]!;
    for (let n = q * nprobe; n < (q + 1) * nprobe; n++) {
      const centroid = ids[n]!;
      if (centroid >= centroids) {
        throw new RangeError(`probes.ids must be below ${centroids}, found ${centroid}`);
      }
      const gain = Math.fround(Math.fround(scores[n]! - missing) * query.scales[q]!);
      const end = postings.offsets[centroid + 1]!;
      let at = postings.offsets[centroid]!;
      if (at > end || end > postings.bytes.length) throw malformedList(centroid);
      let passage = -1;
      while (at < end) {
        let delta = postings.bytes[at++]!;
        if (delta > 0x7f) {
          // Nearly all differences take one byte, the rest mostly two.
          delta &= 0x7f;
          for (let shift = 7; ; shift += 7) {
            if (at >= end || shift > 28) throw malformedList(centroid);
            const byte = postings.bytes[at++]!;
            delta += (byte & 0x7f) * 2 ** shift;
            if (byte <= 0x7f) break;
          }
        }
        if (passage >= 0 && delta === 0) throw malformedList(centroid);
        passage = passage < 0 ? delta : passage + delta;
        if (passage >= marks.length) throw malformedList(centroid);
        const mark = marks[passage]!;
        if (mark === q + 1) continue;
        if (mark === 0) {
          if (excluded !== null && excluded[passage] !== 0) continue;
          passages[reached++] = passage;
          dense[passage] = 0;
        }
        marks[passage] = q + 1;
        dense[passage] = dense[passage]! + gain;
      }
    }
  }
  for (let i = 0; i < reached; i++) {
    const passage = passages[i]!;
    sums[i] = dense[passage]!;
    marks[passage] = 0;
  }
  return reached;
}
