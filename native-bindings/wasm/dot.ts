// Dot products. Lanes are query tokens: dimensions of a document row are broadcast and multiplied with the same
// dimensions of four query tokens, so nothing is summed across a register. There are two ways, one for each module.

import * as bytes from "./dot-bytes";
import * as words from "./dot-words";
import { COMPONENT, DOCUMENT_BIAS, QUERY, RELAXED, ROW, ROWS } from "./layout";

/** Puts a query, s8 [dim / 4][lanes][4], into the tiles of QUERY. */
export function putQuery(values: usize, lanes: usize, dim: usize): void {
  if (RELAXED) bytes.putQuery(values, lanes, dim);
  else words.putQuery(values, lanes, dim);
}

/** Puts a vector, s8 [dim], into a lane of a tile. */
@inline
export function putLane(vector: usize, dim: usize, tile: usize, lane: usize): void {
  if (RELAXED) bytes.putLane(vector, dim, tile, lane);
  else words.putLane(vector, dim, tile, lane);
}

/** To be called when all lanes of a tile are there. */
@inline
export function finishTile(tile: usize, dim: usize): void {
  if (RELAXED) bytes.putBiases(tile, dim);
}

/** Makes rows of centroids, u8 [count][dim], at most ROWS_AT_A_TIME, and returns where they are. */
@inline
export function rowsOfCentroids(values: usize, count: usize, dim: usize): usize {
  if (RELAXED) return values;
  words.widenRows(values, count, dim);
  return ROWS;
}

/** Bytes between rows. */
@inline
export function rowBytes(dim: usize): usize {
  return RELAXED ? dim : ROW;
}

/** Residual weights, u8 [16], as `putDecoded` wants them. */
@inline
export function rowWeights(weights: v128): v128 {
  return RELAXED ? weights : i8x16.sub(weights, i8x16.splat(<i8>DOCUMENT_BIAS));
}

/** Stores 16 of `rowWeights` as components of a row. */
@inline
export function putDecoded(row: usize, weights: v128): void {
  if (RELAXED) {
    v128.store(row, weights);
  } else {
    v128.store(row, i16x8.extend_low_i8x16_s(weights));
    v128.store(row, i16x8.extend_high_i8x16_s(weights), 16);
  }
}

/**
 * DOTS[b][q] = dot product of lane q of the tile, q < 16, with the row at `rows` and the one behind it, b < 2. Where
 * there is only one, the second result is garbage, but the bytes must be there.
 */
@inline
export function dotBlock(rows: usize, tile: usize, dim: usize): void {
  if (RELAXED) bytes.dotBlock(rows, tile, dim);
  else words.dotBlock(rows, tile, dim);
}

/** Puts a vector, s8 [dim], into QUERY for `dotRows`. */
@inline
export function putVector(vector: usize, dim: usize): void {
  if (RELAXED) bytes.putVector(vector, dim);
  else words.putVector(vector, dim);
}

/** [sum a, sum b, sum c, sum d] */
@inline
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/** One step of `dotRows`. */
@inline
function addProducts(sum: v128, vector: v128, row: usize): v128 {
  return RELAXED ? bytes.addProducts(sum, vector, row) : words.addProducts(sum, vector, row);
}

/** Dot products of the vector of `putVector` with four rows, u8 [4][dim]; up to 8 bytes behind them are read. */
@inline
export function dotRows(rows: usize, dim: usize): v128 {
  let a = RELAXED ? bytes.vectorBias(dim) : i32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const step: usize = 16 / COMPONENT;
  for (let at: usize = 0; at < dim; at += step, rows += step) {
    const vector = v128.load(QUERY + COMPONENT * at);
    a = addProducts(a, vector, rows);
    b = addProducts(b, vector, rows + dim);
    c = addProducts(c, vector, rows + 2 * dim);
    d = addProducts(d, vector, rows + 3 * dim);
  }
  return sums(a, b, c, d);
}
