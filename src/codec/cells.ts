/**
 * The nearest of all centroids in two levels: centroids are grouped into cells, a vector looks into the cells whose
 * centers are nearest to it. Finds the nearest centroid for about 19 of 20 vectors and one almost as near for the rest,
 * at a tenth of the cost (docs/performance.md, "Codec"); what the code misses ends in the residual.
 *
 * Cells follow from the codebook alone and each vector is looked up on its own, so the same vector has the same code
 * whenever and with whatever else it is added, on every kernel backend.
 */
import { Random } from "../common/random.js";
import {
  type Codebook,
  DOCUMENT_BIAS,
  type KernelBackend,
  LANE_MULTIPLE,
  MAX_QUERY_TOKENS,
  type PackedQuery,
  type QuantizedVectors,
} from "../kernels/backend.js";
import { groupBy } from "./groups.js";
import { lloyd } from "./lloyd.js";
import { pickCentroids, slice } from "./rows.js";

/** Cells that a vector looks into. */
const PROBED_CELLS = 4;
/** With 2 iterations 92 % of the vectors find their nearest centroid, with 4 93.7 %, with 8 94.5 %. */
const CELL_ITERATIONS = 4;
const CELL_SEED = 1;
/** Vectors looked up at once, so that what is computed on the way stays in the processor's cache. */
const BLOCK = 1024;
export class CentroidCells {
  /** Centers of the cells, none of them empty. */
  private readonly centers: Codebook;
  /** The codebook in the order of the cells. */
  private readonly ordered: Codebook;
  /** u32 `[size]`: position in `ordered` to centroid; ascending inside a cell. */
  private readonly centroids: Uint32Array;
  /** u32 `[cells + 1]`: where each cell starts in `ordered`. */
  private readonly starts: Uint32Array;

  constructor(
    private readonly codebook: Codebook,
    kernels: KernelBackend,
  ) {
    const vectors = asVectors(codebook);
    const found = cellCenters(vectors, kernels);
    const cells = new Uint32Array(codebook.size);
    kernels.assign(vectors, found, null, cells);
    const { keys, starts, members } = groupBy(cells);
    this.centers = pickCentroids(found, keys);
    this.ordered = pickCentroids(codebook, members);
    this.centroids = members;
    this.starts = starts;
  }

  /** Writes the code of each vector, u32 `[count]`. */
  assign(vectors: QuantizedVectors, codes: Uint32Array, kernels: KernelBackend): void {
    for (let from = 0; from < vectors.count; from += BLOCK) {
      const to = Math.min(vectors.count, from + BLOCK);
      this.assignBlock(slice(vectors, from, to), codes.subarray(from, to), kernels);
    }
  }

  private assignBlock(vectors: QuantizedVectors, codes: Uint32Array, kernels: KernelBackend): void {
    const { count } = vectors;
    const probes = Math.min(PROBED_CELLS, this.centers.size);
    const cells = this.nearestCells(vectors, probes, kernels);
    const candidates = new Uint32Array(count * probes);
    const ranges = new Uint32Array(count * 2);
    for (let probe = 0; probe < probes; probe++) {
      for (let i = 0; i < count; i++) {
        const cell = cells[i * probes + probe]!;
        ranges[2 * i] = this.starts[cell]!;
        ranges[2 * i + 1] = this.starts[cell + 1]!;
      }
      kernels.assign(vectors, this.ordered, ranges, codes);
      for (let i = 0; i < count; i++) candidates[i * probes + probe] = this.centroids[codes[i]!]!;
    }
    // Each vector chooses among its own rows of a codebook of all candidates; ascending ids keep ties in order.
    for (let i = 0; i < count; i++) {
      sortRun(candidates, i * probes, (i + 1) * probes);
      ranges[2 * i] = i * probes;
      ranges[2 * i + 1] = (i + 1) * probes;
    }
    kernels.assign(vectors, pickCentroids(this.codebook, candidates), ranges, codes);
    for (let i = 0; i < count; i++) codes[i] = candidates[codes[i]!]!;
  }

  /** The `probes` nearest cells of each vector, u32 `[count][probes]`. */
  private nearestCells(vectors: QuantizedVectors, probes: number, kernels: KernelBackend): Uint32Array {
    const { size } = this.centers;
    const cells = new Uint32Array(vectors.count * probes);
    const scores = new Float32Array(MAX_QUERY_TOKENS * probes);
    const table = new Float32Array(MAX_QUERY_TOKENS * size);
    for (let from = 0; from < vectors.count; from += MAX_QUERY_TOKENS) {
      const to = Math.min(vectors.count, from + MAX_QUERY_TOKENS);
      const query = asQuery(slice(vectors, from, to));
      const filled = table.subarray(0, size * query.lanes);
      kernels.centroidScores(query, this.centers, filled, null);
      const nearest = cells.subarray(from * probes, to * probes);
      kernels.topCentroids(filled, size, query, probes, nearest, scores);
    }
    return cells;
  }
}

/** Sorts the numbers `from` .. `to - 1`, few of them, ascending. */
function sortRun(numbers: Uint32Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    const number = numbers[i]!;
    let hole = i;
    for (; hole > from && numbers[hole - 1]! > number; hole--) numbers[hole] = numbers[hole - 1]!;
    numbers[hole] = number;
  }
}

/** About as many centers as centroids that the probed cells hold together, which makes the sum of both smallest. */
function cellCenters(vectors: QuantizedVectors, kernels: KernelBackend): Codebook {
  const size = Math.max(1, Math.round(Math.sqrt(PROBED_CELLS * vectors.count)));
  const start = new Random(CELL_SEED).sample(size, vectors.count);
  return lloyd({ vectors, start, iterations: CELL_ITERATIONS }, kernels);
}

/** Centroids in the form of token vectors. */
function asVectors({ size, dim, values, scales }: Codebook): QuantizedVectors {
  const signed = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) signed[i] = values[i]! - DOCUMENT_BIAS;
  return { count: size, dim, values: signed, scales };
}

/** At most 64 vectors in the form of a query. */
function asQuery({ count, dim, values, scales }: QuantizedVectors): PackedQuery {
  const lanes = Math.ceil(count / LANE_MULTIPLE) * LANE_MULTIPLE;
  const packed = new Int8Array(lanes * dim);
  const bias = new Int32Array(lanes);
  for (let i = 0, from = 0; i < count; i++) {
    let sum = 0;
    // Four consecutive dimensions of one lane lie together.
    for (let to = 4 * i; to < packed.length; to += 4 * lanes, from += 4) {
      const a = values[from]!;
      const b = values[from + 1]!;
      const c = values[from + 2]!;
      const d = values[from + 3]!;
      packed[to] = a;
      packed[to + 1] = b;
      packed[to + 2] = c;
      packed[to + 3] = d;
      sum += a + b + c + d;
    }
    bias[i] = DOCUMENT_BIAS * sum;
  }
  const padded = new Float32Array(lanes);
  padded.set(scales);
  return { tokens: count, lanes, dim, values: packed, scales: padded, bias };
}
