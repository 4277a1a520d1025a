/**
 * Posting lists: for each centroid the ascending unique passages that have a token with that code, stored as
 * first value then differences, LEB128 varints (7 bits a byte, low first, high bit = more).
 */
import { MaxsimError } from "../common/errors.js";
import type { PostingLists } from "../kernels/backend.js";

/** Builds the lists of a segment from its codes, passage by passage. */
export function buildPostings(
  codes: ArrayLike<number>,
  lengths: Uint32Array,
  centroids: number,
): PostingLists {
  // Two counting passes: how long each list is, then its entries; last[k] is the last passage seen plus one.
  const last = new Uint32Array(centroids);
  const counts = new Uint32Array(centroids + 1);
  forEachPosting(codes, lengths, last, (code) => {
    counts[code + 1] = counts[code + 1]! + 1;
  });
  for (let k = 0; k < centroids; k++) counts[k + 1] = counts[k + 1]! + counts[k]!;
  const entries = new Uint32Array(counts[centroids]!);
  const next = counts.slice();
  last.fill(0);
  forEachPosting(codes, lengths, last, (code, passage) => {
    entries[next[code]!] = passage;
    next[code] = next[code]! + 1;
  });
  return packLists(entries, counts, centroids);
}

function forEachPosting(
  codes: ArrayLike<number>,
  lengths: Uint32Array,
  last: Uint32Array,
  visit: (code: number, passage: number) => void,
): void {
  for (let passage = 0, token = 0; passage < lengths.length; passage++) {
    for (const end = token + lengths[passage]!; token < end; token++) {
      const code = codes[token]!;
      if (last[code] === passage + 1) continue;
      last[code] = passage + 1;
      visit(code, passage);
    }
  }
}

function packLists(entries: Uint32Array, starts: Uint32Array, centroids: number): PostingLists {
  const offsets = new Uint32Array(centroids + 1);
  let size = 0;
  for (let k = 0; k < centroids; k++) {
    let previous = 0;
    for (let i = starts[k]!; i < starts[k + 1]!; i++) {
      size += varintLength(entries[i]! - previous);
      previous = entries[i]!;
    }
    offsets[k + 1] = size;
  }
  if (size > 0xffffffff)
    throw new MaxsimError("INTERNAL", `posting lists of ${size} bytes do not fit one segment`);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (let k = 0; k < centroids; k++) {
    let previous = 0;
    for (let i = starts[k]!; i < starts[k + 1]!; i++) {
      let delta = entries[i]! - previous;
      previous = entries[i]!;
      for (; delta > 0x7f; delta >>>= 7) bytes[at++] = (delta & 0x7f) | 0x80;
      bytes[at++] = delta;
    }
  }
  return { offsets, bytes };
}

function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/**
 * Reads one list into `out` and returns its length. Never reads past `end`, never accepts a value of `limit` or
 * more, nor more values than `out` holds: CORRUPT otherwise.
 */
export function readPostings(
  bytes: Uint8Array,
  start: number,
  end: number,
  limit: number,
  out: Uint32Array,
  name: string,
): number {
  let count = 0;
  let value = 0;
  for (let at = start; at < end; ) {
    let delta = bytes[at++]!;
    // Nearly all differences take one byte, the rest mostly two.
    if (delta > 0x7f) {
      let shift = 7;
      let byte: number;
      delta &= 0x7f;
      do {
        if (at >= end || shift > 28) throw corruptList(name, start);
        byte = bytes[at++]!;
        delta += (byte & 0x7f) * 2 ** shift;
        shift += 7;
      } while (byte > 0x7f);
    }
    value += delta;
    if (value >= limit || (delta === 0 && count > 0) || count >= out.length) throw corruptList(name, start);
    out[count++] = value;
  }
  return count;
}

function corruptList(name: string, start: number): MaxsimError {
  return new MaxsimError(
    "CORRUPT",
    `${name}: the posting list at byte ${start} of its section is malformed`,
    {
      hint: "Restore the index from a backup, or build it again.",
    },
  );
}
