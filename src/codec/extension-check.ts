/** Whether one codec extends another one. */
import type { Codec } from "./codec.js";
import { centroidRange } from "./rows.js";
import type { TokenGroup } from "./token-groups.js";

/**
 * Whether everything encoded with `base` decodes to the same with `codec`, and no id of `base` lost a centroid: its centroids
 * are the first of `codec`, the quantizer is the same, its groups are among the groups.
 */
export function isExtensionOf(codec: Codec, base: Codec): boolean {
  const { codebook, quantizer } = codec;
  const { size, dim } = base.codebook;
  if (codebook.dim !== dim || codebook.size < size) return false;
  const prefix = centroidRange(codebook, 0, size);
  if (!sameBytes(prefix.values, base.codebook.values) || !sameBytes(prefix.scales, base.codebook.scales)) {
    return false;
  }
  const other = base.quantizer;
  if (quantizer.nbits !== other.nbits || !Object.is(quantizer.weightScale, other.weightScale)) return false;
  if (!sameBytes(quantizer.cutoffs, other.cutoffs) || !sameBytes(quantizer.weights, other.weights))
    return false;
  const rows = new Set(codec.tokenGroups.groups.map(rowKey));
  return base.tokenGroups.groups.every((group) => rows.has(rowKey(group)));
}

function rowKey({ tokenId, first, count }: TokenGroup): string {
  return `${tokenId} ${first} ${count}`;
}

function sameBytes(a: Uint8Array | Float32Array, b: Uint8Array | Float32Array): boolean {
  const bytes = (x: Uint8Array | Float32Array): Buffer => Buffer.from(x.buffer, x.byteOffset, x.byteLength);
  return bytes(a).equals(bytes(b));
}
