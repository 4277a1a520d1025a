/** What an add shows a codec, in bounded memory: the token vectors that an extension of the codec is trained on. */
import type { KernelBackend, QuantizedVectors } from "../kernels/backend.js";
import type { Codec } from "./codec.js";
import { CoverageMeter, NO_TOKEN_ID } from "./coverage.js";
import { extendCodec } from "./extend.js";
import { Reservoir } from "./reservoir.js";
import { joinVectors } from "./rows.js";

/** Uncovered vectors kept at most; at dimension 128 a vector takes 136 bytes, together 68 MB. */
const UNCOVERED_CAPACITY = 300_000;
/** Others, which matter when the codec is too small for the index. */
const COVERED_CAPACITY = 200_000;

export interface CollectorOptions {
  readonly seed: number;
  /** Default: 300,000 and 200,000. */
  readonly capacity?: { readonly uncovered: number; readonly covered: number };
}

export class CoverageCollector {
  /** Vectors handed over so far. */
  seen = 0;
  /** How many of them the codec represents badly. */
  uncovered = 0;
  private readonly meter: CoverageMeter;
  private readonly bad: Reservoir;
  private readonly good: Reservoir;

  constructor(
    private readonly codec: Codec,
    private readonly options: CollectorOptions,
    private readonly kernels: KernelBackend,
  ) {
    const { seed, capacity } = options;
    this.meter = new CoverageMeter(codec, kernels);
    this.bad = new Reservoir(codec.dim, capacity?.uncovered ?? UNCOVERED_CAPACITY, seed);
    this.good = new Reservoir(codec.dim, capacity?.covered ?? COVERED_CAPACITY, seed);
  }

  /**
   * Takes new token vectors, all of an add or a sample of its passages. How they are cut into calls changes nothing but the
   * speed: thousands at once cost less than a few. Errors: DIMENSION_MISMATCH.
   */
  add(vectors: QuantizedVectors, tokenIds: Uint32Array | null): void {
    const { uncovered } = this.meter.measure(vectors, tokenIds);
    for (let i = 0; i < vectors.count; i++) {
      const reservoir = uncovered[i] === 1 ? this.bad : this.good;
      reservoir.offer(vectors, i, tokenIds === null ? NO_TOKEN_ID : tokenIds[i]!);
      this.uncovered += uncovered[i]!;
    }
    this.seen += vectors.count;
  }

  /** The extended codec, or null when it would not be worth a file. `tokens`: of the whole index after the add. */
  extend(tokens: number): Codec | null {
    const [bad, good] = [this.bad.sample(), this.good.sample()];
    const tokenIds = new Uint32Array(bad.tokenIds.length + good.tokenIds.length);
    tokenIds.set(bad.tokenIds);
    tokenIds.set(good.tokenIds, bad.tokenIds.length);
    const vectors = joinVectors(bad.vectors, good.vectors);
    return extendCodec(this.codec, { vectors, tokenIds, seed: this.options.seed, tokens }, this.kernels);
  }
}
