/**
 * Integer dot products in plain TypeScript.
 *
 * A float64 holds integers below 2^53 exactly, and one dot product stays below 2^23 in magnitude
 * (256 dimensions * 128 * 191, whatever the bytes are). So two of them are summed in one number, the second
 * 2^26 times as heavy as the first: one multiplication and one addition do the work of two.
 */
import { DOCUMENT_BIAS, type PackedQuery } from "../backend.js";

const SECOND_LANE = 2 ** 26;

/** Lanes for `dotLanes`: f64 `[lanes / 8][dim][4]`, each the values of two neighbouring lanes at a dimension. */
export type PairedLanes = Float64Array;

/** Pairs up `lanes` vectors (a multiple of 8), read through `component(lane, dimension)`. */
export function pairLanes(
  lanes: number,
  dim: number,
  component: (lane: number, d: number) => number,
): PairedLanes {
  const paired = new Float64Array((lanes * dim) / 2);
  let i = 0;
  for (let block = 0; block < lanes; block += 8) {
    for (let d = 0; d < dim; d++) {
      for (let lane = block; lane < block + 8; lane += 2) {
        paired[i++] = component(lane, d) + SECOND_LANE * component(lane + 1, d);
      }
    }
  }
  return paired;
}

/** The lanes of a query. */
export function pairQuery({ dim, lanes, values }: PackedQuery): PairedLanes {
  return pairLanes(lanes, dim, (lane, d) => values[((d >> 2) * lanes + lane) * 4 + (d & 3)]!);
}

/** out[lane] = sum_d lane[d] * row[d]; row is f64 `[dim]` of document values without bias. */
export function dotLanes(
  paired: PairedLanes,
  lanes: number,
  row: Float64Array,
  dim: number,
  out: Int32Array,
): void {
  let i = 0;
  for (let lane = 0; lane < lanes; lane += 8) {
    let a = 0;
    let b = 0;
    let c = 0;
    let e = 0;
    for (let d = 0; d < dim; d++, i += 4) {
      const x = row[d]!;
      a += x * paired[i]!;
      b += x * paired[i + 1]!;
      c += x * paired[i + 2]!;
      e += x * paired[i + 3]!;
    }
    split(a, lane, out);
    split(b, lane + 2, out);
    split(c, lane + 4, out);
    split(e, lane + 6, out);
  }
}

/** Takes two sums apart: the first is too small to change the rounding of the quotient. */
function split(sums: number, lane: number, out: Int32Array): void {
  const second = Math.round(sums / SECOND_LANE);
  out[lane] = sums - second * SECOND_LANE;
  out[lane + 1] = second;
}

/** sum_d a[aStart + d] * (b[bStart + d] - 64); dim is a multiple of 4. */
export function dotRow(a: Int8Array, aStart: number, b: Uint8Array, bStart: number, dim: number): number {
  let even = 0;
  let odd = 0;
  for (let i = aStart, j = bStart; i < aStart + dim; i += 4, j += 4) {
    even = (even + Math.imul(a[i]!, b[j]! - DOCUMENT_BIAS)) | 0;
    odd = (odd + Math.imul(a[i + 1]!, b[j + 1]! - DOCUMENT_BIAS)) | 0;
    even = (even + Math.imul(a[i + 2]!, b[j + 2]! - DOCUMENT_BIAS)) | 0;
    odd = (odd + Math.imul(a[i + 3]!, b[j + 3]! - DOCUMENT_BIAS)) | 0;
  }
  return (even + odd) | 0;
}
