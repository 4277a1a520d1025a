/** MaxSim of a few passages in plain TypeScript, from nothing but their stored bytes: what every kernel must give. */
import type { Codec } from "../codec/codec.js";
import { pickCentroids } from "../codec/rows.js";
import type { Segment } from "../indexing/segment.js";
import type { PackedQuery } from "../kernels/backend.js";
import { referenceBackend } from "../kernels/reference.js";

/** f32 `[passages]`. Only the centroids that occur are scored, so that a large codebook costs nothing. */
export function plainScores(
  codec: Codec,
  query: PackedQuery,
  segment: Segment,
  passages: Uint32Array,
): Float32Array {
  segment.ensureTokens(passages);
  const { offsets, compressed } = segment;
  const { residualBytes } = codec;
  const ownOffsets = new Uint32Array(passages.length + 1);
  passages.forEach((p, i) => {
    ownOffsets[i + 1] = ownOffsets[i]! + offsets[p + 1]! - offsets[p]!;
  });
  const count = ownOffsets[passages.length]!;
  const codes = new Uint32Array(count);
  const residuals = new Uint8Array(count * residualBytes);
  const inverseNorms = new Uint16Array(count);
  passages.forEach((p, i) => {
    const [from, to, at] = [offsets[p]!, offsets[p + 1]!, ownOffsets[i]!];
    codes.set(compressed.codes.subarray(from, to), at);
    residuals.set(
      compressed.residuals.subarray(from * residualBytes, to * residualBytes),
      at * residualBytes,
    );
    inverseNorms.set(compressed.inverseNorms.subarray(from, to), at);
  });
  const used = Uint32Array.from(new Set(codes)).sort();
  const places = new Map(Array.from(used, (code, place) => [code, place]));
  const tokens = { codes: codes.map((code) => places.get(code)!), residuals, inverseNorms };
  const table = new Float32Array(used.length * query.lanes);
  referenceBackend.centroidScores(query, pickCentroids(codec.codebook, used), table, null);
  const out = new Float32Array(passages.length);
  referenceBackend.maxsim(query, codec.quantizer, table, tokens, ownOffsets, null, out);
  return out;
}
