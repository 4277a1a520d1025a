// Gathering: the passages of posting lists, added up. Rules of a list: see `PostingLists` of src/kernels/backend.ts.

/** What `gatherList` returns for a list that is malformed. */
const MALFORMED: u32 = 0xffffffff;

/**
 * Adds `gain` to the sum of each passage of one posting list, bytes `at` .. `end` - 1, that has not got the mark of this
 * query token, 1 or more. marks u8 [limit], f32 sums dense [limit]; a passage without any mark goes behind the `reached`
 * ones in u32 `passages`, unless excluded, u8 [limit] or 0 for none, has it. Returns how many are there now, or
 * MALFORMED.
 */
export function gatherList(
  at: usize,
  end: usize,
  token: u32,
  gain: f32,
  marks: usize,
  dense: usize,
  passages: usize,
  reached: u32,
  limit: u32,
  excluded: usize,
): u32 {
  // 64 bits: neither a difference of five bytes nor a sum of two can wrap around.
  let passage: u64 = 0;
  let first = true;
  while (at < end) {
    let delta: u64 = load<u8>(at++);
    if (delta > 0x7f) {
      delta &= 0x7f;
      for (let shift: u64 = 7; ; shift += 7) {
        if (at >= end || shift > 28) return MALFORMED;
        const byte: u64 = load<u8>(at++);
        delta += (byte & 0x7f) << shift;
        if (byte <= 0x7f) break;
      }
    }
    if (delta == 0 && !first) return MALFORMED;
    passage += delta;
    first = false;
    if (passage >= <u64>limit) return MALFORMED;
    const p = <usize>passage;
    const mark: u32 = load<u8>(marks + p);
    if (mark == token) continue;
    if (mark == 0) {
      if (excluded != 0 && load<u8>(excluded + p) != 0) continue;
      store<u32>(passages + 4 * <usize>reached, <u32>p);
      reached++;
      store<f32>(dense + 4 * p, gain + 0.0);
    } else {
      store<f32>(dense + 4 * p, load<f32>(dense + 4 * p) + gain);
    }
    store<u8>(marks + p, token);
  }
  return reached;
}

/** sums[i] = dense[passages[i]] for the `count` passages that were reached. */
export function gatherSums(passages: usize, count: usize, dense: usize, sums: usize): void {
  for (let i: usize = 0; i < count; i++) {
    store<f32>(sums + 4 * i, load<f32>(dense + 4 * <usize>load<u32>(passages + 4 * i)));
  }
}
