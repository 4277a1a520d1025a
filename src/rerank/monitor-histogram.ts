/** Distributions of any number of values in bounded memory. */

/** A quantile is within this share of the value that it stands for. */
export const QUANTILE_ERROR = 0.01;

const GAMMA = (1 + QUANTILE_ERROR) / (1 - QUANTILE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);
/** Magnitudes below count as 0, those above as the greatest: at most 4,838 counters. */
const LEAST = 1e-9;
const GREATEST = 1e12;

/** What is known of many values; quantiles are within 1 % of the value that stands at that place. */
export interface Distribution {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Counts values in buckets whose bounds grow by 2 %, below 0 as above (the sketch of Masson, Rim and Lee, "DDSketch: a fast and
 * fully-mergeable quantile sketch with relative-error guarantees", 2019).
 */
export class ValueHistogram {
  count = 0;
  sum = 0;
  private min = Number.POSITIVE_INFINITY;
  private max = Number.NEGATIVE_INFINITY;
  /** By number of the bucket: values from GAMMA^(i - 1), exclusive, to GAMMA^i. */
  private readonly above = new Map<number, number>();
  private readonly below = new Map<number, number>();

  /** A finite value. */
  add(value: number): void {
    this.count++;
    this.sum += value;
    this.min = Math.min(this.min, value);
    this.max = Math.max(this.max, value);
    const magnitude = Math.min(Math.abs(value), GREATEST);
    if (magnitude < LEAST) return;
    const buckets = value > 0 ? this.above : this.below;
    const bucket = Math.ceil(Math.log(magnitude) / LOG_GAMMA);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }

  /** The value at place `floor(q * (count - 1))` of them in ascending order, within 1 %. NaN without values. `q` from 0 to 1. */
  quantile(q: number): number {
    if (this.count === 0) return Number.NaN;
    let left = Math.floor(q * (this.count - 1));
    for (const [value, count] of this.ascending()) {
      left -= count;
      if (left < 0) return Math.min(this.max, Math.max(this.min, value));
    }
    return this.max;
  }

  /** Undefined without values. */
  distribution(): Distribution | undefined {
    if (this.count === 0) return undefined;
    const [p10, p50, p90, p99] = [0.1, 0.5, 0.9, 0.99].map((q) => this.quantile(q));
    return {
      count: this.count,
      mean: this.sum / this.count,
      min: this.min,
      p10: p10!,
      p50: p50!,
      p90: p90!,
      p99: p99!,
      max: this.max,
    };
  }

  /** Counters in use. */
  get buckets(): number {
    return this.above.size + this.below.size;
  }

  /** The value that stands for each bucket, and how many are in it. */
  private *ascending(): Generator<readonly [number, number]> {
    const middle = (bucket: number): number => (2 * GAMMA ** bucket) / (GAMMA + 1);
    const counted = (buckets: Map<number, number>): number => {
      return [...buckets.values()].reduce((sum, count) => sum + count, 0);
    };
    for (const [bucket, count] of [...this.below].sort(([a], [b]) => b - a)) yield [-middle(bucket), count];
    yield [0, this.count - counted(this.below) - counted(this.above)];
    for (const [bucket, count] of [...this.above].sort(([a], [b]) => a - b)) yield [middle(bucket), count];
  }
}

/** Counts values up to each of fixed bounds, as scrapers of metrics want them. */
export class BoundedHistogram {
  count = 0;
  sum = 0;
  private readonly counts: number[];

  /** `bounds` ascend. */
  constructor(readonly bounds: readonly number[]) {
    this.counts = bounds.map(() => 0);
  }

  add(value: number): void {
    this.count++;
    this.sum += value;
    const at = this.bounds.findIndex((bound) => value <= bound);
    if (at >= 0) this.counts[at]!++;
  }

  /** For each bound, how many values are not above it. */
  cumulative(): number[] {
    let sum = 0;
    return this.counts.map((count) => {
      sum += count;
      return sum;
    });
  }
}
