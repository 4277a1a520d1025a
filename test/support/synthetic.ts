/**
 * Token-like vectors: a Zipf-distributed vocabulary where each id has a direction of its own and each occurrence
 * adds context noise. Isotropic random vectors would carry nothing in their centroids and mislead every test.
 */
import { Random } from "../../src/common/random.js";

export interface SyntheticPassage {
  readonly vectors: Float32Array;
  readonly tokenIds: Uint32Array;
}

export interface SyntheticOptions {
  readonly passages: number;
  readonly tokens: number;
  readonly dim: number;
  readonly vocabulary?: number;
  readonly noise?: number;
  readonly seed?: number;
}

export class SyntheticCorpus {
  private readonly random: Random;
  private readonly directions: Float32Array;
  private readonly dim: number;
  private readonly vocabulary: number;
  private readonly noise: number;
  readonly passages: SyntheticPassage[];

  constructor(options: SyntheticOptions) {
    this.random = new Random(options.seed ?? 7);
    this.dim = options.dim;
    this.vocabulary = options.vocabulary ?? 300;
    this.noise = options.noise ?? 0.6;
    this.directions = Float32Array.from({ length: this.vocabulary * this.dim }, () => this.random.normal());
    this.passages = Array.from({ length: options.passages }, () => this.passage(options.tokens));
  }

  /** A query: noisy copies of `count` tokens of one passage. */
  query(passage: number, count: number): Float32Array {
    const source = this.passages[passage]!;
    const rows = new Float32Array(count * this.dim);
    for (let q = 0; q < count; q++) {
      const token = this.random.below(source.tokenIds.length);
      const row = source.vectors.subarray(token * this.dim, (token + 1) * this.dim);
      rows.set(unit(row.map((x) => x + (0.3 * this.random.normal()) / Math.sqrt(this.dim))), q * this.dim);
    }
    return rows;
  }

  private passage(tokens: number): SyntheticPassage {
    const tokenIds = new Uint32Array(tokens);
    const vectors = new Float32Array(tokens * this.dim);
    for (let t = 0; t < tokens; t++) {
      const id = Math.min(this.vocabulary - 1, Math.floor(this.vocabulary ** this.random.float()) - 1);
      tokenIds[t] = id;
      const row = this.directions
        .slice(id * this.dim, (id + 1) * this.dim)
        .map((x) => x + this.noise * this.random.normal());
      vectors.set(unit(row), t * this.dim);
    }
    return { vectors, tokenIds };
  }
}

export function unit(row: Float32Array): Float32Array {
  const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
  return row.map((x) => x / norm);
}

/** MaxSim in float64 over float32 vectors: the definition, nothing else. */
export function exactMaxSim(query: Float32Array, document: Float32Array, dim: number): number {
  let score = 0;
  for (let q = 0; q < query.length; q += dim) {
    let best = Number.NEGATIVE_INFINITY;
    for (let t = 0; t < document.length; t += dim) {
      let dot = 0;
      for (let d = 0; d < dim; d++) dot += query[q + d]! * document[t + d]!;
      best = Math.max(best, dot);
    }
    score += best;
  }
  return score;
}
