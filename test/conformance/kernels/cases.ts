/** Inputs of the kernel suite: everything one search or one build touches, drawn from a seed. */
import { toFloat16 } from "../../../src/common/float16.js";
import { Random } from "../../../src/common/random.js";
import type {
  Codebook,
  CompressedTokens,
  KernelBackend,
  PackedQuery,
  QuantizedVectors,
  ResidualQuantizer,
} from "../../../src/kernels/backend.js";
import { packCodebook, packQuery, packWeights, quantizeVectors } from "../../../src/kernels/pack.js";

export interface Shape {
  readonly seed: number;
  readonly queryTokens: number;
  readonly dim: number;
  readonly nbits: 1 | 2 | 4;
  readonly centroids: number;
  /** Tokens of each passage; 0 is allowed. */
  readonly passages: readonly number[];
  readonly wideCodes: boolean;
  /** Largest value, over the usual random numbers, that vectors are scaled to; extremes test scales. */
  readonly magnitude: number;
}

export interface KernelCase {
  readonly query: PackedQuery;
  readonly codebook: Codebook;
  readonly quantizer: ResidualQuantizer;
  readonly vectors: QuantizedVectors;
  readonly tokens: CompressedTokens;
  readonly offsets: Uint32Array;
  /** A choice of passages, with repetitions and out of order. */
  readonly passages: Uint32Array;
  /** Not empty, one for each vector. */
  readonly ranges: Uint32Array;
  readonly nprobe: number;
}

export const standardShape: Shape = {
  seed: 1,
  queryTokens: 32,
  dim: 128,
  nbits: 4,
  centroids: 37,
  passages: [1, 70, 0, 33, 32, 31, 5],
  wideCodes: false,
  magnitude: 1,
};

/** Random input of that shape; tokens are random bytes rather than compressed vectors, to reach every bucket. */
export function randomCase(shape: Shape): KernelCase {
  const random = new Random(shape.seed);
  const { dim, nbits, centroids } = shape;
  const total = shape.passages.reduce((sum, length) => sum + length, 0);
  const normals = (length: number, scale = 1): Float32Array =>
    Float32Array.from({ length }, () => random.normal() * scale);
  const offsets = new Uint32Array(shape.passages.length + 1);
  shape.passages.forEach((length, i) => {
    offsets[i + 1] = offsets[i]! + length;
  });
  const codes = Array.from({ length: total }, () => random.below(centroids));
  const count = Math.min(total, 70);
  const ranges = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const first = random.below(centroids);
    ranges[2 * i] = first;
    ranges[2 * i + 1] = first + 1 + random.below(centroids - first);
  }
  return {
    query: packQuery(normals(shape.queryTokens * dim, shape.magnitude), shape.queryTokens, dim),
    codebook: packCodebook(normals(centroids * dim, shape.magnitude), dim),
    quantizer: {
      nbits,
      cutoffs: normals(2 ** nbits - 1).sort(),
      ...packWeights(normals(2 ** nbits).sort()),
    },
    vectors: quantizeVectors(normals(count * dim, shape.magnitude), count, dim),
    tokens: {
      codes: shape.wideCodes ? Uint32Array.from(codes) : Uint16Array.from(codes),
      residuals: Uint8Array.from({ length: (total * dim * nbits) / 8 }, () => random.below(256)),
      inverseNorms: Uint16Array.from({ length: total }, () => toFloat16(random.float() * 3)),
    },
    offsets,
    passages: Uint32Array.from({ length: shape.passages.length + 3 }, () =>
      random.below(shape.passages.length),
    ),
    ranges,
    nprobe: 1 + random.below(centroids),
  };
}

/** What every operation of a build and on score tables gives for a case; outputs start out as garbage, so that what is not written shows. */
export function outcomes(backend: KernelBackend, input: KernelCase): Record<string, ArrayBufferView> {
  const { query, codebook, quantizer, vectors, tokens, offsets, passages, ranges, nprobe } = input;
  const garbage = -12345;
  const table = new Float32Array(codebook.size * query.lanes).fill(garbage);
  const bytes = new Uint8Array(codebook.size * query.lanes).fill(garbage);
  backend.centroidScores(query, codebook, table, bytes);
  const tableAlone = new Float32Array(codebook.size * query.lanes).fill(garbage);
  backend.centroidScores(query, codebook, tableAlone, null);
  const ids = new Uint32Array(query.tokens * nprobe).fill(garbage);
  const scores = new Float32Array(query.tokens * nprobe).fill(garbage);
  backend.topCentroids(table, codebook.size, query, nprobe, ids, scores);
  const approximateAll = new Float32Array(offsets.length - 1).fill(garbage);
  backend.approximate(query, bytes, tokens.codes, offsets, null, approximateAll);
  const approximateSome = new Float32Array(passages.length).fill(garbage);
  backend.approximate(query, bytes, tokens.codes, offsets, passages, approximateSome);
  const exactAll = new Float32Array(offsets.length - 1).fill(garbage);
  backend.maxsim(query, quantizer, table, tokens, offsets, null, exactAll);
  const exactSome = new Float32Array(passages.length).fill(garbage);
  backend.maxsim(query, quantizer, table, tokens, offsets, passages, exactSome);
  const assigned = new Uint32Array(vectors.count).fill(garbage);
  backend.assign(vectors, codebook, null, assigned);
  const assignedInRanges = new Uint32Array(vectors.count).fill(garbage);
  backend.assign(vectors, codebook, ranges, assignedInRanges);
  const residuals = new Uint8Array((vectors.count * vectors.dim * quantizer.nbits) / 8).fill(garbage);
  const inverseNorms = new Uint16Array(vectors.count).fill(garbage);
  backend.compress(vectors, codebook, quantizer, assigned, residuals, inverseNorms);
  return {
    table,
    tableAlone,
    bytes,
    ids,
    scores,
    approximateAll,
    approximateSome,
    exactAll,
    exactSome,
    assigned,
    assignedInRanges,
    residuals,
    inverseNorms,
  };
}

/** The same case in shared memory. */
export function shareCase(input: KernelCase): KernelCase {
  const { query, codebook, quantizer, vectors, tokens } = input;
  return {
    query: {
      ...query,
      values: share(query.values),
      scales: share(query.scales),
      bias: share(query.bias),
    },
    codebook: { ...codebook, values: share(codebook.values), scales: share(codebook.scales) },
    quantizer: { ...quantizer, cutoffs: share(quantizer.cutoffs), weights: share(quantizer.weights) },
    vectors: { ...vectors, values: share(vectors.values), scales: share(vectors.scales) },
    tokens: {
      codes: share(tokens.codes),
      residuals: share(tokens.residuals),
      inverseNorms: share(tokens.inverseNorms),
    },
    offsets: share(input.offsets),
    passages: share(input.passages),
    ranges: share(input.ranges),
    nprobe: input.nprobe,
  };
}

interface TypedArrayClass<T> {
  new (buffer: SharedArrayBuffer, byteOffset: number, length: number): T;
}

interface Shareable<T> {
  readonly length: number;
  readonly byteLength: number;
  readonly BYTES_PER_ELEMENT: number;
  set(source: T): void;
}

/** A copy in a SharedArrayBuffer, not at its start, so that byte offsets count. */
export function share<T extends Shareable<T>>(source: T): T {
  const type = source.constructor as unknown as TypedArrayClass<T>;
  const offset = source.BYTES_PER_ELEMENT;
  const copy = new type(new SharedArrayBuffer(offset + source.byteLength), offset, source.length);
  copy.set(source);
  return copy;
}
