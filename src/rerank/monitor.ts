/** Watching rerankers at work: counts, times, how far documents move, scores; kept in memory of a fixed size. */
import { isMaxsimError } from "../common/errors.js";
import { prometheusText } from "./monitor-prometheus.js";
import { type RerankerReport, RerankerSeries } from "./monitor-series.js";
import type {
  RerankDocument,
  Reranked,
  Reranker,
  RerankOptions,
  RerankOutcome,
  RerankRequest,
} from "./types.js";

export { PROMETHEUS_CONTENT_TYPE } from "./monitor-prometheus.js";

/** Rerankers beyond these are counted together, under the name "other". */
const MOST_SERIES = 200;
const OTHER = { name: "other", model: "" } as const;

export interface MonitorReport {
  /** When counting began, in ISO 8601. */
  readonly since: string;
  readonly rerankers: readonly RerankerReport[];
}

/** Counts what the rerankers do that it is put around with `monitored`, by name and model. */
export class RerankMonitor {
  private since = new Date();
  private readonly series = new Map<string, RerankerSeries>();

  /** Counts outcomes of requests; one an outcome. */
  record<D extends RerankDocument>(
    reranker: Pick<Reranker, "name" | "model">,
    requests: readonly RerankRequest<D>[],
    outcomes: readonly RerankOutcome<D>[],
  ): void {
    const series = this.seriesOf(reranker);
    outcomes.forEach((outcome, i) => {
      series.add(outcome, requests[i]!.documents.length);
    });
  }

  /** Counts requests that failed together. */
  recordFailure(reranker: Pick<Reranker, "name" | "model">, error: unknown, requests = 1): void {
    this.seriesOf(reranker).fail(isMaxsimError(error) ? error.code : "UNKNOWN", requests);
  }

  toJSON(): MonitorReport {
    return {
      since: this.since.toISOString(),
      rerankers: [...this.series.values()].map((series) => series.toJSON()),
    };
  }

  /** The counts in Prometheus' text format; serve it as PROMETHEUS_CONTENT_TYPE. */
  toPrometheus(): string {
    return prometheusText([...this.series.values()]);
  }

  /** Forgets all counts. */
  reset(): void {
    this.series.clear();
    this.since = new Date();
  }

  private seriesOf({ name, model }: Pick<Reranker, "name" | "model">): RerankerSeries {
    const key = JSON.stringify([name, model]);
    const known = this.series.get(key);
    if (known !== undefined) return known;
    const other = name === OTHER.name && model === OTHER.model;
    if (this.series.size >= MOST_SERIES && !other) return this.seriesOf(OTHER);
    const series = new RerankerSeries(name, model);
    this.series.set(key, series);
    return series;
  }
}

/** The same reranker, whose requests `monitor` counts. Closing it closes `reranker`. Put it around a chain, its stages, or both. */
export function monitored(reranker: Reranker, monitor: RerankMonitor): Reranker {
  return new MonitoredReranker(reranker, monitor);
}

class MonitoredReranker implements Reranker {
  readonly name: string;
  readonly model: string;
  readonly dependsOn?: "document" | "list";

  constructor(
    private readonly reranker: Reranker,
    private readonly monitor: RerankMonitor,
  ) {
    this.name = reranker.name;
    this.model = reranker.model;
    if (reranker.dependsOn !== undefined) this.dependsOn = reranker.dependsOn;
  }

  fingerprint(): Promise<string> {
    return this.reranker.fingerprint();
  }

  async rerank<D extends RerankDocument>(
    query: string,
    documents: readonly D[],
    options?: RerankOptions,
  ): Promise<Reranked<D>[]> {
    const [outcome] = await this.rerankBatch([{ query, documents }], options);
    return [...outcome!.results];
  }

  async rerankBatch<D extends RerankDocument>(
    requests: readonly RerankRequest<D>[],
    options?: RerankOptions,
  ): Promise<RerankOutcome<D>[]> {
    let outcomes: RerankOutcome<D>[];
    try {
      outcomes = await this.reranker.rerankBatch(requests, options);
    } catch (error) {
      this.monitor.recordFailure(this.reranker, error, Array.isArray(requests) ? requests.length : 1);
      throw error;
    }
    this.monitor.record(this.reranker, requests, outcomes);
    return outcomes;
  }

  close(): Promise<void> {
    return this.reranker.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
