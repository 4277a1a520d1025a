/**
 * MaxSim of vectors as a model gives them. Nothing is quantized: what an int8 kernel would need first, packing the document, takes
 * longer than this takes altogether while a document meets few queries, and both are a fiftieth of encoding it.
 */

/** Query tokens that meet a component of the document while it is in a register. */
const BLOCK = 4;

/** A query for `maxSim`. */
export interface FloatQuery {
  readonly tokens: number;
  readonly dim: number;
  /** f64 `[tokens, rounded up to a multiple of 4][dim]`; the rows added are 0, so that their best similarity is 0. */
  readonly rows: Float64Array;
}

/** @param vectors f32 `[tokens][dim]`, at least one. */
export function floatQuery(vectors: Float32Array, dim: number): FloatQuery {
  const tokens = vectors.length / dim;
  const rows = new Float64Array(Math.ceil(tokens / BLOCK) * BLOCK * dim);
  rows.set(vectors);
  return { tokens, dim, rows };
}

/**
 * Sum over the query tokens of the best dot product with a row of `document`, f32 `[n][dim]`. Products and sums in float64, always
 * in the same order, the result rounded to float32: the same bits on every machine. -Infinity for a document without rows.
 */
export function maxSim({ dim, rows }: FloatQuery, document: Float32Array): number {
  let sum = 0;
  for (let q = 0; q < rows.length; q += BLOCK * dim) sum += blockMaxSim(rows, q, document, dim);
  return Math.fround(sum);
}

/** The same for the four query rows from `first` on. */
function blockMaxSim(rows: Float64Array, first: number, document: Float32Array, dim: number): number {
  const second = first + dim;
  const third = second + dim;
  const fourth = third + dim;
  let best0 = Number.NEGATIVE_INFINITY;
  let best1 = Number.NEGATIVE_INFINITY;
  let best2 = Number.NEGATIVE_INFINITY;
  let best3 = Number.NEGATIVE_INFINITY;
  for (let t = 0; t < document.length; t += dim) {
    let dot0 = 0;
    let dot1 = 0;
    let dot2 = 0;
    let dot3 = 0;
    for (let d = 0; d < dim; d++) {
      const x = document[t + d]!;
      dot0 += rows[first + d]! * x;
      dot1 += rows[second + d]! * x;
      dot2 += rows[third + d]! * x;
      dot3 += rows[fourth + d]! * x;
    }
    if (dot0 > best0) best0 = dot0;
    if (dot1 > best1) best1 = dot1;
    if (dot2 > best2) best2 = dot2;
    if (dot3 > best3) best3 = dot3;
  }
  return best0 + best1 + best2 + best3;
}
