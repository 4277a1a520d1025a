/** One search of an index: from text or vectors to hits. */
import { throwIfAborted } from "../common/abort.js";
import { checkString, invalidArgument } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { Catalog } from "../documents/catalog.js";
import { type KernelBackend, MAX_QUERY_TOKENS } from "../kernels/backend.js";
import { type LexicalQuery, parseQuery, plainQuery } from "../lexical/query.js";
import { type SearchExplanation, Trace } from "../search/explain.js";
import type { RankedDocument, SearchRequest, SearchSnapshot } from "../search/types.js";
import type { EncodePool } from "../workers/encode-pool.js";
import type { SearchPool } from "../workers/search-pool.js";
import { combine, type Ranking } from "./combine.js";
import type { HitComparison } from "./compared-hits.js";
import { type HitPresentation, hydrate, rerankFields } from "./hits.js";
import { type LateAnswers, lateRequests, searchLate } from "./late-stage.js";
import type { LoadedSnapshot } from "./load-snapshot.js";
import type { Hit, SearchOptions, SearchResult } from "./options.js";
import type { RerankPlan } from "./rerank-plan.js";
import { type FinalRanking, notReranked, rerankStored, rerankTexts, traceReranking } from "./reranking.js";
import { type Filtered, filterDocuments } from "./restricting.js";
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
  /** Null in the mode "lexical", which needs none unless stored vectors rerank. */
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
  const pool = plan.mode === "lexical" && plan.rerank?.with !== "late" ? null : await encoder();
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
  if (plan.rerank !== null && plan.rerank.with !== "late") {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      "a search with token vectors has no text for rerank.with to read",
      { hint: 'Search with a text, or rerank with "late", which compares vectors.' },
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
    plan.mode === "lexical"
      ? null
      : await searchLate({ ...context, whole }, queries, scopes, words, plan, options.signal);
  throwIfAborted(options.signal, "the search");
  const rankings = queries.map(({ encoded }, i) => {
    return combine(plan, words[i]!, late?.outcomes[i] ?? null, encoded?.tokens.length ?? 0, traces[i]!);
  });
  const { requests, final } = await rerank(context, whole, queries, rankings, plan, late, options.signal);
  traceReranking(final, traces);
  return Promise.all(
    queries.map((query, i) => {
      const compared = requests?.[i];
      const presentation: HitPresentation = {
        asked: query.asked,
        snippets: plan.snippets,
        explain: plan.explain === true,
        comparison: compared === undefined ? null : comparisonOf(context, encoder, compared),
      };
      const ranking = { ...final[i]!, ranked: final[i]!.ranked.slice(0, plan.k) };
      return resultOf(context, query, scopes[i]!, plan, ranking, presentation, late?.router.name, traces[i]!);
    }),
  );
}

interface Reranking {
  readonly final: readonly FinalRanking[];
  /** What the scores of late interaction were computed from, or what hits are to be compared with; null without vectors. */
  readonly requests: readonly SearchRequest[] | null;
}

async function rerank(
  { catalog, loaded, kernels }: ReadContext,
  whole: SearchSnapshot,
  queries: readonly Query[],
  rankings: readonly Ranking[],
  plan: SearchPlan,
  late: LateAnswers | null,
  signal: AbortSignal | undefined,
): Promise<Reranking> {
  if (plan.rerank === null) return { final: rankings.map(notReranked), requests: late?.requests ?? null };
  const { generation, settings } = loaded.catalog;
  // Float scores are those of the first places of an order that is no more.
  const plain = { ...plan, parameters: { ...plan.parameters, rescore: 0 } };
  if (plan.rerank.with === "late") {
    const requests = lateRequests(settings.dim, queries, plain);
    const packed = requests.map((request) => request.packed);
    const model = settings.model?.name ?? "";
    const final = await rerankStored({ whole, kernels }, plan.rerank, packed, rankings, model, signal);
    return { final, requests };
  }
  const texts = queries.map(({ asked }) => asked!.text);
  const read = (ranked: readonly RankedDocument[]) => rerankFields(catalog, generation, ranked);
  const final = await rerankTexts(plan.rerank, texts, rankings, read, signal);
  return { final, requests: late === null ? null : lateRequests(settings.dim, queries, plain) };
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
  { lexicalCandidates, mode, candidates }: SearchPlan,
  trace: Trace,
): RankedByWords {
  const limit = mode === "lexical" ? candidates : lexicalCandidates;
  if (asked === null || limit === 0) return { ranked: [], scale: 0 };
  return trace.measure(
    "words",
    "documents",
    () => documentsByWords(catalog, snapshot, loaded.catalog, asked.text, limit),
    ({ ranked }) => ({ seen: ranked.length, kept: ranked.length }),
  );
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
  ranking: FinalRanking,
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
  const { scores, firstStage, reranking } = ranking;
  const hits = found.map((hit, i): Hit => {
    const before = firstStage[i];
    return {
      ...hit,
      ...(scores === undefined ? {} : { scores: scores[i]! }),
      ...(before === undefined ? {} : { firstStage: before }),
    };
  });
  const lateOnly =
    plan.mode === "lexical" && reranking?.name !== "late" ? [] : unexplained(presentation, hits);
  const notes = [...scope.notes, ...ranking.notes, ...lateOnly];
  const answered = {
    hits,
    generation: loaded.catalog.generation,
    truncated: encoded?.truncated ?? false,
    ...(notes.length === 0 ? {} : { notes }),
    ...(reranking === undefined ? {} : { reranking }),
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
      ...(plan.rerank === null ? {} : { rerank: rerankerName(plan.rerank), rerankDepth: plan.rerank.depth }),
    },
  };
  return { ...answered, explanation };
}

function rerankerName({ with: reranker }: RerankPlan): string {
  return reranker === "late"
    ? reranker
    : `${reranker.name}${reranker.model === "" ? "" : ` ${reranker.model}`}`;
}
