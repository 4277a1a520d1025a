/** The codec that another one extends, as far as its own file is not needed. */
import { Codec } from "./codec.js";
import { centroidRange } from "./rows.js";
import { TokenGroups } from "./token-groups.js";

/**
 * The first `centroids` of a codec with its quantizer. Everything that was encoded with the codec of that size which it
 * extends decodes to the same. Ids that only the extension knows keep what they share of the first centroids, so encoding
 * such tokens may choose other ones than that codec did.
 */
export function codecPrefix({ codebook, quantizer, tokenGroups }: Codec, centroids: number): Codec {
  const groups = tokenGroups.groups.filter(({ first, count }) => first + count <= centroids);
  return new Codec(centroidRange(codebook, 0, centroids), quantizer, new TokenGroups(groups));
}
