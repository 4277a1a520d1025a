// Dot products of SIMD128: both sides are widened to 16 bits, documents without their bias, and two dimensions of a row
// are multiplied with the same two dimensions of four query tokens (i32x4.dot_i16x8_s).
// A tile is i16 [dim / 2][16][2]: two consecutive dimensions of a lane together. A row is i16 [dim].

import { DOCUMENT_BIAS, DOTS, QUERY, ROW, ROWS, TILE, tileBytes } from "./layout";

/** Puts a query, s8 [dim / 4][lanes][4], into the tiles of QUERY. */
export function putQuery(values: usize, lanes: usize, dim: usize): void {
  for (let group: usize = 0; group < dim / 4; group++) {
    for (let lane: usize = 0; lane < lanes; lane += 4) {
      const bytes = v128.load(values + (group * lanes + lane) * 4);
      // Each lane has two pairs of dimensions, a and b: [0a 0b 1a 1b], [2a 2b 3a 3b].
      const low = i16x8.extend_low_i8x16_s(bytes);
      const high = i16x8.extend_high_i8x16_s(bytes);
      const to = QUERY + (lane / TILE) * tileBytes(dim) + group * (2 * TILE * 4) + (lane % TILE) * 4;
      v128.store(to, v128.shuffle<i32>(low, high, 0, 2, 4, 6));
      v128.store(to + TILE * 4, v128.shuffle<i32>(low, high, 1, 3, 5, 7));
    }
  }
}

/** Puts a vector, s8 [dim], into a lane of a tile. */
@inline
export function putLane(vector: usize, dim: usize, tile: usize, lane: usize): void {
  for (let d: usize = 0; d < dim; d += 8) {
    const pairs = v128.load_ext<i8>(vector + d);
    const at = tile + 4 * lane + d * (TILE * 2);
    v128.store_lane<i32>(at, pairs, 0);
    v128.store_lane<i32>(at, pairs, 1, TILE * 4);
    v128.store_lane<i32>(at, pairs, 2, 2 * TILE * 4);
    v128.store_lane<i32>(at, pairs, 3, 3 * TILE * 4);
  }
}

/** Takes the bias from `count` document rows, u8 [count][dim], and widens them into ROWS. */
export function widenRows(values: usize, count: usize, dim: usize): void {
  const bias = i16x8.splat(DOCUMENT_BIAS);
  for (let row: usize = 0; row < count; row++) {
    const from = values + row * dim;
    const to = ROWS + row * ROW;
    for (let d: usize = 0; d < dim; d += 8) {
      v128.store(to + 2 * d, i16x8.sub(v128.load_ext<u8>(from + d), bias));
    }
  }
}

/** Not unrolled: V8 then needs more registers than there are, and what it spills costs more than the loop. */
export function dotBlock(rows: usize, tile: usize, dim: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  const end = tile + dim * (2 * TILE);
  while (tile < end) {
    const a = v128.load_splat<i32>(rows);
    const b = v128.load_splat<i32>(rows, ROW);
    let query = v128.load(tile);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(a, query));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(b, query));
    query = v128.load(tile, 16);
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(a, query));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(b, query));
    query = v128.load(tile, 32);
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(a, query));
    b2 = i32x4.add(b2, i32x4.dot_i16x8_s(b, query));
    query = v128.load(tile, 48);
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(a, query));
    b3 = i32x4.add(b3, i32x4.dot_i16x8_s(b, query));
    tile += 4 * TILE;
    rows += 4;
  }
  v128.store(DOTS, a0);
  v128.store(DOTS, a1, 16);
  v128.store(DOTS, a2, 32);
  v128.store(DOTS, a3, 48);
  v128.store(DOTS, b0, 64);
  v128.store(DOTS, b1, 80);
  v128.store(DOTS, b2, 96);
  v128.store(DOTS, b3, 112);
}

/** Puts a vector, s8 [dim], into QUERY: i16 [dim]. */
export function putVector(vector: usize, dim: usize): void {
  for (let d: usize = 0; d < dim; d += 8) v128.store(QUERY + 2 * d, v128.load_ext<i8>(vector + d));
}

/** Adds the products of eight dimensions of a row, u8, with those of a vector of `putVector`. */
@inline
export function addProducts(sum: v128, vector: v128, row: usize): v128 {
  const widened = i16x8.sub(v128.load_ext<u8>(row), i16x8.splat(DOCUMENT_BIAS));
  return i32x4.add(sum, i32x4.dot_i16x8_s(widened, vector));
}
