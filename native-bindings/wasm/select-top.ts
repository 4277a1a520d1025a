// Selection of the highest scores: a radix search for the lowest key that is taken, 11 bits at a time.

import { COUNTS } from "./layout";

const BINS: u32 = 2048;

/**
 * Makes keys of `count` scores, f32, in their place, which has room for three more: unsigned numbers in the order of the
 * scores, where -0 equals 0 and NaN -Infinity. What fills up the last four is below all of them.
 */
function makeKeys(scores: usize, count: usize): void {
  const lowest = f32x4.splat(-Infinity);
  const signBit = i32x4.splat(0x80000000);
  for (let at = scores; at < scores + 4 * count; at += 16) {
    let score = v128.load(at);
    score = f32x4.add(v128.bitselect(score, lowest, f32x4.eq(score, score)), f32x4.splat(0));
    v128.store(at, v128.xor(score, v128.or(i32x4.shr_s(score, 31), signBit)));
  }
  v128.store(scores + 4 * count, i32x4.splat(0));
}

/** Counts the keys that equal `prefix` in the bits of `mask` by the 11 bits from `shift` on. */
function countKeys(keys: usize, count: usize, mask: u32, prefix: u32, shift: u32): void {
  memory.fill(COUNTS, 0, BINS * 4);
  for (let at = keys; at < keys + 4 * count; at += 4) {
    const key = load<u32>(at);
    if ((key & mask) != prefix) continue;
    const bin = COUNTS + 4 * <usize>((key >> shift) & (BINS - 1));
    store<u32>(bin, load<u32>(bin) + 1);
  }
}

/**
 * Positions of the `limit` highest of `count` scores, ascending; of equal scores the earlier are taken. 0 < limit <=
 * count. The scores, f32 with room for four more, are overwritten.
 */
export function selectTop(scores: usize, count: usize, limit: u32, out: usize): void {
  makeKeys(scores, count);
  let mask: u32 = 0;
  let lowest: u32 = 0;
  // How many keys with the prefix `lowest` are taken; in the end, of those that equal it.
  let ties = limit;
  for (let shift: i32 = 21; ; shift = max(shift - 11, 0)) {
    countKeys(scores, count, mask, lowest, shift);
    let bin = BINS - 1;
    for (;;) {
      const here = load<u32>(COUNTS + 4 * <usize>bin);
      if (here >= ties) break;
      ties -= here;
      bin--;
    }
    lowest |= bin << shift;
    mask |= (BINS - 1) << shift;
    if (shift == 0) break;
  }
  const border = i32x4.splat(lowest);
  for (let i: usize = 0; i < count; i += 4) {
    const keys = scores + 4 * i;
    let taken = i32x4.bitmask(i32x4.ge_u(v128.load(keys), border));
    for (; taken != 0; taken &= taken - 1) {
      const lane = <usize>ctz(taken);
      if (load<u32>(keys + 4 * lane) == lowest) {
        if (ties == 0) continue;
        ties--;
      }
      store<u32>(out, <u32>(i + lane));
      out += 4;
    }
  }
}
