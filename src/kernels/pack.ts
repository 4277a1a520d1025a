/**
 * Float vectors into the packed forms of `backend.ts`. All of them quantize symmetrically with one scale a row:
 * scale = max|x| / levels (rounded to float32), value = x / scale rounded half away from zero and clamped to
 * +-levels. A row of zeros, or one so small that its scale underflows, has scale 0 and zero values.
 */
import { checkInteger, invalidArgument } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import {
  type Codebook,
  DOCUMENT_BIAS,
  LANE_MULTIPLE,
  MAX_DIM,
  MAX_QUERY_TOKENS,
  type PackedQuery,
  type QuantizedVectors,
} from "./backend.js";

/** Largest magnitude of a query-side value and of a quantized token vector (s8). */
const SIGNED_LEVELS = 127;
/** Largest magnitude of a document-side value before the bias (u7). */
const DOCUMENT_LEVELS = 63;

/**
 * Packs the token vectors of a query, f32 `[tokens][dim]`.
 * @throws MaxsimError INVALID_ARGUMENT for a shape out of range, INVALID_VECTOR for a component that is not finite.
 */
export function packQuery(vectors: Float32Array, tokens: number, dim: number): PackedQuery {
  checkInteger("query tokens", tokens, 1, MAX_QUERY_TOKENS);
  checkRows("query", vectors, tokens, dim);
  const lanes = Math.ceil(tokens / LANE_MULTIPLE) * LANE_MULTIPLE;
  const values = new Int8Array(dim * lanes);
  const scales = new Float32Array(lanes);
  const bias = new Int32Array(lanes);
  for (let token = 0; token < tokens; token++) {
    const scale = rowScale("query token", vectors, token, dim, SIGNED_LEVELS);
    scales[token] = scale;
    let sum = 0;
    for (let d = 0; d < dim; d++) {
      const value = level(vectors[token * dim + d]!, scale, SIGNED_LEVELS);
      // Four consecutive dimensions of one lane lie together: [d / 4][lane][d % 4].
      values[((d >> 2) * lanes + token) * 4 + (d & 3)] = value;
      sum += value;
    }
    bias[token] = DOCUMENT_BIAS * sum;
  }
  return { tokens, lanes, dim, values, scales, bias };
}

/**
 * Quantizes token vectors, f32 `[count][dim]`, to s8 with one scale each.
 * @throws MaxsimError INVALID_ARGUMENT for a bad shape, INVALID_VECTOR for a component that is not finite.
 */
export function quantizeVectors(vectors: Float32Array, count: number, dim: number): QuantizedVectors {
  checkInteger("vector count", count, 0);
  checkRows("token", vectors, count, dim);
  const values = new Int8Array(count * dim);
  const scales = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    const scale = rowScale("token", vectors, row, dim, SIGNED_LEVELS);
    scales[row] = scale;
    if (scale === 0) continue;
    for (let i = row * dim; i < (row + 1) * dim; i++) values[i] = level(vectors[i]!, scale, SIGNED_LEVELS);
  }
  return { count, dim, values, scales };
}

/**
 * Packs centroids, f32 `[K][dim]`; K is `vectors.length / dim`, at least 1.
 * @throws MaxsimError INVALID_ARGUMENT for a bad shape, INVALID_VECTOR for a component that is not finite.
 */
export function packCodebook(vectors: Float32Array, dim: number): Codebook {
  checkDim(dim);
  const size = vectors.length / dim;
  checkInteger("codebook size (components / dim)", size, 1);
  const values = new Uint8Array(size * dim);
  const scales = new Float32Array(size);
  for (let row = 0; row < size; row++) {
    const scale = rowScale("centroid", vectors, row, dim, DOCUMENT_LEVELS);
    scales[row] = scale;
    for (let i = row * dim; i < (row + 1) * dim; i++) {
      values[i] = DOCUMENT_BIAS + level(vectors[i]!, scale, DOCUMENT_LEVELS);
    }
  }
  return { size, dim, values, scales };
}

/**
 * Packs the weights of a residual quantizer: u8 with bias 64 and one common scale (max|w| / 63).
 * @throws MaxsimError INVALID_ARGUMENT when there are not 2, 4 or 16 of them, INVALID_VECTOR when one is not finite.
 */
export function packWeights(weights: Float32Array): { weights: Uint8Array; weightScale: number } {
  if (weights.length !== 2 && weights.length !== 4 && weights.length !== 16) {
    throw invalidArgument("residual weights", "2, 4 or 16 numbers", weights.length);
  }
  const weightScale = rowScale("residual weights", weights, 0, weights.length, DOCUMENT_LEVELS);
  const packed = Uint8Array.from(weights, (w) => DOCUMENT_BIAS + level(w, weightScale, DOCUMENT_LEVELS));
  return { weights: packed, weightScale };
}

function checkDim(dim: number): void {
  checkInteger("dim", dim, 8, MAX_DIM);
  if (dim % 8 !== 0) throw invalidArgument("dim", "a multiple of 8", dim);
}

function checkRows(what: string, vectors: Float32Array, rows: number, dim: number): void {
  checkDim(dim);
  if (vectors.length !== rows * dim) {
    throw invalidArgument(`${what} vectors`, `${rows} x ${dim} = ${rows * dim} numbers`, vectors.length);
  }
}

/** max|x| / levels of one row as float32, 0 for a row of zeros. */
function rowScale(what: string, vectors: Float32Array, row: number, dim: number, levels: number): number {
  let max = 0;
  for (let i = row * dim; i < (row + 1) * dim; i++) {
    const magnitude = Math.abs(vectors[i]!);
    // False for NaN as well.
    if (!(magnitude < Number.POSITIVE_INFINITY)) {
      throw new MaxsimError(
        "INVALID_VECTOR",
        `${what} ${row} must have finite components, found ${vectors[i]} at dimension ${i - row * dim}`,
        { hint: "Check the encoder's output; a vector of zeros cannot be normalized and becomes NaN." },
      );
    }
    if (magnitude > max) max = magnitude;
  }
  return Math.fround(max / levels);
}

/** x / scale, rounded half away from zero, clamped to +-levels; 0 when scale is 0. */
function level(x: number, scale: number, levels: number): number {
  if (scale === 0) return 0;
  const magnitude = Math.min(levels, Math.floor(Math.abs(x) / scale + 0.5));
  return x < 0 ? -magnitude : magnitude;
}
