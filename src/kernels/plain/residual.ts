/** Residual quantization in plain TypeScript. */
import { toFloat16 } from "../../common/float16.js";
import { badCode, checkCompress } from "../arguments.js";
import { type Codebook, DOCUMENT_BIAS, type QuantizedVectors, type ResidualQuantizer } from "../backend.js";

const SMALLEST_NORM = 1e-12;
const LARGEST_FLOAT16 = 65_504;

/** See `KernelBackend.compress`. */
export function compress(
  vectors: QuantizedVectors,
  codebook: Codebook,
  quantizer: ResidualQuantizer,
  codes: Uint32Array,
  residuals: Uint8Array,
  inverseNorms: Uint16Array,
): void {
  const bytes = checkCompress(vectors, codebook, quantizer, codes, residuals, inverseNorms);
  const { count, dim } = vectors;
  const { nbits, cutoffs } = quantizer;

  const decoded = Float32Array.from(
    quantizer.weights,
    (w) => (w - DOCUMENT_BIAS) * Math.fround(quantizer.weightScale),
  );
  for (let i = 0; i < count; i++) {
    const code = codes[i]!;
    if (code >= codebook.size) throw badCode(code, codebook.size);
    const scale = vectors.scales[i]!;
    const centroidScale = codebook.scales[code]!;
    residuals.fill(0, i * bytes, (i + 1) * bytes);
    let squares = 0;
    for (let d = 0; d < dim; d++) {
      const x = Math.fround(vectors.values[i * dim + d]! * scale);
      const c = Math.fround((codebook.values[code * dim + d]! - DOCUMENT_BIAS) * centroidScale);
      const r = Math.fround(x - c);
      let bucket = 0;
      for (let j = 0; j < cutoffs.length; j++) if (cutoffs[j]! < r) bucket++;
      // Planar: dimension d is in slot d / bytes of byte d % bytes.
      residuals[i * bytes + (d % bytes)]! |= bucket << (Math.floor(d / bytes) * nbits);
      const y = Math.fround(c + decoded[bucket]!);
      squares += y * y;
    }
    const inverse = 1 / Math.max(Math.sqrt(squares), SMALLEST_NORM);
    inverseNorms[i] = toFloat16(Math.fround(Math.min(inverse, LARGEST_FLOAT16)));
  }
}
