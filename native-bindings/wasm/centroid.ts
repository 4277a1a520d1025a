// Centroid score table and assignment of vectors to centroids, a block of centroids at a time.

import { dotBlock, dotRows, finishTile, putLane, putVector, rowBytes, rowsOfCentroids } from "./dot";
import { BLOCK, DOTS, NEAREST, QUERY, ROWS_AT_A_TIME, TILE, tileBytes } from "./layout";

/** Centroids that meet a query at a time: with it they stay in the first-level cache. */
const SCORED_AT_A_TIME: usize = 32;

/** Four scores of `centroidScores`. */
@inline
function score(dots: usize, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(v128.load(dots)), scale);
}

/** Four scores as cosines in steps of 1 / 255, not yet limited to bytes; what is not a number gives 0. */
@inline
function steps(scores: v128, queryScales: usize): v128 {
  const cosines = f32x4.mul(f32x4.mul(scores, v128.load(queryScales)), f32x4.splat(255));
  return i32x4.trunc_sat_f32x4_s(f32x4.add(cosines, f32x4.splat(0.5)));
}

/**
 * out[k][lane] = f32(dot(query token, centroid k)) * scales[k] for the query in QUERY; values u8 [count][dim].
 * With room for `bytes` (0 for none) the same as cosines: see `KernelBackend.centroidScores`; queryScales f32 [lanes].
 * There is room for one row more behind `values`.
 */
export function scores(
  values: usize,
  scales: usize,
  count: usize,
  lanes: usize,
  dim: usize,
  out: usize,
  queryScales: usize,
  bytes: usize,
): void {
  const stride = rowBytes(dim);
  for (let first: usize = 0; first < count; first += SCORED_AT_A_TIME) {
    const here = min(SCORED_AT_A_TIME, count - first);
    const rows = rowsOfCentroids(values + first * dim, here, dim);
    for (let tile: usize = 0; tile < lanes; tile += TILE) {
      const queryTile = QUERY + (tile / TILE) * tileBytes(dim);
      for (let n: usize = 0; n < here; n += BLOCK) {
        dotBlock(rows + n * stride, queryTile, dim);
        for (let b: usize = 0; b < min(BLOCK, here - n); b++) {
          const k = first + n + b;
          const scale = v128.load_splat<f32>(scales + 4 * k);
          const cells = k * lanes + tile;
          const dots = DOTS + b * (TILE * 4);
          const score0 = score(dots, scale);
          const score1 = score(dots + 16, scale);
          const score2 = score(dots + 32, scale);
          const score3 = score(dots + 48, scale);
          v128.store(out + 4 * cells, score0);
          v128.store(out + 4 * cells, score1, 16);
          v128.store(out + 4 * cells, score2, 32);
          v128.store(out + 4 * cells, score3, 48);
          if (bytes == 0) continue;
          const scalesOfTile = queryScales + 4 * tile;
          // Saturation limits to 0 .. 255 on the way from 32 bits to 8.
          const low = i16x8.narrow_i32x4_s(steps(score0, scalesOfTile), steps(score1, scalesOfTile + 16));
          const high = i16x8.narrow_i32x4_s(steps(score2, scalesOfTile + 32), steps(score3, scalesOfTile + 48));
          v128.store(bytes + cells, i8x16.narrow_i16x8_u(low, high));
        }
      }
    }
  }
}

/**
 * Puts vectors, s8 [count][dim], into tiles of 16 lanes in the order of QUERY, and starts their best scores, f32, and
 * centroids, u32; all three have room for a multiple of 16. Lanes without a vector repeat the last one.
 */
export function beginAssign(values: usize, count: usize, dim: usize, tiles: usize, best: usize, codes: usize): void {
  const lanes = (count + TILE - 1) & ~(TILE - 1);
  for (let lane: usize = 0; lane < lanes; lane++) {
    const tile = tiles + (lane / TILE) * tileBytes(dim);
    putLane(values + min(lane, count - 1) * dim, dim, tile, lane % TILE);
    if (lane % TILE == TILE - 1) finishTile(tile, dim);
    store<f32>(best + 4 * lane, -Infinity);
    store<u32>(codes + 4 * lane, 0);
  }
}

/**
 * Lets the centroids `firstId` .. `firstId` + count - 1 compete for all vectors of `beginAssign`; there is room for one
 * row more behind `values`.
 */
export function assign(
  tiles: usize,
  vectors: usize,
  best: usize,
  codes: usize,
  values: usize,
  scales: usize,
  firstId: u32,
  count: usize,
  dim: usize,
): void {
  const stride = rowBytes(dim);
  for (let first: usize = 0; first < count; first += ROWS_AT_A_TIME) {
    const here = min(ROWS_AT_A_TIME, count - first);
    const rows = rowsOfCentroids(values + first * dim, here, dim);
    for (let lane: usize = 0; lane < vectors; lane += TILE) {
      const tile = tiles + (lane / TILE) * tileBytes(dim);
      const bestAt = best + 4 * lane;
      const codesAt = codes + 4 * lane;
      let best0 = v128.load(bestAt);
      let best1 = v128.load(bestAt, 16);
      let best2 = v128.load(bestAt, 32);
      let best3 = v128.load(bestAt, 48);
      let id0 = v128.load(codesAt);
      let id1 = v128.load(codesAt, 16);
      let id2 = v128.load(codesAt, 32);
      let id3 = v128.load(codesAt, 48);
      for (let n: usize = 0; n < here; n += BLOCK) {
        dotBlock(rows + n * stride, tile, dim);
        for (let b: usize = 0; b < min(BLOCK, here - n); b++) {
          const k = first + n + b;
          const scale = v128.load_splat<f32>(scales + 4 * k);
          const id = i32x4.splat(firstId + <u32>k);
          const dots = DOTS + b * (TILE * 4);
          let score = f32x4.mul(f32x4.convert_i32x4_s(v128.load(dots)), scale);
          id0 = v128.bitselect(id, id0, f32x4.gt(score, best0));
          best0 = f32x4.pmax(best0, score);
          score = f32x4.mul(f32x4.convert_i32x4_s(v128.load(dots, 16)), scale);
          id1 = v128.bitselect(id, id1, f32x4.gt(score, best1));
          best1 = f32x4.pmax(best1, score);
          score = f32x4.mul(f32x4.convert_i32x4_s(v128.load(dots, 32)), scale);
          id2 = v128.bitselect(id, id2, f32x4.gt(score, best2));
          best2 = f32x4.pmax(best2, score);
          score = f32x4.mul(f32x4.convert_i32x4_s(v128.load(dots, 48)), scale);
          id3 = v128.bitselect(id, id3, f32x4.gt(score, best3));
          best3 = f32x4.pmax(best3, score);
        }
      }
      v128.store(bestAt, best0);
      v128.store(bestAt, best1, 16);
      v128.store(bestAt, best2, 32);
      v128.store(bestAt, best3, 48);
      v128.store(codesAt, id0);
      v128.store(codesAt, id1, 16);
      v128.store(codesAt, id2, 32);
      v128.store(codesAt, id3, 48);
    }
  }
}

/** Takes a vector, s8 [dim], for `assignInRange`; `firstId` is its answer when no centroid has a score. */
export function beginAssignInRange(vector: usize, dim: usize, firstId: u32): void {
  putVector(vector, dim);
  v128.store(NEAREST, f32x4.splat(-Infinity));
  v128.store(NEAREST, i32x4.splat(firstId), 16);
}

/**
 * Lets the centroids `firstId` .. `firstId` + count - 1 compete for the vector of `beginAssignInRange` and returns the
 * best so far. Three rows and scales behind the last one may be read; they do not count.
 */
export function assignInRange(values: usize, scales: usize, firstId: u32, count: usize, dim: usize): u32 {
  let best = v128.load(NEAREST);
  let ids = v128.load(NEAREST, 16);
  const end = i32x4.splat(firstId + <u32>count);
  let id = i32x4.add(i32x4.splat(firstId), i32x4(0, 1, 2, 3));
  for (let k: usize = 0; k < count; k += 4, id = i32x4.add(id, i32x4.splat(4))) {
    const score = f32x4.mul(f32x4.convert_i32x4_s(dotRows(values + k * dim, dim)), v128.load(scales + 4 * k));
    const better = v128.and(f32x4.gt(score, best), i32x4.lt_u(id, end));
    best = v128.bitselect(score, best, better);
    ids = v128.bitselect(id, ids, better);
  }
  v128.store(NEAREST, best);
  v128.store(NEAREST, ids, 16);
  let bestScore = load<f32>(NEAREST);
  let bestId = load<u32>(NEAREST, 16);
  for (let run: usize = 1; run < 4; run++) {
    const score = load<f32>(NEAREST + 4 * run);
    const candidate = load<u32>(NEAREST + 4 * run, 16);
    if (score > bestScore || (score == bestScore && candidate < bestId)) {
      bestScore = score;
      bestId = candidate;
    }
  }
  return bestId;
}
