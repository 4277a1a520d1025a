// MaxSim over compressed tokens, and its approximation by the bytes of centroid scores. The formulas are those of
// native-bindings/kernels/maxsim; the caller has checked codes and offsets.

import { dotBlock, putDecoded, rowBytes, rowWeights } from "./dot";
import { fromFloat16 } from "./float16";
import { BEST, BLOCK, COMPONENT, DOTS, NORMS, QUERY, ROWS, TILE, tileBytes } from "./layout";

/** Tokens decoded at a time; a multiple of BLOCK. */
const CHUNK: usize = 32;

/** sum_q f32(scales[q] * best[q]) in float64, in order, rounded at the end. */
function sumOfBest(tokens: usize, scales: usize): f32 {
  let sum: f64 = 0;
  for (let q: usize = 0; q < tokens; q++) sum += <f64>(load<f32>(scales + 4 * q) * load<f32>(BEST + 4 * q));
  return <f32>sum;
}

/** The highest of `count` codes, u32; up to three behind them are overwritten. */
export function highestCode(codes: usize, count: usize): u32 {
  v128.store(codes + 4 * count, i32x4.splat(0));
  let highest = i32x4.splat(0);
  for (let at = codes; at < codes + 4 * count; at += 16) highest = i32x4.max_u(highest, v128.load(at));
  highest = i32x4.max_u(highest, v128.shuffle<i32>(highest, highest, 2, 3, 2, 3));
  return max(<u32>i32x4.extract_lane(highest, 0), <u32>i32x4.extract_lane(highest, 1));
}

/** Makes `count` codes, u16 with room for eight more, to u32 with room for eight more. */
export function widenCodes(narrow: usize, count: usize, codes: usize): void {
  for (let t: usize = 0; t < count; t += 8) {
    const eight = v128.load(narrow + 2 * t);
    v128.store(codes + 4 * t, i32x4.extend_low_i16x8_u(eight));
    v128.store(codes + 4 * t, i32x4.extend_high_i16x8_u(eight), 16);
  }
}

/** Sum of 16 unsigned bytes and of what `sums` holds, in four parts. */
@inline
function addBytes(sums: v128, bytes: v128): v128 {
  return i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes)));
}

@inline
function sumOfLanes(sums: v128): f32 {
  const pairs = i32x4.add(sums, v128.shuffle<i32>(sums, sums, 2, 3, 2, 3));
  return <f32>(i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1));
}

/**
 * out[i] = sum_q max_t table[codes[t]][q] over the tokens t = offsets[i] .. offsets[i + 1] - 1; offsets u32
 * [count + 1], codes u32, table u8 [][lanes].
 */
export function approximate(
  count: usize,
  offsets: usize,
  codes: usize,
  table: usize,
  lanes: usize,
  out: usize,
): void {
  for (let i: usize = 0; i < count; i++) {
    const begin = codes + 4 * <usize>load<u32>(offsets + 4 * i);
    const end = codes + 4 * <usize>load<u32>(offsets + 4 * i, 4);
    if (begin == end) {
      store<f32>(out + 4 * i, -Infinity);
      continue;
    }
    let sums = i32x4.splat(0);
    for (let lane: usize = 0; lane < lanes; lane += 32) {
      // The second half of the last 32 lanes may be missing.
      const second: usize = lane + 16 < lanes ? 16 : 0;
      let a = i8x16.splat(0);
      let b = a;
      for (let code = begin; code < end; code += 4) {
        const row = table + <usize>load<u32>(code) * lanes + lane;
        a = i8x16.max_u(a, v128.load(row));
        b = i8x16.max_u(b, v128.load(row + second));
      }
      sums = addBytes(sums, a);
      if (second != 0) sums = addBytes(sums, b);
    }
    store<f32>(out + 4 * i, sumOfLanes(sums));
  }
}

/**
 * Unpacks one planar residual of `bytes` bytes to a row. Slots are stored as whole registers; what spills
 * over belongs to the next slot, or the next row, and is overwritten in its turn.
 */
@inline
function decodeRow(packed: usize, bytes: usize, nbits: i32, weights: v128, mask: v128, row: usize): void {
  for (let shift: i32 = 0; shift < 8; shift += nbits) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const buckets = v128.and(i16x8.shr_u(v128.load(packed + i), shift), mask);
      putDecoded(row + COMPONENT * i, i8x16.swizzle(weights, buckets));
    }
    row += COMPONENT * bytes;
  }
}

/** Four query tokens against one row: v = (f32(dot) * weightScale + table) * inverse norm, each rounded. */
@inline
function similarity(dots: v128, weightScale: v128, table: v128, inverseNorm: v128): v128 {
  return f32x4.mul(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(dots), weightScale), table), inverseNorm);
}

/**
 * out[i] = sum_q scales[q] * max_t (dot(q, w_t) * weightScale + table[codes[t]][q]) * inverseNorm_t, for the query in
 * QUERY; planes u8 [][dim * nbits / 8], norms binary16, weights u8 [16].
 */
export function maxsim(
  count: usize,
  offsets: usize,
  codes: usize,
  planes: usize,
  norms: usize,
  table: usize,
  lanes: usize,
  tokens: usize,
  dim: usize,
  nbits: i32,
  weights: usize,
  weightScale: f32,
  scales: usize,
  out: usize,
): void {
  const bytes = (dim * <usize>nbits) / 8;
  const tableRow = lanes * 4;
  const stride = rowBytes(dim);
  const decoded = rowWeights(v128.load(weights));
  const mask = i8x16.splat(<i8>(((<i32>1) << nbits) - 1));
  const scale = f32x4.splat(weightScale);
  for (let i: usize = 0; i < count; i++) {
    const begin = <usize>load<u32>(offsets + 4 * i);
    const end = <usize>load<u32>(offsets + 4 * i, 4);
    if (begin == end) {
      store<f32>(out + 4 * i, -Infinity);
      continue;
    }
    for (let lane: usize = 0; lane < tableRow; lane += 16) v128.store(BEST + lane, f32x4.splat(-Infinity));
    for (let first = begin; first < end; first += CHUNK) {
      const here = min(CHUNK, end - first);
      for (let n: usize = 0; n < here; n++) {
        decodeRow(planes + (first + n) * bytes, bytes, nbits, decoded, mask, ROWS + n * stride);
      }
      for (let n: usize = 0; n < here; n += 4) v128.store(NORMS + 4 * n, fromFloat16(norms + 2 * (first + n)));
      for (let tile: usize = 0; tile < lanes; tile += TILE) {
        const best = BEST + 4 * tile;
        const queryTile = QUERY + (tile / TILE) * tileBytes(dim);
        let best0 = v128.load(best);
        let best1 = v128.load(best, 16);
        let best2 = v128.load(best, 32);
        let best3 = v128.load(best, 48);
        for (let n: usize = 0; n < here; n += BLOCK) {
          dotBlock(ROWS + n * stride, queryTile, dim);
          for (let b: usize = 0; b < min(BLOCK, here - n); b++) {
            const t = n + b;
            const cells = table + <usize>load<u32>(codes + 4 * (first + t)) * tableRow + 4 * tile;
            const norm = v128.load_splat<f32>(NORMS + 4 * t);
            const dots = DOTS + b * (TILE * 4);
            best0 = f32x4.pmax(best0, similarity(v128.load(dots), scale, v128.load(cells), norm));
            best1 = f32x4.pmax(best1, similarity(v128.load(dots, 16), scale, v128.load(cells, 16), norm));
            best2 = f32x4.pmax(best2, similarity(v128.load(dots, 32), scale, v128.load(cells, 32), norm));
            best3 = f32x4.pmax(best3, similarity(v128.load(dots, 48), scale, v128.load(cells, 48), norm));
          }
        }
        v128.store(best, best0);
        v128.store(best, best1, 16);
        v128.store(best, best2, 32);
        v128.store(best, best3, 48);
      }
    }
    store<f32>(out + 4 * i, sumOfBest(tokens, scales));
  }
}
