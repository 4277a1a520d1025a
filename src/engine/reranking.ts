/** The stage of a search that puts the best documents of the first stage into a better order. */
import { throwIfAborted } from "../common/abort.js";
import { type ErrorCode, isMaxsimError, MaxsimError } from "../common/errors.js";
import { DocumentSet } from "../documents/document-set.js";
import type { KernelBackend } from "../kernels/backend.js";
import type { RerankFields, RerankOutcome, RerankRequest } from "../rerank/types.js";
import { NO_USAGE } from "../rerank/usage.js";
import type { Trace } from "../search/explain.js";
import { ScanRouter } from "../search/router.js";
import type { RankedDocument, SearchRequest, SearchSnapshot } from "../search/types.js";
import type { SearchPool } from "../workers/search-pool.js";
import type { Ranking } from "./combine.js";
import type { Hit, SearchReranking } from "./options.js";
import type { RerankPlan } from "./rerank-plan.js";
import { Restriction } from "./restriction.js";

/** A ranking, of which the first entries may have been reranked. */
export interface FinalRanking extends Ranking {
  /** Places and scores before, of the entries that were reranked. */
  readonly firstStage: readonly NonNullable<Hit["firstStage"]>[];
  /** What did not go as asked, one sentence each. */
  readonly notes: readonly string[];
  readonly reranking?: SearchReranking;
}

/** The new order of the first entries of a ranking. */
interface NewOrder {
  /** Places in the ranking, best first. */
  readonly order: readonly number[];
  /** Parallel to `order`. */
  readonly entries: readonly RankedDocument[];
}

/** A ranking that stays as it is. */
export function notReranked(ranking: Ranking): FinalRanking {
  return { ...ranking, firstStage: [], notes: [] };
}

/** Codes of what a remote reranker may do to a search: its order can wait, the answer need not. */
const FAILURES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "NETWORK",
  "UNAUTHORIZED",
  "RATE_LIMITED",
  "TIMEOUT",
  "SERVICE",
  "BUDGET_EXCEEDED",
]);

/**
 * Reranks by the texts of hits. One result a ranking, in their order.
 * @param read the fields of ranked documents. Errors: those of the reranker, INVALID_ARGUMENT for one that loses documents.
 */
export async function rerankTexts(
  plan: RerankPlan,
  queries: readonly string[],
  rankings: readonly Ranking[],
  read: (ranked: readonly RankedDocument[]) => RerankFields[],
  signal: AbortSignal | undefined,
): Promise<FinalRanking[]> {
  if (plan.with === "late") throw new MaxsimError("INTERNAL", "stored vectors are no reranker of texts");
  const requests = rankings.map(({ ranked }, i): RerankRequest<RerankFields> => {
    return { query: queries[i]!, documents: read(ranked.slice(0, plan.depth)) };
  });
  const started = performance.now();
  const outcomes = await outcomesOf(plan, requests, signal);
  throwIfAborted(signal, "the search");
  const milliseconds = performance.now() - started;
  const { name, model } = plan.with;
  return rankings.map((ranking, i): FinalRanking => {
    const { documents } = requests[i]!;
    const { results, reranked, warnings, usage } = outcomes[i]!;
    const reranking = { name, model, documents: documents.length, reranked, usage, milliseconds };
    const notes = warnings.map((warning) => `reranking with ${name}: ${warning}`);
    if (!reranked) return { ...notReranked(ranking), notes, reranking };
    const order = results.map(({ index }) => index);
    checkOrder(name, order, documents.length);
    const entries = results.map(({ index, score }) => ({ ...ranking.ranked[index]!, score }));
    return { ...reordered(ranking, { order, entries }), notes, reranking };
  });
}

async function outcomesOf(
  { with: reranker, options, onFailure }: RerankPlan,
  requests: readonly RerankRequest<RerankFields>[],
  signal: AbortSignal | undefined,
): Promise<readonly Omit<RerankOutcome, "milliseconds">[]> {
  if (reranker === "late") throw new MaxsimError("INTERNAL", "stored vectors are no reranker of texts");
  try {
    return await reranker.rerankBatch(requests, { ...options, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (onFailure === "error" || !isMaxsimError(error) || !FAILURES.has(error.code)) throw error;
    const warnings = [`the order is that of the first stage, since ranking failed: ${error.message}`];
    return requests.map(() => ({ results: [], reranked: false, warnings, usage: NO_USAGE }));
  }
}

/** Rerankers of callers may be anything. */
function checkOrder(name: string, order: readonly number[], count: number): void {
  const places = new Set(order.filter((place) => Number.isInteger(place) && place >= 0 && place < count));
  if (order.length === count && places.size === count) return;
  throw new MaxsimError(
    "INVALID_ARGUMENT",
    `rerank.with (${name}) must give each of ${count} documents once, found ${order.length} results, ${places.size} of them different documents`,
    { hint: "A reranker keeps every candidate: results are a permutation of the documents." },
  );
}

/** What MaxSim over stored vectors takes. */
export interface StoredContext {
  readonly whole: SearchSnapshot;
  readonly searches: SearchPool;
  readonly kernels: KernelBackend;
}

/** A request of the first stage, for the documents of a ranking: every passage of them is scored. */
export function storedRequest(request: SearchRequest, documents: number): SearchRequest {
  const { named, ...rest } = request;
  const parameters = { ...request.parameters, exhaustiveTokens: Number.MAX_SAFE_INTEGER };
  return { ...rest, k: Math.max(1, documents), parameters };
}

/**
 * Reranks by exact MaxSim over what the index stores of the documents: the scores that an exhaustive search gives. A document without
 * token vectors comes after all that have some, in the order that there was. One result a ranking. Errors: CORRUPT, ABORTED.
 */
export async function rerankStored(
  { whole, searches, kernels }: StoredContext,
  { depth }: RerankPlan,
  requests: readonly SearchRequest[],
  rankings: readonly Ranking[],
  model: string,
  signal: AbortSignal | undefined,
): Promise<FinalRanking[]> {
  const started = performance.now();
  const router = new ScanRouter(kernels, whole.codec.codebook);
  const orders = await Promise.all(
    rankings.map(async ({ ranked }, i): Promise<NewOrder> => {
      const head = ranked.slice(0, depth);
      if (head.length === 0) return { order: [], entries: [] };
      const { snapshot } = new Restriction(whole, DocumentSet.of(head.map(({ documentNo }) => documentNo)));
      const [outcome] = await searches.search(snapshot, [requests[i]!], router, signal);
      return storedOrder(head, outcome!.ranked);
    }),
  );
  const milliseconds = performance.now() - started;
  return rankings.map((ranking, i): FinalRanking => {
    const { length: documents } = orders[i]!.order;
    const usage = { ...NO_USAGE, scored: documents };
    const reranking = { name: "late", model, documents, reranked: true, usage, milliseconds };
    return { ...reordered(ranking, orders[i]!), notes: [], reranking };
  });
}

/** Equal scores keep the order of the first stage. */
function storedOrder(head: readonly RankedDocument[], scored: readonly RankedDocument[]): NewOrder {
  const known = new Map(scored.map((entry) => [entry.documentNo, entry]));
  const lowest = scored.reduce((least, { score }) => Math.min(least, score), 0);
  const scoreOf = (place: number): number =>
    known.get(head[place]!.documentNo)?.score ?? Number.NEGATIVE_INFINITY;
  const order = Array.from(head.keys()).sort((a, b) => {
    return scoreOf(a) === scoreOf(b) ? a - b : scoreOf(b) - scoreOf(a);
  });
  const entries = order.map((place) => {
    return known.get(head[place]!.documentNo) ?? { ...head[place]!, score: lowest };
  });
  return { order, entries };
}

function reordered(ranking: Ranking, { order, entries }: NewOrder): FinalRanking {
  const { ranked, scores } = ranking;
  return {
    ...ranking,
    ranked: [...entries, ...ranked.slice(entries.length)],
    ...(scores === undefined
      ? {}
      : { scores: [...order.map((place) => scores[place]!), ...scores.slice(order.length)] }),
    firstStage: order.map((place) => ({ rank: place + 1, score: ranked[place]!.score })),
    notes: [],
  };
}

/** Adds the stage to the traces of queries that were searched together. */
export function traceReranking(rankings: readonly FinalRanking[], traces: readonly Trace[]): void {
  rankings.forEach(({ ranked, reranking }, i) => {
    if (reranking === undefined) return;
    const milliseconds = reranking.milliseconds / rankings.length;
    const stage = { stage: "rerank", what: "documents", seen: ranked.length } as const;
    traces[i]!.add({ ...stage, kept: reranking.documents, milliseconds });
  });
}
