/** The stage of a search that compares token vectors: late interaction. */
import type { KernelBackend } from "../kernels/backend.js";
import { packQuery } from "../kernels/pack.js";
import type { Router } from "../search/router.js";
import type { SearchOutcome, SearchRequest, SearchSnapshot } from "../search/types.js";
import type { SearchPool } from "../workers/search-pool.js";
import { routerFor } from "./routers.js";
import type { SearchPlan } from "./search-plan.js";
import type { Scope } from "./search-scope.js";
import type { RankedByWords } from "./word-search.js";

interface LateContext {
  /** The whole generation. */
  readonly whole: SearchSnapshot;
  readonly kernels: KernelBackend;
  readonly searches: SearchPool;
}

/** A query as late interaction takes it. */
export interface QueryVectors {
  /** f32 `[tokens][dim]`, unit rows; null where nothing was encoded, and then there is no such stage. */
  readonly encoded: { readonly vectors: Float32Array } | null;
}

export interface LateAnswers {
  readonly requests: readonly SearchRequest[];
  readonly outcomes: readonly SearchOutcome[];
  readonly router: Router;
}

/**
 * One answer a query, in their order. Scopes and words are parallel to the queries; passages that words found are scored in any case.
 * Errors: CORRUPT, WORKER_FAILED, CLOSED, ABORTED, INVALID_ARGUMENT for a router that is not there.
 */
export async function searchLate(
  { whole, kernels, searches }: LateContext,
  queries: readonly QueryVectors[],
  scopes: readonly Scope[],
  words: readonly RankedByWords[],
  plan: SearchPlan,
  signal: AbortSignal | undefined,
): Promise<LateAnswers> {
  const requests = lateRequests(whole.codec.dim, queries, plan).map((request, i) => {
    const named = Uint32Array.from(words[i]!.ranked, ({ passageNo }) => passageNo);
    return named.length === 0 ? request : { ...request, named };
  });
  const router = await routerFor(plan.parameters.router, whole.codec, kernels);
  const outcomes: SearchOutcome[] = new Array(queries.length);
  // Queries with operators have snapshots of their own; those without share one.
  const groups = groupBy(scopes);
  await Promise.all(
    [...groups].map(async ([snapshot, places]) => {
      const wanted = places.map((i) => requests[i]!);
      const answers = await searches.search(snapshot, wanted, router, signal);
      places.forEach((place, i) => {
        outcomes[place] = answers[i]!;
      });
    }),
  );
  return { requests, outcomes, router };
}

/** The queries packed for the kernels. */
export function lateRequests(
  dim: number,
  queries: readonly QueryVectors[],
  { depth, parameters }: SearchPlan,
): SearchRequest[] {
  return queries.map(({ encoded }) => {
    const { vectors } = encoded!;
    return { packed: packQuery(vectors, vectors.length / dim, dim), vectors, k: depth, parameters };
  });
}

function groupBy(scopes: readonly Scope[]): Map<SearchSnapshot, number[]> {
  const groups = new Map<SearchSnapshot, number[]>();
  scopes.forEach(({ snapshot }, i) => {
    const places = groups.get(snapshot);
    if (places === undefined) groups.set(snapshot, [i]);
    else places.push(i);
  });
  return groups;
}
