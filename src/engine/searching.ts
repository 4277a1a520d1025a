/** One search of an index: from text or vectors to hits. */
import { throwIfAborted } from "../common/abort.js";
import { checkString, invalidArgument } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { Catalog } from "../documents/catalog.js";
import { type KernelBackend, MAX_QUERY_TOKENS } from "../kernels/backend.js";
import { packQuery } from "../kernels/pack.js";
import { type LexicalQuery, parseQuery, plainQuery } from "../lexical/query.js";
import { type SearchExplanation, Trace } from "../search/explain.js";
import type { Router } from "../search/router.js";
import type { SearchOutcome, SearchRequest, SearchSnapshot } from "../search/types.js";
import type { EncodePool } from "../workers/encode-pool.js";
import type { SearchPool } from "../workers/search-pool.js";
import { combine, type Ranking } from "./combine.js";
import type { HitComparison } from "./compared-hits.js";
import { type HitPresentation, hydrate } from "./hits.js";
import type { LoadedSnapshot } from "./load-snapshot.js";
import type { Hit, SearchOptions, SearchResult } from "./options.js";
import { type Filtered, filterDocuments } from "./restricting.js";
import { routerFor } from "./routers.js";
import { normalizedRows, type VectorRows } from "./rows.js";
import { type SearchPlan, searchPlan } from "./search-plan.js";
import { type Scope, scopeOf } from "./search-scope.js";
import { documentsByWords, type RankedByWords } from "./word-search.js";

export interface ReadContext {
  readonly catalog: Catalog;
  readonly loaded: LoadedSnapshot;
  readonly kernels: KernelBackend;
  readonly searches: SearchPool;
}

interface Query {
  /** What is asked, without operators; null when the query came as vectors. */
  readonly asked: LexicalQuery | null;
  /** Null in the mode "lexical", which needs none. */
  readonly encoded: EncodedQuery | null;
}

interface EncodedQuery {
  /** f32 `[tokens][dim]`, unit rows. */
  readonly vectors: Float32Array;
  readonly tokens: readonly string[];
  readonly truncated: boolean;
}

/** Encodes the queries and searches. Errors: INVALID_ARGUMENT for an empty query. */
export async function searchTexts(
  context: ReadContext,
  encoder: () => Promise<EncodePool>,
  queries: readonly string[],
  options: SearchOptions,
): Promise<SearchResult[]> {
  if (!Array.isArray(queries)) throw invalidArgument("queries", "an array of strings", queries);
  const plan = searchPlan(options);
  const asked = queries.map((query, i) => readQuery(queryName(queries, i), query, plan));
  if (queries.length === 0) return [];
  const traces = asked.map(() => new Trace());
  const pool = plan.mode === "lexical" ? null : await encoder();
  const encoded = pool === null ? null : await encodeQueries(pool, asked, traces);
  const rows = asked.map((query, i): Query => ({ asked: query, encoded: encoded?.[i] ?? null }));
  return run(context, pool, rows, plan, options, traces);
}

function readQuery(name: string, query: unknown, plan: SearchPlan): LexicalQuery {
  const text = checkString(name, query);
  const read = plan.operators ? parseQuery(text) : plainQuery(text);
  if (read.text !== "") return read;
  const why =
    read.excluded.length > 0
      ? "must name something to look for, not only what to leave out"
      : "must not be empty";
  throw new MaxsimError("INVALID_ARGUMENT", `${name} ${why}`, { hint: "Ask a question or name a topic." });
}

function encodeQueries(
  pool: EncodePool,
  queries: readonly LexicalQuery[],
  traces: readonly Trace[],
): Promise<EncodedQuery[]> {
  return Promise.all(
    queries.map(({ text }, i) =>
      traces[i]!.measureAsync(
        "encode",
        "tokens",
        () => pool.encodeQuery(text),
        ({ count }) => ({ seen: count, kept: count }),
      ),
    ),
  );
}

/** Searches with token vectors of the caller, at most 64 a query. */
export async function searchVectors(
  context: ReadContext,
  queries: readonly VectorRows[],
  options: SearchOptions,
): Promise<SearchResult[]> {
  if (!Array.isArray(queries)) throw invalidArgument("queries", "an array of token vectors", queries);
  const plan = searchPlan(options);
  if (plan.mode !== "late") {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `a search with token vectors has no words for the mode "${plan.mode}"`,
      {
        hint: 'Search with a text, or in the mode "late".',
      },
    );
  }
  const { dim } = context.loaded.catalog.settings;
  const rows = queries.map((query, i): Query => {
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
    return { asked: null, encoded: { vectors, tokens, truncated: false } };
  });
  const traces = rows.map(() => new Trace());
  return run(context, null, rows, plan, options, traces);
}

function queryName(queries: readonly unknown[], i: number): string {
  return queries.length === 1 ? "query" : `queries[${i}]`;
}

async function run(
  context: ReadContext,
  encoder: EncodePool | null,
  queries: readonly Query[],
  plan: SearchPlan,
  options: SearchOptions,
  traces: readonly Trace[],
): Promise<SearchResult[]> {
  const { loaded } = context;
  const { catalog } = loaded;
  throwIfAborted(options.signal, "the search");
  const filtered = await filterStage(context, options, traces);
  const whole = loaded.search;
  if (whole === null) {
    const { generation } = catalog;
    return queries.map(({ encoded }) => ({ hits: [], generation, truncated: encoded?.truncated ?? false }));
  }
  const scopes = queries.map(({ asked }, i) => scopeOf(context, whole, filtered, asked, traces[i]!));
  const words = queries.map(({ asked }, i) =>
    rankWords(context, scopes[i]!.snapshot, asked, plan, traces[i]!),
  );
  const late =
    plan.mode === "lexical" ? null : await searchLate(context, queries, scopes, words, plan, options.signal);
  throwIfAborted(options.signal, "the search");
  return Promise.all(
    queries.map((query, i) => {
      const outcome = late === null ? null : late.outcomes[i]!;
      const ranking = combine(plan, words[i]!, outcome, query.encoded?.tokens.length ?? 0, traces[i]!);
      const presentation: HitPresentation = {
        asked: query.asked,
        snippets: plan.snippets,
        explain: plan.explain === true,
        comparison: late === null ? null : comparisonOf(context, encoder, late.requests[i]!),
      };
      return resultOf(context, query, scopes[i]!, plan, ranking, presentation, late?.router.name, traces[i]!);
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

function unexplained({ asked, explain }: HitPresentation, hits: readonly Hit[]): string[] {
  if (!explain || asked === null) return [];
  const missing = hits.filter(({ matches }) => matches === undefined).length;
  if (missing === 0) return [];
  return [
    `${missing} of ${hits.length} hits have no token matches: their vectors were not made from their texts by the index's model`,
  ];
}

/** What BM25 has to say, where the plan asks for it. */
function rankWords(
  { catalog, loaded }: ReadContext,
  snapshot: SearchSnapshot,
  asked: LexicalQuery | null,
  { lexicalCandidates, mode, k }: SearchPlan,
  trace: Trace,
): RankedByWords {
  const limit = mode === "lexical" ? k : lexicalCandidates;
  if (asked === null || limit === 0) return { ranked: [], scale: 0 };
  return trace.measure(
    "words",
    "documents",
    () => documentsByWords(catalog, snapshot, loaded.catalog, asked.text, limit),
    ({ ranked }) => ({ seen: ranked.length, kept: ranked.length }),
  );
}

interface LateAnswers {
  readonly requests: readonly SearchRequest[];
  readonly outcomes: readonly SearchOutcome[];
  readonly router: Router;
}

async function searchLate(
  { loaded, kernels, searches }: ReadContext,
  queries: readonly Query[],
  scopes: readonly Scope[],
  words: readonly RankedByWords[],
  { depth, parameters }: SearchPlan,
  signal: AbortSignal | undefined,
): Promise<LateAnswers> {
  const { dim } = loaded.catalog.settings;
  const requests = queries.map(({ encoded }, i): SearchRequest => {
    const { vectors } = encoded!;
    const named = Uint32Array.from(words[i]!.ranked, ({ passageNo }) => passageNo);
    const packed = packQuery(vectors, vectors.length / dim, dim);
    return { packed, vectors, k: depth, parameters, ...(named.length === 0 ? {} : { named }) };
  });
  const router = await routerFor(parameters.router, loaded.search!.codec, kernels);
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

function groupBy(scopes: readonly Scope[]): Map<SearchSnapshot, number[]> {
  const groups = new Map<SearchSnapshot, number[]>();
  scopes.forEach(({ snapshot }, i) => {
    const places = groups.get(snapshot);
    if (places === undefined) groups.set(snapshot, [i]);
    else places.push(i);
  });
  return groups;
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
  { encoded }: Query,
  scope: Scope,
  plan: SearchPlan,
  ranking: Ranking,
  presentation: HitPresentation,
  router: string | undefined,
  trace: Trace,
): Promise<SearchResult> {
  const found = await trace.measureAsync(
    "hydrate",
    "documents",
    () => hydrate(catalog, loaded.catalog.generation, ranking.ranked, presentation),
    (documents) => ({ seen: documents.length, kept: documents.length }),
  );
  const hits =
    ranking.scores === undefined ? found : found.map((hit, i) => ({ ...hit, scores: ranking.scores![i]! }));
  const lateOnly = plan.mode === "lexical" ? [] : unexplained(presentation, hits);
  const notes = [...scope.notes, ...lateOnly];
  const answered = {
    hits,
    generation: loaded.catalog.generation,
    truncated: encoded?.truncated ?? false,
    ...(notes.length === 0 ? {} : { notes }),
  };
  if (plan.explain === false) return answered;
  const explanation: SearchExplanation = {
    plan: ranking.plan,
    reason: ranking.reason,
    kernels: { backend: kernels.name, isa: kernels.isa },
    queryTokens: encoded?.tokens ?? [],
    stages: trace.stages,
    parameters: {
      k: plan.k,
      mode: plan.mode,
      ...plan.parameters,
      ...(plan.mode === "hybrid"
        ? { fusion: plan.fusion.method, alpha: plan.fusion.alpha, depth: plan.depth }
        : {}),
      ...(plan.mode === "late" && plan.lexicalCandidates > 0
        ? { lexicalCandidates: plan.lexicalCandidates }
        : {}),
      ...(router === undefined ? {} : { router }),
    },
  };
  return { ...answered, explanation };
}
