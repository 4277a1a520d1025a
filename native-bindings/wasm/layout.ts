// Addresses of the scratch that kernels share, in bytes of linear memory. What a call gets and gives lies behind it,
// from STAGING on, where src/kernels/wasm-memory.ts places it. Nothing is ever at address 0.

/** Which of the two modules this is: the one with dot products of relaxed SIMD, or the one with SIMD128 alone. */
export const RELAXED: bool = ASC_FEATURE_RELAXED_SIMD;

/** Added to document bytes, so that they are unsigned: 1..127 stands for -63..63. */
export const DOCUMENT_BIAS: i16 = 64;

export const MAX_DIM: usize = 256;
/** Query tokens that are scored at a time: four registers. */
export const TILE: usize = 16;
/** Document rows that meet a tile at a time: with it they give eight sums, which is what 16 registers have room for. */
export const BLOCK: usize = 2;
/** Bytes of a component of a tile or a row. */
export const COMPONENT: usize = RELAXED ? 1 : 2;
/** Bytes between rows in ROWS. */
export const ROW: usize = COMPONENT * MAX_DIM;
/** Rows that are widened at a time; 128 KiB stay in the second-level cache. */
export const ROWS_AT_A_TIME: usize = 256;
/** What a store of whole registers may spill over. */
const SLACK: usize = 64;

/** Bytes of a tile: see dot-words.ts and dot-bytes.ts. */
@inline
export function tileBytes(dim: usize): usize {
  return RELAXED ? dim * TILE + 4 * TILE : dim * (2 * TILE);
}

/** Tiles of the query. */
export const QUERY: usize = 1024;
const MAX_LANES: usize = 64;
/** [ROWS_AT_A_TIME][ROW]: document rows. */
export const ROWS: usize = QUERY + MAX_LANES * MAX_DIM * 2;
/** i32 [BLOCK][TILE]: what `dotBlock` gives. */
export const DOTS: usize = ROWS + ROWS_AT_A_TIME * ROW + SLACK;
/** f32 [MAX_LANES]: maxima of a passage, limits of `top`. */
export const BEST: usize = DOTS + BLOCK * TILE * 4;
/** f32 [32]: inverse norms of a chunk of tokens. */
export const NORMS: usize = BEST + MAX_LANES * 4;
/** u8 [MAX_DIM]: buckets of a token. */
export const BUCKETS: usize = NORMS + 32 * 4;
/** f32 [4], u32 [4]: best score and centroid of a vector so far, for each of four interleaved runs of centroids. */
export const NEAREST: usize = BUCKETS + MAX_DIM + SLACK;
/** u32 [2048]: the histogram of `selectTop`. */
export const COUNTS: usize = (NEAREST + 32 + 63) & ~63;

/** First byte that belongs to the caller. */
export const STAGING: usize = 3 * 65536;
