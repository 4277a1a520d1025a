// The best centroids of each query token. The kept ones are a binary heap in the output arrays, whose root is the worst
// of them; "worse" is a lower score, or the higher id at the same score.

import { BEST } from "./layout";

@inline
function worse(aScore: f32, aId: u32, bScore: f32, bId: u32): bool {
  return aScore < bScore || (aScore == bScore && aId > bId);
}

/** Adds an entry to a heap of `size` entries that has room for it. */
function push(ids: usize, scores: usize, size: usize, score: f32, id: u32): void {
  let hole = size;
  while (hole > 0) {
    const parent = (hole - 1) >> 1;
    const parentScore = load<f32>(scores + 4 * parent);
    const parentId = load<u32>(ids + 4 * parent);
    if (!worse(score, id, parentScore, parentId)) break;
    store<f32>(scores + 4 * hole, parentScore);
    store<u32>(ids + 4 * hole, parentId);
    hole = parent;
  }
  store<f32>(scores + 4 * hole, score);
  store<u32>(ids + 4 * hole, id);
}

/** Puts an entry in the place of the root of a heap of `size` entries. */
function replaceRoot(ids: usize, scores: usize, size: usize, score: f32, id: u32): void {
  let hole: usize = 0;
  for (;;) {
    let child = hole * 2 + 1;
    if (child >= size) break;
    let childScore = load<f32>(scores + 4 * child);
    let childId = load<u32>(ids + 4 * child);
    if (child + 1 < size) {
      const rightScore = load<f32>(scores + 4 * child, 4);
      const rightId = load<u32>(ids + 4 * child, 4);
      if (worse(rightScore, rightId, childScore, childId)) {
        child++;
        childScore = rightScore;
        childId = rightId;
      }
    }
    if (!worse(childScore, childId, score, id)) break;
    store<f32>(scores + 4 * hole, childScore);
    store<u32>(ids + 4 * hole, childId);
    hole = child;
  }
  store<f32>(scores + 4 * hole, score);
  store<u32>(ids + 4 * hole, id);
}

/**
 * Lets the centroids `first` .. `first` + count - 1, table f32 [count][lanes], compete for the heaps of the first
 * `tokens` lanes; ids and scores [tokens][nprobe]. Blocks of centroids come in ascending order, from 0.
 */
export function top(
  table: usize,
  first: usize,
  count: usize,
  lanes: usize,
  tokens: usize,
  nprobe: usize,
  ids: usize,
  scores: usize,
): void {
  const end = first + count;
  const heapBytes = nprobe * 4;
  let row = table;
  let k = first;
  for (; k < min(nprobe, end); k++, row += 4 * lanes) {
    for (let q: usize = 0; q < tokens; q++) {
      push(ids + q * heapBytes, scores + q * heapBytes, k, load<f32>(row + 4 * q), <u32>k);
    }
  }
  // Score that the next entry of a lane has to beat; padding lanes never do.
  for (let q: usize = 0; q < lanes; q++) {
    store<f32>(BEST + 4 * q, q < tokens ? load<f32>(scores + q * heapBytes) : Infinity);
  }
  for (; k < end; k++, row += 4 * lanes) {
    for (let lane: usize = 0; lane < lanes; lane += 16) {
      const cells = row + 4 * lane;
      const limits = BEST + 4 * lane;
      const a = f32x4.gt(v128.load(cells), v128.load(limits));
      const b = f32x4.gt(v128.load(cells, 16), v128.load(limits, 16));
      const c = f32x4.gt(v128.load(cells, 32), v128.load(limits, 32));
      const d = f32x4.gt(v128.load(cells, 48), v128.load(limits, 48));
      if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue;
      let better = i32x4.bitmask(a) | (i32x4.bitmask(b) << 4) | (i32x4.bitmask(c) << 8) | (i32x4.bitmask(d) << 12);
      for (; better != 0; better &= better - 1) {
        const q = lane + <usize>ctz(better);
        const scoresOfToken = scores + q * heapBytes;
        replaceRoot(ids + q * heapBytes, scoresOfToken, nprobe, load<f32>(row + 4 * q), <u32>k);
        store<f32>(BEST + 4 * q, load<f32>(scoresOfToken));
      }
    }
  }
}

/** Turns the heaps into lists, best first. */
export function sortTop(tokens: usize, nprobe: usize, ids: usize, scores: usize): void {
  for (let q: usize = 0; q < tokens; q++, ids += 4 * nprobe, scores += 4 * nprobe) {
    for (let last = nprobe - 1; last > 0; last--) {
      const score = load<f32>(scores);
      const id = load<u32>(ids);
      replaceRoot(ids, scores, last, load<f32>(scores + 4 * last), load<u32>(ids + 4 * last));
      store<f32>(scores + 4 * last, score);
      store<u32>(ids + 4 * last, id);
    }
  }
}
