/** Runs rerankers over the candidates of many queries: once where scores are those of single documents, else at every depth. */
import { throwIfAborted } from "../../common/abort.js";
import type { ProgressListener } from "../../common/progress.js";
import type { Query } from "../../datasets/queries.js";
import { type Rankings, withReranked } from "../../evaluation/lift-rankings.js";
import type { Reranker, RerankFields, RerankOutcome, RerankUsage } from "../../rerank/types.js";
import { addUsage, NO_USAGE } from "../../rerank/usage.js";

export interface Contender {
  /** As it was asked for. */
  readonly name: string;
  readonly reranker: Reranker;
}

/** What calls at one depth gave and took. */
export interface DepthRun {
  /** Query id to the ids of its candidates, best first; empty for a depth that was only timed. */
  readonly orders: ReadonlyMap<string, readonly string[]>;
  /** Milliseconds of single calls, one at a time. */
  readonly times: readonly number[];
  /** Of all calls together. */
  readonly calls: number;
  readonly usage: RerankUsage;
  /** Queries that kept the order of the first stage, because ranking failed. */
  readonly failed: number;
}

/** By depth, ascending. */
export type ContenderRun = ReadonlyMap<number, DepthRun>;

export interface RunOptions {
  /** Ascending. */
  readonly depths: readonly number[];
  /** Queries to take times of: the first ones that have candidates. */
  readonly timed: number;
  /** The candidates of a query in the order of the first stage, at most the greatest depth. */
  readonly candidates: (query: Query) => readonly RerankCandidate[];
  readonly signal: AbortSignal;
  readonly onProgress: ProgressListener;
}

/** A document with its id. */
export type RerankCandidate = RerankFields & { readonly id: string };

/** Queries that are handed over at once, apart from those whose time is taken. */
const BATCH = 8;

/**
 * One run a contender, in their order. Where times are taken, contenders and depths take turns query by query, so that what else the
 * machine does meets all of them alike; each ranks one query beforehand that does not count. Errors: those of the rerankers, ABORTED.
 */
export async function runContenders(
  contenders: readonly Contender[],
  queries: readonly Query[],
  options: RunOptions,
): Promise<ContenderRun[]> {
  const runs = contenders.map(({ reranker }) => new Recorder(reranker, options));
  const timed = firstWithCandidates(queries, options);
  const report = (done: number, total: number, unit: string): void => {
    options.onProgress({ stage: "search", done, total, unit });
  };
  const [first] = timed;
  if (first !== undefined) for (const run of runs) await run.warmUp(options.candidates(first));
  for (const [i, query] of timed.entries()) {
    const candidates = options.candidates(query);
    for (const run of runs) await run.time(query, candidates);
    report(i + 1, timed.length, "timed queries");
  }
  const alone = new Set(timed);
  const others = queries.filter((query) => !alone.has(query));
  for (let start = 0; start < others.length; start += BATCH) {
    const batch = others.slice(start, start + BATCH);
    const requests = batch.map((query) => ({ query, candidates: options.candidates(query) }));
    for (const run of runs) await run.rankAll(requests);
    report(Math.min(start + BATCH, others.length), others.length, "reranked queries");
  }
  return runs.map((run) => run.depthRuns);
}

/** Of a query that the first stage finds nothing for, there is no time to take. */
function firstWithCandidates(queries: readonly Query[], { timed, candidates }: RunOptions): Query[] {
  const chosen: Query[] = [];
  for (const query of queries) {
    if (chosen.length === timed) break;
    if (candidates(query).length > 0) chosen.push(query);
  }
  return chosen;
}

/** Whether its order of many candidates has that of fewer in it. */
export function scoresDocuments({ dependsOn }: Reranker): boolean {
  return dependsOn === "document";
}

/** The whole rankings of the queries at each depth. */
export function rankingsOf(
  { reranker }: Contender,
  run: ContenderRun,
  first: Rankings,
  depths: readonly number[],
): Map<number, Rankings> {
  const deepest = depths.at(-1) ?? 0;
  return new Map(
    depths.map((depth) => {
      const { orders } = run.get(scoresDocuments(reranker) ? deepest : depth)!;
      const rankings = [...first].map(([id, ranking]) => {
        return [id, withReranked(ranking, orders.get(id) ?? [], depth)] as const;
      });
      return [depth, new Map(rankings)];
    }),
  );
}

interface Request {
  readonly query: Query;
  readonly candidates: readonly RerankCandidate[];
}

interface OpenDepthRun extends DepthRun {
  readonly orders: Map<string, readonly string[]>;
  readonly times: number[];
  calls: number;
  usage: RerankUsage;
  failed: number;
}

class Recorder {
  readonly depthRuns: Map<number, OpenDepthRun>;
  /** Depths whose orders are wanted. */
  private readonly ranked: readonly number[];

  constructor(
    private readonly reranker: Reranker,
    private readonly options: RunOptions,
  ) {
    const { depths } = options;
    this.ranked = scoresDocuments(reranker) ? depths.slice(-1) : depths;
    this.depthRuns = new Map(
      depths.map((depth) => [depth, { orders: new Map(), times: [], calls: 0, usage: NO_USAGE, failed: 0 }]),
    );
  }

  /** Models are loaded and connections made at the first call. */
  async warmUp(candidates: readonly RerankCandidate[]): Promise<void> {
    await this.rank([{ query: WARM_UP, candidates: candidates.slice(0, this.options.depths[0]) }]);
  }

  async time(query: Query, candidates: readonly RerankCandidate[]): Promise<void> {
    for (const [depth, run] of this.depthRuns) {
      const start = performance.now();
      const outcomes = await this.rank([{ query, candidates: candidates.slice(0, depth) }]);
      run.times.push(performance.now() - start);
      this.record(depth, run, [query], outcomes);
    }
  }

  async rankAll(requests: readonly Request[]): Promise<void> {
    for (const depth of this.ranked) {
      const cut = requests.map(({ query, candidates }) => ({
        query,
        candidates: candidates.slice(0, depth),
      }));
      const outcomes = await this.rank(cut);
      const queries = requests.map(({ query }) => query);
      this.record(depth, this.depthRuns.get(depth)!, queries, outcomes);
    }
  }

  private async rank(requests: readonly Request[]): Promise<RerankOutcome<RerankCandidate>[]> {
    const { signal } = this.options;
    throwIfAborted(signal, "the comparison");
    const texts = requests.map(({ query, candidates }) => ({ query: query.text, documents: candidates }));
    return this.reranker.rerankBatch(texts, { signal });
  }

  private record(
    depth: number,
    run: OpenDepthRun,
    queries: readonly Query[],
    outcomes: readonly RerankOutcome<RerankCandidate>[],
  ): void {
    for (const [i, { results, reranked, usage }] of outcomes.entries()) {
      run.calls++;
      run.usage = addUsage(run.usage, usage);
      if (!reranked) run.failed++;
      if (this.ranked.includes(depth)) {
        run.orders.set(
          queries[i]!.id,
          results.map(({ document }) => document.id),
        );
      }
    }
  }
}

/** Not one of the queries, so that a cache has nothing of it afterwards. */
const WARM_UP: Query = { id: "", text: "the first of all questions" };
