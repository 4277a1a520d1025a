// Quantization of residuals. The formulas are those of native-bindings/kernels/residual.

import { toFloat16 } from "./float16";
import { BUCKETS, DOCUMENT_BIAS } from "./layout";

const SMALLEST_NORM: f64 = 1e-12;
const LARGEST_FLOAT16: f64 = 65504;

@inline
function lowFloats(words: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words));
}

@inline
function highFloats(words: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words));
}

/** squares + y0 * y0 + y1 * y1 + ..., in this order, in float64. */
@inline
function addSquares(squares: f64, y: v128): f64 {
  const low = f64x2.promote_low_f32x4(y);
  const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(y, y, 2, 3, 2, 3));
  const lowSquares = f64x2.mul(low, low);
  const highSquares = f64x2.mul(high, high);
  squares += f64x2.extract_lane(lowSquares, 0);
  squares += f64x2.extract_lane(lowSquares, 1);
  squares += f64x2.extract_lane(highSquares, 0);
  return squares + f64x2.extract_lane(highSquares, 1);
}

/**
 * Packs the residuals of vectors, s8 [count][dim], against the centroid of each, u8 [count][dim] with a scale each:
 * planes [count][dim * nbits / 8] with 16 bytes of room behind them, and binary16 inverse norms [count].
 * cutoffs f32 [2^nbits - 1], weights u8 [16].
 */
export function compress(
  count: usize,
  dim: usize,
  vectors: usize,
  scales: usize,
  centroids: usize,
  centroidScales: usize,
  nbits: i32,
  cutoffs: usize,
  weights: usize,
  weightScale: f32,
  planes: usize,
  norms: usize,
): void {
  const bytes = (dim * <usize>nbits) / 8;
  const lastCutoff = cutoffs + 4 * ((1 << nbits) - 1);
  const bias = i16x8.splat(DOCUMENT_BIAS);
  const decoded = i8x16.sub(v128.load(weights), i8x16.splat(<i8>DOCUMENT_BIAS));
  const decodedScale = f32x4.splat(weightScale);
  for (let i: usize = 0; i < count; i++) {
    const scale = v128.load_splat<f32>(scales + 4 * i);
    const centroidScale = v128.load_splat<f32>(centroidScales + 4 * i);
    let squares: f64 = 0;
    for (let d: usize = 0; d < dim; d += 8) {
      const x = v128.load_ext<i8>(vectors + i * dim + d);
      const c = i16x8.sub(v128.load_ext<u8>(centroids + i * dim + d), bias);
      const lowCentroid = f32x4.mul(lowFloats(c), centroidScale);
      const highCentroid = f32x4.mul(highFloats(c), centroidScale);
      const lowResidual = f32x4.sub(f32x4.mul(lowFloats(x), scale), lowCentroid);
      const highResidual = f32x4.sub(f32x4.mul(highFloats(x), scale), highCentroid);
      let low = i32x4.splat(0);
      let high = low;
      for (let cutoff = cutoffs; cutoff < lastCutoff; cutoff += 4) {
        const limit = v128.load_splat<f32>(cutoff);
        low = i32x4.sub(low, f32x4.lt(limit, lowResidual));
        high = i32x4.sub(high, f32x4.lt(limit, highResidual));
      }
      const words = i16x8.narrow_i32x4_s(low, high);
      const buckets = i8x16.narrow_i16x8_u(words, words);
      v128.store_lane<i64>(BUCKETS + d, buckets, 0);
      const w = i16x8.extend_low_i8x16_s(i8x16.swizzle(decoded, buckets));
      squares = addSquares(squares, f32x4.add(lowCentroid, f32x4.mul(lowFloats(w), decodedScale)));
      squares = addSquares(squares, f32x4.add(highCentroid, f32x4.mul(highFloats(w), decodedScale)));
    }
    const norm = sqrt<f64>(squares);
    const inverse: f64 = 1.0 / (norm < SMALLEST_NORM ? SMALLEST_NORM : norm);
    store<u16>(norms + 2 * i, <u16>toFloat16(<f32>(inverse > LARGEST_FLOAT16 ? LARGEST_FLOAT16 : inverse)));
    // Slot s of byte j holds dimension j + s * bytes; no bucket leaves its byte when it is shifted.
    const to = planes + i * bytes;
    for (let j: usize = 0; j < bytes; j += 16) {
      let packed = v128.load(BUCKETS + j);
      for (let shift: i32 = nbits, from = BUCKETS + bytes + j; shift < 8; shift += nbits, from += bytes) {
        packed = v128.or(packed, i16x8.shl(v128.load(from), shift));
      }
      v128.store(to + j, packed);
    }
  }
}
