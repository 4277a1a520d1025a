/**
 * The operations that a kernel backend performs, and the packed forms that they work on.
 *
 * Every result is bit-identical on every backend: dot products are exact integers, and the few float32
 * operations around them (one rounding each, never fused) happen in the order stated here.
 *
 * Number ranges. The document side (centroids, residual weights) is unsigned with 7 bits: the signed value
 * -63..63 plus 64. The query side is signed with 8 bits, -127..127. A pair of products then stays below 2^15
 * (127 * 127 * 2 = 32258), so that AVX2's maddubs cannot saturate, and VNNI, NEON, WASM and plain code agree.
 * Rounding the document side to 7 bits costs no accuracy of its own: the codec defines centroids and weights as
 * their quantized values, and what a coarse centroid misses ends in the residual.
 *
 * The bias 64 depends on the query alone: sum(q * (d + 64)) = sum(q * d) + 64 * sum(q).
 */

/** Query tokens are padded to a multiple of this many lanes (16 lanes of 32 bits fill one AVX-512 register). */
export const LANE_MULTIPLE = 16;
export const MAX_QUERY_TOKENS = 64;
export const MAX_DIM = 256;
/** Added to document-side values, so that they are unsigned: 1..127 stands for -63..63. */
export const DOCUMENT_BIAS = 64;

/** A query as kernels want it: query-stationary, lanes = query tokens. Made by `packQuery`. */
export interface PackedQuery {
  /** Query tokens, 1..64. */
  readonly tokens: number;
  /** `tokens` rounded up to a multiple of 16. */
  readonly lanes: number;
  /** A multiple of 8, at most 256. */
  readonly dim: number;
  /** s8 `[dim / 4][lanes][4]`: four consecutive dimensions of one token lie together. Padding lanes are 0. */
  readonly values: Int8Array;
  /** f32 `[lanes]`: max|q| / 127 of the token; query token = values * scale. 0 in padding lanes. */
  readonly scales: Float32Array;
  /** i32 `[lanes]`: 64 * sum(values), to be subtracted from each dot product. */
  readonly bias: Int32Array;
}

/** Centroids: centroid k, dimension d = (values[k * dim + d] - 64) * scales[k]. */
export interface Codebook {
  readonly size: number;
  readonly dim: number;
  /** u8 `[size][dim]`, each 1..127. */
  readonly values: Uint8Array;
  /** f32 `[size]`, finite, >= 0. */
  readonly scales: Float32Array;
}

/** How residual buckets are cut and what they decode to; one scalar quantizer for all dimensions. */
export interface ResidualQuantizer {
  readonly nbits: 1 | 2 | 4;
  /** f32 `[2^nbits - 1]`, ascending. bucket = number of cutoffs strictly below the component. */
  readonly cutoffs: Float32Array;
  /** u8 `[2^nbits]`, each 1..127: weight = (value - 64) * weightScale. */
  readonly weights: Uint8Array;
  readonly weightScale: number;
}

/**
 * Token vectors before compression: s8 with one scale a token, component = values * scale, scale = max|x| / 127.
 * The form in which encoders hand over document vectors and in which the codec is trained.
 */
export interface QuantizedVectors {
  readonly count: number;
  readonly dim: number;
  /** s8 `[count][dim]`, -127..127. */
  readonly values: Int8Array;
  /** f32 `[count]`. */
  readonly scales: Float32Array;
}

/** Compressed tokens of a segment. */
export interface CompressedTokens {
  /** u16 or u32 `[tokens]`, each below the codebook's size. */
  readonly codes: Uint16Array | Uint32Array;
  /**
   * u8 `[tokens][dim * nbits / 8]`, planar. With P = dim * nbits / 8, byte i of a token holds the buckets of the
   * dimensions i, i + P, i + 2P, ...: slot s (dimension i + s * P) in bits s * nbits .. (s + 1) * nbits - 1,
   * so shifting a whole register and masking yields dimensions in order.
   */
  readonly residuals: Uint8Array;
  /** binary16 bits `[tokens]`: 1 / |centroid + decoded residual|. */
  readonly inverseNorms: Uint16Array;
}

/** Centroids probed for each query token, best first: ids u32 and scores f32 `[tokens][nprobe]`. */
export interface Probes {
  readonly nprobe: number;
  readonly ids: Uint32Array;
  /** In units of the query token's scale, as `centroidScores` gives them. */
  readonly scores: Float32Array;
}

/**
 * Posting lists: for each centroid the ascending unique passages that have a token with that code, stored as first
 * value then differences, LEB128 varints (7 bits a byte, low first, high bit = more; at most five bytes).
 */
export interface PostingLists {
  /** u32 `[centroids + 1]`: byte offsets into `bytes`. */
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Working memory of `gather`, one entry a passage. */
export interface GatherScratch {
  /** u8 `[passages]`, all 0 before and after a call; after a call that threw it must not be used again. */
  readonly marks: Uint8Array;
  /** f32 `[passages]`, of any content. */
  readonly sums: Float32Array;
}

/** Passages of a segment: the tokens of passage p are offsets[p] .. offsets[p + 1] - 1. u32 `[passages + 1]`. */
export type PassageOffsets = Uint32Array;

/**
 * Inputs have exactly the length that their shape says, outputs at least it, and what lies beyond stays as it is.
 * All arrays may be backed by a SharedArrayBuffer. Every backend checks types, lengths, codes, offsets, passages
 * and ranges before it follows them, and throws a TypeError or RangeError that names the argument; outputs may be
 * partly written by then. Calls are synchronous and keep no reference to their arguments.
 */
export interface KernelBackend {
  readonly name: "native" | "wasm" | "js";
  /** Instruction set in use, such as "avx512vnni", "avx2", "scalar", "simd128", "plain". */
  readonly isa: string;

  /**
   * Centroid score table in units of the query token's scale, f32 `[size][lanes]`:
   * out[k][q] = f32(sum_d values_q[d] * (c_k[d] - 64)) * scales[k]. Padding lanes give 0.
   * Where `bytes`, u8 `[size][lanes]`, is given: the same as the cosine in steps of 1 / 255, negative ones 0:
   * y = f32(f32(f32(out[k][q] * query.scales[q]) * 255) + 0.5); bytes[k][q] = 0 unless y > 0, else trunc(min(y, 255)).
   */
  centroidScores(query: PackedQuery, codebook: Codebook, out: Float32Array, bytes: Uint8Array | null): void;

  /**
   * The `nprobe` best centroids of each query token from a score table, best first, ties to the lower id.
   * ids: u32 `[tokens][nprobe]`, scores: f32 `[tokens][nprobe]`. nprobe <= size.
   */
  topCentroids(
    table: Float32Array,
    size: number,
    query: PackedQuery,
    nprobe: number,
    ids: Uint32Array,
    scores: Float32Array,
  ): void;

  /**
   * The posting lists of the probed centroids, added up over the query tokens. For q = 0, 1, ... and n = 0, 1, ...:
   * each passage of list ids[q][n] that q has not reached yet gets
   * gain = f32(f32(scores[q][n] - scores[q][nprobe - 1]) * query.scales[q]) added to its sum in float32 (the first sum
   * is 0 + gain). Passages p with excluded[p] != 0 are left out; `excluded` null excludes none.
   * `passages` and `sums` (both with room for `scratch.marks.length` entries) get the reached passages in the order in
   * which they were reached and their sums; the result is how many. A list that is malformed, ends outside of
   * `postings.bytes` or names a passage that is not below `scratch.marks.length` throws a RangeError.
   * `scratch.marks`, `scratch.sums`, `passages` and `sums` must not share memory; the native backend refuses it.
   */
  gather(
    query: PackedQuery,
    probes: Probes,
    postings: PostingLists,
    excluded: Uint8Array | null,
    scratch: GatherScratch,
    passages: Uint32Array,
    sums: Float32Array,
  ): number;

  /**
   * Positions of the `limit` highest of `scores`, ascending by position; of equal scores the earlier position is taken
   * first, -0 equals 0, and NaN counts as -Infinity. Returns how many: min(limit, scores.length). `out` has room for
   * that many.
   */
  selectTop(scores: Float32Array, limit: number, out: Uint32Array): number;

  /**
   * Centroid interaction on the byte table of `centroidScores`: out[i] = sum_q max_t bytes[codes[t]][q] over the tokens
   * t of passage passages[i], an exact integer. -Infinity for a passage without tokens. `passages` null means all, in
   * order. Padding lanes hold 0 and add nothing.
   */
  approximate(
    query: PackedQuery,
    bytes: Uint8Array,
    codes: Uint16Array | Uint32Array,
    offsets: PassageOffsets,
    passages: Uint32Array | null,
    out: Float32Array,
  ): void;

  /**
   * Exact MaxSim over what is stored: for token t and query token q
   *   v = (f32(sum_d values_q[d] * (w_t[d] - 64)) * weightScale + table[codes[t]][q]) * inverseNorm_t
   * (each operation rounded to float32), the maximum over t, then the sum of scales[q] * maximum: products in float32,
   * the sum over q = 0, 1, ... in float64, rounded to float32 at the end. -Infinity for a passage without tokens.
   * `passages` as in `approximate`.
   * A v that is not a number, as a damaged inverse norm may give, never becomes the maximum.
   */
  maxsim(
    query: PackedQuery,
    quantizer: ResidualQuantizer,
    table: Float32Array,
    tokens: CompressedTokens,
    offsets: PassageOffsets,
    passages: Uint32Array | null,
    out: Float32Array,
  ): void;

  /**
   * Nearest centroid of each vector by dot product: argmax_k f32(sum_d v[d] * (c_k[d] - 64)) * scales[k], ties to
   * the lower id. `ranges` u32 `[count][2]` restricts vector i to the centroids first .. end - 1 (never empty);
   * null means all.
   */
  assign(vectors: QuantizedVectors, codebook: Codebook, ranges: Uint32Array | null, codes: Uint32Array): void;

  /**
   * Quantizes the residuals of `vectors` against their centroids and packs them.
   * x = f32(v * scale), c = f32((c_k[d] - 64) * scales[k]), r = f32(x - c), bucket as in ResidualQuantizer,
   * y = f32(c + f32((w[bucket] - 64) * weightScale)); inverse norm = 1 / sqrt(sum y * y) with the sum over
   * d = 0, 1, ... in float64, then to binary16 (nearest, ties to even) by way of float32. A norm below 1e-12
   * counts as 1e-12, and a result beyond 65504 as 65504.
   */
  compress(
    vectors: QuantizedVectors,
    codebook: Codebook,
    quantizer: ResidualQuantizer,
    codes: Uint32Array,
    residuals: Uint8Array,
    inverseNorms: Uint16Array,
  ): void;
}

/** Why a candidate of the ladder was or was not taken. */
export interface KernelAttempt {
  readonly candidate: string;
  readonly ok: boolean;
  readonly reason: string;
}

export interface KernelInfo {
  readonly backend: KernelBackend["name"];
  readonly isa: string;
  /** Path of the addon, for the native backend. */
  readonly path: string | undefined;
  readonly tried: readonly KernelAttempt[];
}
