/** What a monitor counts of one reranker. */
import { BoundedHistogram, type Distribution, ValueHistogram } from "./monitor-histogram.js";
import { movementOf, TOPS, type Top } from "./monitor-movement.js";
import type { RerankDocument, RerankOutcome, RerankUsage } from "./types.js";
import { addUsage, NO_USAGE } from "./usage.js";

/** What became of a reranker's requests. Means and shares are over the requests that have them, null where none has. */
export interface RerankerReport {
  readonly reranker: string;
  readonly model: string;
  /** All, those that failed included. */
  readonly requests: number;
  /** Requests that were refused or threw, by the code of the error. */
  readonly failures: Readonly<Record<string, number>>;
  /** Requests that came back in the first stage's order, since ranking failed. They are not part of `movement` and `scores`. */
  readonly unranked: number;
  readonly warnings: number;
  readonly documents: number;
  /** Wall clock of requests with documents that did not fail. */
  readonly milliseconds: Distribution | null;
  readonly movement: {
    readonly requests: number;
    /** For the first places of the new order, how many places their documents were away from there, on average. */
    readonly top: Readonly<Record<Top, number | null>>;
    readonly all: number | null;
    /** Share of requests whose first document is another one. */
    readonly newFirst: number | null;
    /** Share of the first ten that were among the first ten before, of requests with more than ten documents. */
    readonly top10Kept: number | null;
    /** From 1, the order of before, to -1, the reverse. */
    readonly kendallTau: number | null;
  };
  /** Of all documents that came back, and of the best of each request. */
  readonly scores: Distribution | null;
  readonly topScores: Distribution | null;
  /** Share of the scores that came from the cache; null before the first score. */
  readonly cacheHitRate: number | null;
  readonly usage: RerankUsage;
}

/** Upper bounds in seconds. */
const LATENCY_BOUNDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
] as const;

export class Mean {
  count = 0;
  sum = 0;

  add(value: number | undefined): void {
    if (value === undefined) return;
    this.count++;
    this.sum += value;
  }

  get value(): number | null {
    return this.count === 0 ? null : this.sum / this.count;
  }
}

export class RerankerSeries {
  requests = 0;
  readonly failures = new Map<string, number>();
  unranked = 0;
  warnings = 0;
  documents = 0;
  usage: RerankUsage = NO_USAGE;
  readonly milliseconds = new ValueHistogram();
  readonly seconds = new BoundedHistogram(LATENCY_BOUNDS);
  readonly scores = new ValueHistogram();
  readonly topScores = new ValueHistogram();
  readonly top = new Map<Top, Mean>(TOPS.map((top) => [top, new Mean()]));
  readonly moved = new Mean();
  readonly newFirst = new Mean();
  readonly topKept = new Mean();
  readonly discordant = new Mean();

  constructor(
    readonly reranker: string,
    readonly model: string,
  ) {}

  /** `documents`: those of the request. */
  add<D extends RerankDocument>(outcome: RerankOutcome<D>, documents: number): void {
    const { results, reranked, warnings, usage, milliseconds } = outcome;
    this.requests++;
    this.documents += documents;
    this.warnings += warnings.length;
    this.usage = addUsage(this.usage, usage);
    if (results.length === 0) return;
    this.milliseconds.add(milliseconds);
    this.seconds.add(milliseconds / 1_000);
    if (!reranked) {
      this.unranked++;
      return;
    }
    for (const { score } of results) this.scores.add(score);
    this.topScores.add(results[0]!.score);
    const movement = movementOf(
      results.map(({ index }) => index),
      documents,
    );
    for (const [top, mean] of this.top) mean.add(movement.top[top]);
    this.moved.add(movement.all);
    this.newFirst.add(movement.newFirst ? 1 : 0);
    this.topKept.add(movement.topKept);
    this.discordant.add(movement.discordant);
  }

  fail(code: string, requests: number): void {
    this.requests += requests;
    this.failures.set(code, (this.failures.get(code) ?? 0) + requests);
  }

  toJSON(): RerankerReport {
    const { scored, cached } = this.usage;
    const top = (places: Top): number | null => this.top.get(places)!.value;
    return {
      reranker: this.reranker,
      model: this.model,
      requests: this.requests,
      failures: Object.fromEntries(this.failures),
      unranked: this.unranked,
      warnings: this.warnings,
      documents: this.documents,
      milliseconds: this.milliseconds.distribution() ?? null,
      movement: {
        requests: this.moved.count,
        top: { 1: top(1), 3: top(3), 10: top(10) },
        all: this.moved.value,
        newFirst: this.newFirst.value,
        top10Kept: this.topKept.value,
        kendallTau: this.discordant.value === null ? null : 1 - 2 * this.discordant.value,
      },
      scores: this.scores.distribution() ?? null,
      topScores: this.topScores.distribution() ?? null,
      cacheHitRate: scored + cached === 0 ? null : cached / (scored + cached),
      usage: this.usage,
    };
  }
}
