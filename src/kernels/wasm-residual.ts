/** Residual quantization with the WASM kernels. */
import { badCode, checkCompress } from "./arguments.js";
import type { Codebook, QuantizedVectors, ResidualQuantizer } from "./backend.js";
import type { WasmMemory } from "./wasm-memory.js";

/** Vectors copied into linear memory at a time, each with its centroid. */
const VECTORS = 512;

/** See `KernelBackend.compress`. False, with nothing done, when the data do not fit into the memory. */
export function compress(
  memory: WasmMemory,
  vectors: QuantizedVectors,
  codebook: Codebook,
  quantizer: ResidualQuantizer,
  codes: Uint32Array,
  residuals: Uint8Array,
  inverseNorms: Uint16Array,
): boolean {
  const bytes = checkCompress(vectors, codebook, quantizer, codes, residuals, inverseNorms);
  const { count, dim } = vectors;
  const { nbits, weightScale } = quantizer;
  const block = Math.min(VECTORS, count);
  memory.begin();
  const values = memory.take(block * dim);
  const scales = memory.take(block * 4);
  const centroids = memory.take(block * dim);
  const centroidScales = memory.take(block * 4);
  const cutoffs = memory.take(16 * 4);
  const weights = memory.take(16);
  const planes = memory.take(block * bytes);
  const norms = memory.take(block * 2);
  if (!memory.fits()) return false;

  const { i8, u8, u16, f32 } = memory.views;
  f32.set(quantizer.cutoffs, cutoffs / 4);
  u8.set(quantizer.weights, weights);
  for (let from = 0; from < count; from += block) {
    const here = Math.min(block, count - from);
    i8.set(vectors.values.subarray(from * dim, (from + here) * dim), values);
    f32.set(vectors.scales.subarray(from, from + here), scales / 4);
    for (let i = 0; i < here; i++) {
      const code = codes[from + i]!;
      if (code >= codebook.size) throw badCode(code, codebook.size);
      u8.set(codebook.values.subarray(code * dim, (code + 1) * dim), centroids + i * dim);
      f32[centroidScales / 4 + i] = codebook.scales[code]!;
    }
    memory.kernels.compress(
      here,
      dim,
      values,
      scales,
      centroids,
      centroidScales,
      nbits,
      cutoffs,
      weights,
      weightScale,
      planes,
      norms,
    );
    residuals.set(u8.subarray(planes, planes + here * bytes), from * bytes);
    inverseNorms.set(u16.subarray(norms / 2, norms / 2 + here), from);
  }
  return true;
}
