/** The stage of a search that puts the best documents of the first stage into a better order. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Codec } from "../codec/codec.js";
import { throwIfAborted } from "../common/abort.js";
import { describe } from "../common/check.js";
import { type ErrorCode, isMaxsimError, MaxsimError } from "../common/errors.js";
import type { KernelBackend, PackedQuery } from "../kernels/backend.js";
import type { RerankFields, RerankOutcome, RerankRequest } from "../rerank/types.js";
import { NO_USAGE } from "../rerank/usage.js";
import { type BestPassages, bestPassages } from "../search/document-scores.js";
import type { Trace } from "../search/explain.js";
import type { RankedDocument, SearchSnapshot } from "../search/types.js";
import { Workspace } from "../search/workspace.js";
import type { Ranking } from "./combine.js";
import type { Hit, SearchReranking } from "./options.js";
import type { RerankPlan } from "./rerank-plan.js";

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
  if (!isArray(outcomes) || outcomes.length !== requests.length) {
    throw unsound(name, `one outcome for each of ${requests.length} queries`, describe(outcomes));
  }
  return rankings.map((ranking, i): FinalRanking => {
    const { documents } = requests[i]!;
    const { results, reranked, warnings, usage } = outcomes[i]!;
    const reranking = { name, model, documents: documents.length, reranked, usage, milliseconds };
    const notes = warnings.map((warning) => `reranking with ${name}: ${warning}`);
    if (!reranked) return { ...notReranked(ranking), notes, reranking };
    checkResults(name, results, documents.length);
    const order = results.map(({ index }) => index);
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
function checkResults(name: string, results: RerankOutcome["results"], count: number): void {
  if (!isArray(results)) throw unsound(name, "an array of results", describe(results));
  const known = results.map(({ index }) => index);
  const places = new Set(known.filter((place) => Number.isInteger(place) && place >= 0 && place < count));
  if (known.length !== count || places.size !== count) {
    const found = `${known.length} results, ${places.size} of them different documents`;
    throw unsound(name, `each of ${count} documents once`, found);
  }
  const wrong = results.find(({ score }) => !Number.isFinite(score));
  if (wrong !== undefined) throw unsound(name, "finite scores", describe(wrong.score));
}

/** `Array.isArray`, which would make the elements of readonly arrays `any`. */
function isArray(value: unknown): boolean {
  return Array.isArray(value);
}

function unsound(name: string, expected: string, found: string): MaxsimError {
  return new MaxsimError("INVALID_ARGUMENT", `rerank.with (${name}) must give ${expected}, found ${found}`, {
    hint: "A reranker keeps every candidate: results are a permutation of the documents.",
  });
}

/** Score tables of a codec are megabytes, and used again by the next search. */
const workspaces = new WeakMap<Codec, Workspace>();

/**
 * Reranks by exact MaxSim over what the index stores of the documents: the scores that an exhaustive search gives. A document without
 * token vectors has the lowest score that there can be. One result a ranking. Errors: CORRUPT, ABORTED.
 * @param queries parallel to the rankings. @param model its name, for the report.
 */
export async function rerankStored(
  { whole, kernels }: { readonly whole: SearchSnapshot; readonly kernels: KernelBackend },
  { depth }: RerankPlan,
  queries: readonly PackedQuery[],
  rankings: readonly Ranking[],
  model: string,
  signal: AbortSignal | undefined,
): Promise<FinalRanking[]> {
  const started = performance.now();
  const workspace = workspaces.get(whole.codec) ?? new Workspace();
  workspaces.set(whole.codec, workspace);
  const orders: NewOrder[] = [];
  for (const [i, { ranked }] of rankings.entries()) {
    // A turn of the event loop for each query: scoring is quick, but there may be many.
    if (i > 0) await nextTurn();
    throwIfAborted(signal, "the search");
    const head = ranked.slice(0, depth);
    const numbers = head.map(({ documentNo }) => documentNo);
    const best = bestPassages(whole, queries[i]!, numbers, kernels, workspace);
    orders.push(storedOrder(head, best, -queries[i]!.tokens));
  }
  const milliseconds = performance.now() - started;
  return rankings.map((ranking, i): FinalRanking => {
    const { length: documents } = orders[i]!.order;
    const usage = { ...NO_USAGE, scored: documents };
    const reranking = { name: "late", model, documents, reranked: true, usage, milliseconds };
    return { ...reordered(ranking, orders[i]!), notes: [], reranking };
  });
}

/** Equal scores keep the order of the first stage. */
function storedOrder(
  head: readonly RankedDocument[],
  { scores, passages }: BestPassages,
  lowest: number,
): NewOrder {
  const entries = head.map((entry, place): RankedDocument => {
    const passageNo = passages[place]!;
    return passageNo < 0 ? { ...entry, score: lowest } : { ...entry, passageNo, score: scores[place]! };
  });
  const order = [...head.keys()].sort((a, b) => entries[b]!.score - entries[a]!.score || a - b);
  return { order, entries: order.map((place) => entries[place]!) };
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
