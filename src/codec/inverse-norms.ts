/** Inverse norms of stored tokens, computed again from their codes and residuals. */
import { toFloat16 } from "../common/float16.js";
import { DOCUMENT_BIAS } from "../kernels/backend.js";
import type { Codec } from "./codec.js";

const SMALLEST_NORM = 1e-12;
const LARGEST_FLOAT16 = 65504;

/**
 * binary16 bits `[count]`: bit for bit what `KernelBackend.compress` stored beside these codes, which are below the number
 * of centroids, and residuals, u8 `[count][dim * nbits / 8]`.
 */
export function inverseNorms(
  { codebook, quantizer, residualBytes }: Codec,
  codes: Uint16Array | Uint32Array,
  residuals: Uint8Array,
): Uint16Array {
  const { dim, values, scales } = codebook;
  const { nbits, weights, weightScale } = quantizer;
  const decoded = Float32Array.from(weights, (weight) => (weight - DOCUMENT_BIAS) * Math.fround(weightScale));
  const mask = (1 << nbits) - 1;
  const out = new Uint16Array(codes.length);
  for (let t = 0; t < codes.length; t++) {
    const row = codes[t]! * dim;
    const scale = scales[codes[t]!]!;
    const first = t * residualBytes;
    let squares = 0;
    for (let d = 0; d < dim; ) {
      // Planar: the slots of all bytes, one after the other, hold the dimensions in order.
      const shift = (d / residualBytes) * nbits;
      for (let i = 0; i < residualBytes; i++, d++) {
        const c = Math.fround((values[row + d]! - DOCUMENT_BIAS) * scale);
        const y = Math.fround(c + decoded[(residuals[first + i]! >>> shift) & mask]!);
        squares += y * y;
      }
    }
    const inverse = 1 / Math.max(Math.sqrt(squares), SMALLEST_NORM);
    out[t] = toFloat16(Math.fround(Math.min(inverse, LARGEST_FLOAT16)));
  }
  return out;
}
