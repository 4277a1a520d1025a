/** One search of an index: from text or vectors to hits. */
import { abortedError } from "../common/abort.js";
import { checkInteger, checkOneOf, checkString, invalidArgument } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { Catalog } from "../documents/catalog.js";
import { type KernelBackend, MAX_QUERY_TOKENS } from "../kernels/backend.js";
import { packQuery } from "../kernels/pack.js";
import { type SearchExplanation, Trace } from "../search/explain.js";
import { searchParameters } from "../search/parameters.js";
import type { Router } from "../search/router.js";
import type { SearchOutcome, SearchRequest } from "../search/types.js";
import type { EncodePool } from "../workers/encode-pool.js";
import type { SearchPool } from "../workers/search-pool.js";
import type { HitComparison } from "./compared-hits.js";
import { type HitPresentation, hydrate } from "./hits.js";
import type { LoadedSnapshot } from "./load-snapshot.js";
import { DEFAULT_K, type Hit, MAX_K, type SearchOptions, type SearchResult } from "./options.js";
import { type Filtered, filterDocuments } from "./restricting.js";
import { routerFor } from "./routers.js";
import { normalizedRows, type VectorRows } from "./rows.js";

export interface ReadContext {
  readonly catalog: Catalog;
  readonly loaded: LoadedSnapshot;
  readonly kernels: KernelBackend;
  readonly searches: SearchPool;
}

interface QueryVectors {
  /** f32 `[tokens][dim]`, unit rows. */
  readonly vectors: Float32Array;
  readonly tokens: readonly string[];
  readonly truncated: boolean;
  /** For snippets; null when the query came as vectors. */
  readonly text: string | null;
}

/** Encodes the queries and searches. Errors: INVALID_ARGUMENT for an empty query. */
export async function searchTexts(
  context: ReadContext,
  encoder: () => Promise<EncodePool>,
  queries: readonly string[],
  options: SearchOptions,
): Promise<SearchResult[]> {
  if (!Array.isArray(queries)) throw invalidArgument("queries", "an array of strings", queries);
  queries.forEach((query, i) => {
    if (checkString(queryName(queries, i), query).trim() !== "") return;
    throw new MaxsimError("INVALID_ARGUMENT", `${queryName(queries, i)} must not be empty`, {
      hint: "Ask a question or name a topic.",
    });
  });
  if (queries.length === 0) return [];
  const pool = await encoder();
  const traces: Trace[] = [];
  const encoded = await Promise.all(
    queries.map(async (text): Promise<QueryVectors> => {
      const trace = new Trace();
      traces.push(trace);
      const { vectors, tokens, truncated } = await trace.measureAsync(
        "encode",
        "tokens",
        () => pool.encodeQuery(text),
        ({ count }) => ({ seen: count, kept: count }),
      );
      return { vectors, tokens, truncated, text };
    }),
  );
  return run(context, pool, encoded, options, traces);
}

/** Searches with token vectors of the caller, at most 64 a query. */
export async function searchVectors(
  context: ReadContext,
  queries: readonly VectorRows[],
  options: SearchOptions,
): Promise<SearchResult[]> {
  if (!Array.isArray(queries)) throw invalidArgument("queries", "an array of token vectors", queries);
  const { dim } = context.loaded.catalog.settings;
  const rows = queries.map((query, i): QueryVectors => {
    const name = queryName(queries, i);
    const vectors = normalizedRows(name, query, dim);
    const count = vectors.length / dim;
    if (count < 1 || count > MAX_QUERY_TOKENS) {
      throw new MaxsimError(
        "INVALID_VECTOR",
        `${name} has ${count} token vectors, expected 1 to ${MAX_QUERY_TOKENS}`,
      );
    }
    const tokens = Array.from({ length: count }, (_, t) => `#${t}`);
    return { vectors, tokens, truncated: false, text: null };
  });
  return run(
    context,
    null,
    rows,
    options,
    rows.map(() => new Trace()),
  );
}

function queryName(queries: readonly unknown[], i: number): string {
  return queries.length === 1 ? "query" : `queries[${i}]`;
}

async function run(
  context: ReadContext,
  encoder: EncodePool | null,
  queries: readonly QueryVectors[],
  options: SearchOptions,
  traces: readonly Trace[],
): Promise<SearchResult[]> {
  const k = checkInteger("k", options.k ?? DEFAULT_K, 1, MAX_K);
  const parameters = searchParameters(k, options);
  const snippets = checkOneOf("snippets", options.snippets ?? "matches", [
    "matches",
    "words",
    "none",
  ] as const);
  const { loaded, kernels, searches } = context;
  const { catalog } = loaded;
  if (options.signal?.aborted) throw abortedError(options.signal, "the search");
  const filtered = await filterStage(context, options, traces);
  const search = filtered === null ? loaded.search : filtered.restriction.snapshot;
  if (search === null) {
    const { generation } = catalog;
    return queries.map(({ truncated }) => ({ hits: [], generation, truncated }));
  }
  const { dim } = catalog.settings;
  const requests = queries.map(({ vectors }): SearchRequest => {
    return { packed: packQuery(vectors, vectors.length / dim, dim), vectors, k, parameters };
  });
  const router = await routerFor(parameters.router, search.codec, kernels);
  const outcomes = await searches.search(search, requests, router, options.signal);
  if (options.signal?.aborted) throw abortedError(options.signal, "the search");
  return Promise.all(
    outcomes.map(async (outcome, i): Promise<SearchResult> => {
      const [query, request] = [queries[i]!, requests[i]!];
      const presentation: HitPresentation = {
        query: query.text,
        snippets,
        explain: options.explain === true,
        comparison: comparisonOf(context, encoder, request),
      };
      const result = await resultOf(context, query, request, router, outcome, presentation, traces[i]!);
      const notes = [...(filtered?.notes ?? []), ...unexplained(presentation, result.hits)];
      return notes.length === 0 ? result : { ...result, notes };
    }),
  );
}

/** Null where the query came as vectors, of which nobody knows the words. */
function comparisonOf(
  { loaded, kernels }: ReadContext,
  encoder: EncodePool | null,
  { packed, vectors, parameters }: SearchRequest,
): HitComparison | null {
  if (encoder === null || loaded.search === null) return null;
  return { encoder, snapshot: loaded.search, kernels, packed, vectors, rescored: parameters.rescore };
}

function unexplained({ query, explain }: HitPresentation, hits: readonly Hit[]): string[] {
  if (!explain || query === null) return [];
  const missing = hits.filter(({ matches }) => matches === undefined).length;
  if (missing === 0) return [];
  return [
    `${missing} of ${hits.length} hits have no token matches: their vectors were not made from their texts by the index's model`,
  ];
}

/** What the filter leaves; null without a filter, and in an index without token vectors. */
async function filterStage(
  context: ReadContext,
  { filter, signal }: SearchOptions,
  traces: readonly Trace[],
): Promise<Filtered | null> {
  if (filter === undefined) return null;
  const start = performance.now();
  const filtered = await filterDocuments(context, filter, signal);
  const seen = context.loaded.catalog.documents;
  const kept = filtered?.restriction.documents.size ?? 0;
  // The queries of a batch share it.
  const milliseconds = (performance.now() - start) / traces.length;
  for (const trace of traces) trace.add({ stage: "filter", what: "documents", seen, kept, milliseconds });
  return filtered;
}

async function resultOf(
  { catalog, loaded, kernels }: ReadContext,
  query: QueryVectors,
  { k, parameters }: SearchRequest,
  router: Router,
  outcome: SearchOutcome,
  presentation: HitPresentation,
  trace: Trace,
): Promise<SearchResult> {
  for (const stage of outcome.stages) trace.add(stage);
  const hits = await trace.measureAsync(
    "hydrate",
    "documents",
    () => hydrate(catalog, loaded.catalog.generation, outcome.ranked, presentation),
    (found) => ({ seen: found.length, kept: found.length }),
  );
  const answered = { hits, generation: loaded.catalog.generation, truncated: query.truncated };
  if (!presentation.explain) return answered;
  const explanation: SearchExplanation = {
    plan: outcome.plan,
    reason: outcome.reason,
    kernels: { backend: kernels.name, isa: kernels.isa },
    queryTokens: query.tokens,
    stages: trace.stages,
    parameters: { k, ...parameters, router: router.name },
  };
  return { ...answered, explanation };
}
