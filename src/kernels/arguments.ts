/**
 * Checks of kernel arguments for the backends written in TypeScript; the addon makes the same ones in C++.
 * They guard an internal boundary, so they throw plain TypeError and RangeError that name the argument.
 */
import {
  type Codebook,
  type CompressedTokens,
  type GatherScratch,
  LANE_MULTIPLE,
  MAX_DIM,
  MAX_QUERY_TOKENS,
  type PackedQuery,
  type PassageOffsets,
  type PostingLists,
  type Probes,
  type QuantizedVectors,
  type ResidualQuantizer,
} from "./backend.js";

interface TypedArrayClass {
  readonly name: string;
  new (length: number): { readonly length: number };
}

function requireType(name: string, value: unknown, ...allowed: TypedArrayClass[]): void {
  if (allowed.some((type) => value instanceof type)) return;
  throw new TypeError(`${name} must be a ${allowed.map((type) => type.name).join(" or ")}`);
}

function requireCount(name: string, value: unknown, min: number, max = 2 ** 31 - 1): void {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be an integer from ${min} to ${max}, found ${value}`);
  }
}

/** An input has exactly the length that its shape says. */
function requireLength(name: string, array: { readonly length: number }, length: number): void {
  if (array.length !== length) {
    throw new RangeError(`${name} must have length ${length}, found ${array.length}`);
  }
}

/** An output may be longer than the result; the rest of it stays as it is. */
function requireRoom(name: string, array: { readonly length: number }, length: number): void {
  if (array.length < length) {
    throw new RangeError(`${name} must have length ${length} or more, found ${array.length}`);
  }
}

function requireDim(dim: number): void {
  requireCount("dim", dim, 8, MAX_DIM);
  if (dim % 8 !== 0) throw new RangeError(`dim must be a multiple of 8, found ${dim}`);
}

function requireQuery(query: PackedQuery): void {
  requireCount("query.tokens", query.tokens, 1, MAX_QUERY_TOKENS);
  const lanes = Math.ceil(query.tokens / LANE_MULTIPLE) * LANE_MULTIPLE;
  if (query.lanes !== lanes) throw new RangeError(`query.lanes must be ${lanes}, found ${query.lanes}`);
  requireDim(query.dim);
  requireType("query.values", query.values, Int8Array);
  requireLength("query.values", query.values, query.dim * lanes);
  requireType("query.scales", query.scales, Float32Array);
  requireLength("query.scales", query.scales, lanes);
  requireType("query.bias", query.bias, Int32Array);
  requireLength("query.bias", query.bias, lanes);
}

function requireCodebook(codebook: Codebook, dim: number): void {
  requireCount("codebook.size", codebook.size, 1);
  if (codebook.dim !== dim) throw new RangeError(`codebook.dim must be ${dim}, found ${codebook.dim}`);
  requireType("codebook.values", codebook.values, Uint8Array);
  requireLength("codebook.values", codebook.values, codebook.size * dim);
  requireType("codebook.scales", codebook.scales, Float32Array);
  requireLength("codebook.scales", codebook.scales, codebook.size);
}

function requireVectors(vectors: QuantizedVectors): void {
  requireCount("vectors.count", vectors.count, 0);
  requireDim(vectors.dim);
  requireType("vectors.values", vectors.values, Int8Array);
  requireLength("vectors.values", vectors.values, vectors.count * vectors.dim);
  requireType("vectors.scales", vectors.scales, Float32Array);
  requireLength("vectors.scales", vectors.scales, vectors.count);
}

function requireQuantizer(quantizer: ResidualQuantizer): void {
  const { nbits } = quantizer;
  if (nbits !== 1 && nbits !== 2 && nbits !== 4) {
    throw new RangeError(`quantizer.nbits must be 1, 2 or 4, found ${String(nbits)}`);
  }
  requireType("quantizer.cutoffs", quantizer.cutoffs, Float32Array);
  requireLength("quantizer.cutoffs", quantizer.cutoffs, 2 ** nbits - 1);
  requireType("quantizer.weights", quantizer.weights, Uint8Array);
  requireLength("quantizer.weights", quantizer.weights, 2 ** nbits);
  for (const weight of quantizer.weights) {
    if (weight < 1 || weight > 127) {
      throw new RangeError(`quantizer.weights must be from 1 to 127, found ${weight}`);
    }
  }
  if (typeof quantizer.weightScale !== "number") {
    throw new TypeError("quantizer.weightScale must be a number");
  }
}

/** Checks a score table and returns how many centroids it covers. */
function requireTable(table: Float32Array, lanes: number): number {
  requireType("table", table, Float32Array);
  return requireRows("table", table, lanes);
}

function requireRows(name: string, table: { readonly length: number }, lanes: number): number {
  if (table.length === 0 || table.length % lanes !== 0) {
    throw new RangeError(`${name} must have a multiple of ${lanes} numbers, found ${table.length}`);
  }
  return table.length / lanes;
}

/** Checks everything about passages but their offsets; returns how many are to be scored. */
function requirePassages(
  codes: Uint16Array | Uint32Array,
  offsets: PassageOffsets,
  passages: Uint32Array | null,
  out: Float32Array,
): number {
  requireType("codes", codes, Uint16Array, Uint32Array);
  requireType("offsets", offsets, Uint32Array);
  if (offsets.length === 0) throw new RangeError("offsets must have length 1 or more, found 0");
  if (passages !== null) requireType("passages", passages, Uint32Array);
  const count = passages === null ? offsets.length - 1 : passages.length;
  requireType("out", out, Float32Array);
  requireRoom("out", out, count);
  return count;
}

/** First token of the i-th passage to be scored; the end is `passageEnd`. */
export function passageAt(offsets: PassageOffsets, passages: Uint32Array | null, i: number): number {
  const passage = passages === null ? i : passages[i]!;
  if (passage >= offsets.length - 1) {
    throw new RangeError(`passages must be below ${offsets.length - 1}, found ${passage}`);
  }
  return passage;
}

/** One past the last token of a passage, checked against its start and the number of tokens. */
export function passageEnd(offsets: PassageOffsets, passage: number, tokens: number): number {
  const end = offsets[passage + 1]!;
  if (offsets[passage]! > end || end > tokens) {
    throw new RangeError(`offsets must ascend up to ${tokens}, found ${offsets[passage]} before ${end}`);
  }
  return end;
}

export function badCode(code: number, size: number): RangeError {
  return new RangeError(`codes must be below ${size}, found ${code}`);
}

/** Checks the i-th range of `assign`. */
export function requireRange(ranges: Uint32Array, i: number, size: number): void {
  const first = ranges[2 * i]!;
  const end = ranges[2 * i + 1]!;
  if (first >= end || end > size) {
    throw new RangeError(
      `ranges must be not empty and end by ${size}, found ${first} to ${end} for vector ${i}`,
    );
  }
}

// What each operation of `KernelBackend` checks before it starts.

export function checkCentroidScores(
  query: PackedQuery,
  codebook: Codebook,
  out: Float32Array,
  bytes: Uint8Array | null,
): void {
  requireQuery(query);
  requireCodebook(codebook, query.dim);
  requireType("out", out, Float32Array);
  requireRoom("out", out, codebook.size * query.lanes);
  if (bytes === null) return;
  requireType("bytes", bytes, Uint8Array);
  requireRoom("bytes", bytes, codebook.size * query.lanes);
}

/** Checks everything about `gather` but the lists themselves; returns the number of centroids. */
export function checkGather(
  query: PackedQuery,
  probes: Probes,
  postings: PostingLists,
  excluded: Uint8Array | null,
  scratch: GatherScratch,
  passages: Uint32Array,
  sums: Float32Array,
): number {
  requireQuery(query);
  requireCount("probes.nprobe", probes.nprobe, 1);
  requireType("probes.ids", probes.ids, Uint32Array);
  requireLength("probes.ids", probes.ids, query.tokens * probes.nprobe);
  requireType("probes.scores", probes.scores, Float32Array);
  requireLength("probes.scores", probes.scores, query.tokens * probes.nprobe);
  requireType("postings.offsets", postings.offsets, Uint32Array);
  requireRoom("postings.offsets", postings.offsets, 2);
  requireType("postings.bytes", postings.bytes, Uint8Array);
  requireType("scratch.marks", scratch.marks, Uint8Array);
  const { length } = scratch.marks;
  requireType("scratch.sums", scratch.sums, Float32Array);
  requireLength("scratch.sums", scratch.sums, length);
  if (excluded !== null) {
    requireType("excluded", excluded, Uint8Array);
    requireLength("excluded", excluded, length);
  }
  requireType("passages", passages, Uint32Array);
  requireRoom("passages", passages, length);
  requireType("sums", sums, Float32Array);
  requireRoom("sums", sums, length);
  return postings.offsets.length - 1;
}

export function malformedList(centroid: number): RangeError {
  return new RangeError(`postings must be well-formed, found a malformed list of centroid ${centroid}`);
}

/** Returns how many positions are selected. */
export function checkSelectTop(scores: Float32Array, limit: number, out: Uint32Array): number {
  requireType("scores", scores, Float32Array);
  requireCount("limit", limit, 0);
  const count = Math.min(limit, scores.length);
  requireType("out", out, Uint32Array);
  requireRoom("out", out, count);
  return count;
}

export function checkTopCentroids(
  table: Float32Array,
  size: number,
  query: PackedQuery,
  nprobe: number,
  ids: Uint32Array,
  scores: Float32Array,
): void {
  requireQuery(query);
  requireCount("size", size, 1);
  requireCount("nprobe", nprobe, 1, size);
  requireType("table", table, Float32Array);
  requireLength("table", table, size * query.lanes);
  requireType("ids", ids, Uint32Array);
  requireRoom("ids", ids, query.tokens * nprobe);
  requireType("scores", scores, Float32Array);
  requireRoom("scores", scores, query.tokens * nprobe);
}

/** Returns how many centroids the table covers and how many passages are to be scored. */
export function checkApproximate(
  query: PackedQuery,
  bytes: Uint8Array,
  codes: Uint16Array | Uint32Array,
  offsets: PassageOffsets,
  passages: Uint32Array | null,
  out: Float32Array,
): { size: number; count: number } {
  requireQuery(query);
  requireType("bytes", bytes, Uint8Array);
  const size = requireRows("bytes", bytes, query.lanes);
  return { size, count: requirePassages(codes, offsets, passages, out) };
}

/** Returns what `checkApproximate` does, and the bytes of a token's residual. */
export function checkMaxsim(
  query: PackedQuery,
  quantizer: ResidualQuantizer,
  table: Float32Array,
  { codes, residuals, inverseNorms }: CompressedTokens,
  offsets: PassageOffsets,
  passages: Uint32Array | null,
  out: Float32Array,
): { size: number; count: number; bytes: number } {
  requireQuery(query);
  requireQuantizer(quantizer);
  const size = requireTable(table, query.lanes);
  const count = requirePassages(codes, offsets, passages, out);
  const bytes = (query.dim * quantizer.nbits) / 8;
  requireType("tokens.residuals", residuals, Uint8Array);
  requireLength("tokens.residuals", residuals, codes.length * bytes);
  requireType("tokens.inverseNorms", inverseNorms, Uint16Array);
  requireLength("tokens.inverseNorms", inverseNorms, codes.length);
  return { size, count, bytes };
}

export function checkAssign(
  vectors: QuantizedVectors,
  codebook: Codebook,
  ranges: Uint32Array | null,
  codes: Uint32Array,
): void {
  requireVectors(vectors);
  requireCodebook(codebook, vectors.dim);
  requireType("codes", codes, Uint32Array);
  requireRoom("codes", codes, vectors.count);
  if (ranges !== null) {
    requireType("ranges", ranges, Uint32Array);
    requireLength("ranges", ranges, 2 * vectors.count);
  }
}

/** Returns the bytes of a token's residual. */
export function checkCompress(
  vectors: QuantizedVectors,
  codebook: Codebook,
  quantizer: ResidualQuantizer,
  codes: Uint32Array,
  residuals: Uint8Array,
  inverseNorms: Uint16Array,
): number {
  requireVectors(vectors);
  requireCodebook(codebook, vectors.dim);
  requireQuantizer(quantizer);
  const bytes = (vectors.dim * quantizer.nbits) / 8;
  requireType("codes", codes, Uint32Array);
  requireRoom("codes", codes, vectors.count);
  requireType("residuals", residuals, Uint8Array);
  requireRoom("residuals", residuals, vectors.count * bytes);
  requireType("inverseNorms", inverseNorms, Uint16Array);
  requireRoom("inverseNorms", inverseNorms, vectors.count);
  return bytes;
}
