/** MaxSim over compressed tokens, and its approximation by centroids alone, in plain TypeScript. */
import { fromFloat16 } from "../../common/float16.js";
import { badCode, checkApproximate, checkMaxsim, passageAt, passageEnd } from "../arguments.js";
import {
  type CompressedTokens,
  DOCUMENT_BIAS,
  type PackedQuery,
  type PassageOffsets,
  type ResidualQuantizer,
} from "../backend.js";
import { dotLanes, pairQuery } from "./dot.js";

/** See `KernelBackend.approximate`. */
export function approximate(
  query: PackedQuery,
  bytes: Uint8Array,
  codes: Uint16Array | Uint32Array,
  offsets: PassageOffsets,
  passages: Uint32Array | null,
  out: Float32Array,
): void {
  const { size, count } = checkApproximate(query, bytes, codes, offsets, passages, out);
  const { lanes } = query;
  const best = new Uint8Array(lanes);
  for (let i = 0; i < count; i++) {
    const passage = passageAt(offsets, passages, i);
    const begin = offsets[passage]!;
    const end = passageEnd(offsets, passage, codes.length);
    best.fill(0);
    for (let t = begin; t < end; t++) {
      const code = codes[t]!;
      if (code >= size) throw badCode(code, size);
      for (let q = 0, cell = code * lanes; q < lanes; q++, cell++) {
        if (bytes[cell]! > best[q]!) best[q] = bytes[cell]!;
      }
    }
    out[i] = begin === end ? Number.NEGATIVE_INFINITY : best.reduce((sum, value) => sum + value, 0);
  }
}

/** See `KernelBackend.maxsim`. */
export function maxsim(
  query: PackedQuery,
  quantizer: ResidualQuantizer,
  table: Float32Array,
  tokens: CompressedTokens,
  offsets: PassageOffsets,
  passages: Uint32Array | null,
  out: Float32Array,
): void {
  const { size, count, bytes } = checkMaxsim(query, quantizer, table, tokens, offsets, passages, out);
  const { codes, residuals, inverseNorms } = tokens;
  const { dim, lanes } = query;

  const paired = pairQuery(query);
  const weightScale = Math.fround(quantizer.weightScale);
  const row = new Float64Array(dim);
  const dots = new Int32Array(lanes);
  const best = new Float32Array(lanes);
  for (let i = 0; i < count; i++) {
    const passage = passageAt(offsets, passages, i);
    const begin = offsets[passage]!;
    const end = passageEnd(offsets, passage, codes.length);
    best.fill(Number.NEGATIVE_INFINITY);
    for (let t = begin; t < end; t++) {
      const code = codes[t]!;
      if (code >= size) throw badCode(code, size);
      decodeWeights(residuals, t * bytes, bytes, quantizer, row);
      dotLanes(paired, lanes, row, dim, dots);
      const inverseNorm = fromFloat16(inverseNorms[t]!);
      for (let q = 0, cell = code * lanes; q < query.tokens; q++, cell++) {
        const residual = Math.fround(dots[q]! * weightScale);
        const v = Math.fround(Math.fround(residual + table[cell]!) * inverseNorm);
        if (v > best[q]!) best[q] = v;
      }
    }
    out[i] = begin === end ? Number.NEGATIVE_INFINITY : sumOfBest(query, best);
  }
}

/** Unpacks one token's planar residual into weights without bias, f64 `[dim]`. */
export function decodeWeights(
  residuals: Uint8Array,
  start: number,
  bytes: number,
  quantizer: ResidualQuantizer,
  row: Float64Array,
): void {
  const { nbits, weights } = quantizer;
  const mask = (1 << nbits) - 1;
  let d = 0;
  for (let shift = 0; shift < 8; shift += nbits) {
    for (let i = start; i < start + bytes; i++) {
      row[d++] = weights[(residuals[i]! >> shift) & mask]! - DOCUMENT_BIAS;
    }
  }
}

/** sum_q f32(scales[q] * best[q]) in float64; the store into a Float32Array rounds it. */
function sumOfBest(query: PackedQuery, best: Float32Array): number {
  let sum = 0;
  for (let q = 0; q < query.tokens; q++) sum += Math.fround(query.scales[q]! * best[q]!);
  return sum;
}
