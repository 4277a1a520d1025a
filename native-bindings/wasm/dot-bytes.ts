// Dot products of relaxed SIMD: four dimensions of a row are multiplied with the same four of four query tokens
// (i32x4.relaxed_dot_i8x16_i7x16_add_s). What the instruction leaves to the processor is whether a byte of the second
// operand above 127 counts as negative, and whether the sum of a pair of products saturates at 16 bits. The second
// operand is always the document, 1..127, so that neither happens: 2 * 127 * 128 < 2^15. The bias of the document,
// 64 * sum(query), is where the sums start.
// A tile is s8 [dim / 4][16][4] and i32 [16], the negated biases. A row is u8 [dim], as stored.

import { DOCUMENT_BIAS, DOTS, QUERY, TILE, tileBytes } from "./layout";

@inline
function dot(query: v128, row: v128, sum: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(query, row, sum);
}

/** Puts a query, s8 [dim / 4][lanes][4], into the tiles of QUERY. */
export function putQuery(values: usize, lanes: usize, dim: usize): void {
  for (let lane: usize = 0; lane < lanes; lane += TILE) {
    const tile = QUERY + (lane / TILE) * tileBytes(dim);
    for (let group: usize = 0; group < dim / 4; group++) {
      const from = values + (group * lanes + lane) * 4;
      const to = tile + group * (4 * TILE);
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      v128.store(to, v128.load(from, 32), 32);
      v128.store(to, v128.load(from, 48), 48);
    }
    putBiases(tile, dim);
  }
}

/** Puts a vector, s8 [dim], into a lane of a tile. */
@inline
export function putLane(vector: usize, dim: usize, tile: usize, lane: usize): void {
  for (let d: usize = 0; d < dim; d += 4) store<i32>(tile + d * TILE + 4 * lane, load<i32>(vector + d));
}

/** Puts the biases of all lanes of a tile behind them, negated. */
export function putBiases(tile: usize, dim: usize): void {
  const end = tile + dim * TILE;
  const bias = i8x16.splat(<i8>DOCUMENT_BIAS);
  for (let at: usize = 0; at < 4 * TILE; at += 16) {
    let sum = i32x4.splat(0);
    for (let from = tile + at; from < end; from += 4 * TILE) sum = dot(v128.load(from), bias, sum);
    v128.store(end + at, i32x4.neg(sum));
  }
}

export function dotBlock(rows: usize, tile: usize, dim: usize): void {
  const end = tile + dim * TILE;
  let a0 = v128.load(end);
  let a1 = v128.load(end, 16);
  let a2 = v128.load(end, 32);
  let a3 = v128.load(end, 48);
  let b0 = a0;
  let b1 = a1;
  let b2 = a2;
  let b3 = a3;
  let next = rows + dim;
  while (tile < end) {
    const a = v128.load_splat<i32>(rows);
    const b = v128.load_splat<i32>(next);
    let query = v128.load(tile);
    a0 = dot(query, a, a0);
    b0 = dot(query, b, b0);
    query = v128.load(tile, 16);
    a1 = dot(query, a, a1);
    b1 = dot(query, b, b1);
    query = v128.load(tile, 32);
    a2 = dot(query, a, a2);
    b2 = dot(query, b, b2);
    query = v128.load(tile, 48);
    a3 = dot(query, a, a3);
    b3 = dot(query, b, b3);
    tile += 4 * TILE;
    rows += 4;
    next += 4;
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

/** Dimensions of a vector of `putVector`: whole registers. */
@inline
function registers(dim: usize): usize {
  return (dim + 15) & ~15;
}

/** Puts a vector, s8 [dim], into QUERY, then zeros up to a multiple of 16 dimensions, then the negated bias, i32 [4]. */
export function putVector(vector: usize, dim: usize): void {
  const end = QUERY + registers(dim);
  v128.store(end - 16, i32x4.splat(0));
  for (let d: usize = 0; d < dim; d += 8) store<u64>(QUERY + d, load<u64>(vector + d));
  const bias = i8x16.splat(<i8>DOCUMENT_BIAS);
  let sum = i32x4.splat(0);
  for (let at = QUERY; at < end; at += 16) sum = dot(v128.load(at), bias, sum);
  v128.store(end, i32x4.neg(sum));
}

/** Where the sums of a vector of `putVector` start, in four parts. */
@inline
export function vectorBias(dim: usize): v128 {
  return v128.load(QUERY + registers(dim));
}

/** Adds the products of 16 dimensions of a row, u8, with those of a vector; what is behind the row meets zeros. */
@inline
export function addProducts(sum: v128, vector: v128, row: usize): v128 {
  return dot(vector, v128.load(row), sum);
}
