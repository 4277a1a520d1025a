/** Integer dot products in plain TypeScript. */
import { DOCUMENT_BIAS, type PackedQuery } from "../backend.js";

/** The query as i32 `[dim][lanes]`: one dimension of neighbouring query tokens lies together. */
export function unpackQuery(query: PackedQuery): Int32Array {
  const { dim, lanes, values } = query;
  const unpacked = new Int32Array(dim * lanes);
  for (let d = 0; d < dim; d++) {
    for (let lane = 0; lane < lanes; lane++) {
      unpacked[d * lanes + lane] = values[((d >> 2) * lanes + lane) * 4 + (d & 3)]!;
    }
  }
  return unpacked;
}

/** out[lane] = sum_d query[d][lane] * row[d], four lanes at a time; row is i32 `[dim]` without bias. */
export function dotLanes(
  query: Int32Array,
  lanes: number,
  row: Int32Array,
  dim: number,
  out: Int32Array,
): void {
  for (let lane = 0; lane < lanes; lane += 4) {
    let a = 0;
    let b = 0;
    let c = 0;
    let e = 0;
    for (let d = 0, i = lane; d < dim; d++, i += lanes) {
      const x = row[d]!;
      a = (a + Math.imul(x, query[i]!)) | 0;
      b = (b + Math.imul(x, query[i + 1]!)) | 0;
      c = (c + Math.imul(x, query[i + 2]!)) | 0;
      e = (e + Math.imul(x, query[i + 3]!)) | 0;
    }
    out[lane] = a;
    out[lane + 1] = b;
    out[lane + 2] = c;
    out[lane + 3] = e;
  }
}

/** sum_d a[aStart + d] * (b[bStart + d] - 64). */
export function dotRow(a: Int8Array, aStart: number, b: Uint8Array, bStart: number, dim: number): number {
  let sum = 0;
  for (let d = 0; d < dim; d++) {
    sum = (sum + Math.imul(a[aStart + d]!, b[bStart + d]! - DOCUMENT_BIAS)) | 0;
  }
  return sum;
}
