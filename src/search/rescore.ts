/**
 * Float scores of the best documents: MaxSim of the query's float32 vectors with the decoded stored vectors. It takes away
 * the rounding of the query to 8 bits; what compression lost stays lost.
 */
import type { Codec } from "../codec/codec.js";
import { placeOfPassage, type Segment } from "../indexing/segment.js";
import type { RankedDocument, SearchSnapshot } from "./types.js";

/** `ranked` with float scores for its first `count` entries, in their new order; the others follow as they were. */
export function rescore(
  snapshot: SearchSnapshot,
  query: Float32Array,
  ranked: readonly RankedDocument[],
  count: number,
): RankedDocument[] {
  const head = ranked.slice(0, count).map((entry) => ({
    ...entry,
    score: floatMaxSim(query, passageVectors(snapshot, entry.passageNo), snapshot.codec.dim),
  }));
  head.sort((a, b) => b.score - a.score || a.documentNo - b.documentNo);
  return [...head, ...ranked.slice(count)];
}

function passageVectors({ codec, segments }: SearchSnapshot, passageNo: number): Float32Array {
  const place = placeOfPassage(segments, passageNo);
  return place === undefined ? new Float32Array(0) : decodePassage(codec, place.segment, place.ordinal);
}

/** Stored vectors of one passage, f32 `[tokens][dim]`. */
export function decodePassage(codec: Codec, segment: Segment, passage: number): Float32Array {
  segment.ensureTokens(Uint32Array.of(passage));
  const from = segment.offsets[passage]!;
  const to = segment.offsets[passage + 1]!;
  const { codes, residuals, inverseNorms } = segment.compressed;
  return codec.decode({
    codes: codes.subarray(from, to),
    residuals: residuals.subarray(from * codec.residualBytes, to * codec.residualBytes),
    inverseNorms: inverseNorms.subarray(from, to),
  });
}

function floatMaxSim(query: Float32Array, passage: Float32Array, dim: number): number {
  let sum = 0;
  for (let q = 0; q < query.length; q += dim) {
    let best = Number.NEGATIVE_INFINITY;
    for (let t = 0; t < passage.length; t += dim) {
      let dot = 0;
      for (let d = 0; d < dim; d++) dot += query[q + d]! * passage[t + d]!;
      if (dot > best) best = dot;
    }
    sum += best;
  }
  return sum;
}
