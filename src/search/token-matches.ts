/**
 * How similar each query token is to each token vector of one passage. The numbers are those that MaxSim was computed
 * from: the kernel that fills the centroid table is given the passage's residuals, then its centroids, as if they were a
 * codebook, so the sum of the maxima is the score, bit for bit.
 */
import type { Codec } from "../codec/codec.js";
import { fromFloat16 } from "../common/float16.js";
import { placeOfPassage, type Segment } from "../indexing/segment.js";
import type { KernelBackend, PackedQuery } from "../kernels/backend.js";
import { damagedSegment } from "./candidates.js";
import { decodePassage } from "./rescore.js";
import type { SearchSnapshot } from "./types.js";

export interface TokenSimilarities {
  readonly queryTokens: number;
  readonly passageTokens: number;
  /** f32 `[queryTokens][passageTokens]`. */
  readonly values: Float32Array;
  /** u32 `[queryTokens]`: the most similar passage token of each, the first of equals. */
  readonly choices: Uint32Array;
}

/** The query as it was scored: packed, or in float32 where the final scores were computed so. */
export interface ComparedQuery {
  readonly packed: PackedQuery;
  /** f32 `[tokens][dim]`. */
  readonly vectors: Float32Array;
}

/** Compares queries of one snapshot with its passages, one at a time; keeps its buffers between them. */
export class TokenComparison {
  private rows = new Uint8Array(0);
  private scales = new Float32Array(0);
  private residualPart = new Float32Array(0);
  private centroidPart = new Float32Array(0);

  constructor(
    private readonly snapshot: SearchSnapshot,
    private readonly kernels: KernelBackend,
  ) {}

  /** Undefined for a passage without token vectors, or that the snapshot does not have. Errors: CORRUPT. */
  compare(query: ComparedQuery, passageNo: number, precise = false): TokenSimilarities | undefined {
    const found = placeOfPassage(this.snapshot.segments, passageNo);
    if (found === undefined) return undefined;
    const { segment, ordinal } = found;
    const tokens = segment.offsets[ordinal + 1]! - segment.offsets[ordinal]!;
    if (tokens === 0) return undefined;
    const values = precise
      ? floatSimilarities(
          query.vectors,
          decodePassage(this.snapshot.codec, segment, ordinal),
          this.snapshot.codec.dim,
        )
      : this.packedSimilarities(query.packed, segment, ordinal);
    return {
      queryTokens: query.packed.tokens,
      passageTokens: tokens,
      values,
      choices: firstMaxima(values, query.packed.tokens, tokens),
    };
  }

  /** `(residual part + centroid part) * inverse norm * query scale`, rounded as `KernelBackend.maxsim` does. */
  private packedSimilarities(query: PackedQuery, segment: Segment, ordinal: number): Float32Array {
    const { codec } = this.snapshot;
    const { dim, codebook } = codec;
    const from = segment.offsets[ordinal]!;
    const count = segment.offsets[ordinal + 1]! - from;
    segment.ensureTokens(Uint32Array.of(ordinal));
    this.reserve(count, dim, query.lanes);
    const rows = this.rows.subarray(0, count * dim);
    const scales = this.scales.subarray(0, count);
    const out = count * query.lanes;

    expandResiduals(codec, segment, from, rows);
    scales.fill(codec.quantizer.weightScale);
    const residualPart = this.residualPart.subarray(0, out);
    this.kernels.centroidScores(query, { size: count, dim, values: rows, scales }, residualPart, null);

    const { codes, inverseNorms } = segment.compressed;
    for (let t = 0; t < count; t++) {
      const code = codes[from + t]!;
      if (code >= codebook.size) {
        throw damagedSegment(
          segment,
          new RangeError(`token ${from + t} has code ${code} of ${codebook.size}`),
        );
      }
      rows.set(codebook.values.subarray(code * dim, (code + 1) * dim), t * dim);
      scales[t] = codebook.scales[code]!;
    }
    const centroidPart = this.centroidPart.subarray(0, out);
    this.kernels.centroidScores(query, { size: count, dim, values: rows, scales }, centroidPart, null);

    const values = new Float32Array(query.tokens * count);
    for (let t = 0; t < count; t++) {
      const inverse = fromFloat16(inverseNorms[from + t]!);
      for (let q = 0; q < query.tokens; q++) {
        const lane = t * query.lanes + q;
        const sum = Math.fround(residualPart[lane]! + centroidPart[lane]!);
        values[q * count + t] = query.scales[q]! * Math.fround(sum * inverse);
      }
    }
    return values;
  }

  private reserve(count: number, dim: number, lanes: number): void {
    if (this.scales.length < count || this.rows.length < count * dim) {
      this.rows = new Uint8Array(count * dim);
      this.scales = new Float32Array(count);
    }
    if (this.residualPart.length < count * lanes) {
      this.residualPart = new Float32Array(count * lanes);
      this.centroidPart = new Float32Array(count * lanes);
    }
  }
}

/** Sum over the query tokens of the best similarity: MaxSim, with the rounding of `KernelBackend.maxsim`. */
export function sumOfMaxima({ values, choices, passageTokens }: TokenSimilarities): number {
  let sum = 0;
  for (const [q, choice] of choices.entries()) sum += values[q * passageTokens + choice]!;
  return Math.fround(sum);
}

/** The residual weights of a passage's tokens, u8 `[tokens][dim]`, biased as the codec has them. */
function expandResiduals(
  { dim, residualBytes, quantizer }: Codec,
  segment: Segment,
  from: number,
  rows: Uint8Array,
): void {
  const { nbits, weights } = quantizer;
  const { residuals } = segment.compressed;
  const slots = 8 / nbits;
  const mask = (1 << nbits) - 1;
  for (let at = from * residualBytes, row = 0; row < rows.length; row += dim, at += residualBytes) {
    for (let i = 0; i < residualBytes; i++) {
      let packed = residuals[at + i]!;
      for (let slot = 0; slot < slots; slot++) {
        rows[row + slot * residualBytes + i] = weights[packed & mask]!;
        packed >>>= nbits;
      }
    }
  }
}

function floatSimilarities(query: Float32Array, passage: Float32Array, dim: number): Float32Array {
  const tokens = passage.length / dim;
  const values = new Float32Array((query.length / dim) * tokens);
  for (let q = 0, at = 0; q < query.length; q += dim) {
    for (let t = 0; t < passage.length; t += dim) {
      let dot = 0;
      for (let d = 0; d < dim; d++) dot += query[q + d]! * passage[t + d]!;
      values[at++] = dot;
    }
  }
  return values;
}

function firstMaxima(values: Float32Array, queryTokens: number, tokens: number): Uint32Array {
  const choices = new Uint32Array(queryTokens);
  for (let q = 0; q < queryTokens; q++) {
    let best = Number.NEGATIVE_INFINITY;
    for (let t = 0; t < tokens; t++) {
      if (values[q * tokens + t]! > best) {
        best = values[q * tokens + t]!;
        choices[q] = t;
      }
    }
  }
  return choices;
}
