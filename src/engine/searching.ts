/** One search of an index: from text or vectors to hits. */
import { abortedError } from "../common/abort.js";
import { checkInteger, checkString } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { Catalog } from "../documents/catalog.js";
import { type KernelBackend, MAX_QUERY_TOKENS } from "../kernels/backend.js";
import { packQuery } from "../kernels/pack.js";
import { type SearchExplanation, Trace } from "../search/explain.js";
import { searchParameters } from "../search/parameters.js";
import type { Scorer } from "../search/scorer.js";
import { searchSnapshot } from "../search/search.js";
import type { EncodePool } from "../workers/encode-pool.js";
import { hydrate } from "./hits.js";
import type { LoadedSnapshot } from "./load-snapshot.js";
import { DEFAULT_K, MAX_K, type SearchOptions, type SearchResult } from "./options.js";
import { routerFor } from "./routers.js";
import { normalizedRows, type VectorRows } from "./rows.js";

export interface ReadContext {
  readonly catalog: Catalog;
  readonly loaded: LoadedSnapshot;
  readonly kernels: KernelBackend;
  readonly scorer: Scorer;
}

interface QueryVectors {
  /** f32 `[tokens][dim]`, unit rows. */
  readonly vectors: Float32Array;
  readonly tokens: readonly string[];
  readonly truncated: boolean;
  /** For snippets; null when the query came as vectors. */
  readonly text: string | null;
}

/** Encodes the query and searches. Errors: INVALID_ARGUMENT for an empty query. */
export async function searchText(
  context: ReadContext,
  encoder: () => Promise<EncodePool>,
  query: string,
  options: SearchOptions,
): Promise<SearchResult> {
  if (checkString("query", query).trim() === "") {
    throw new MaxsimError("INVALID_ARGUMENT", "query must not be empty", {
      hint: "Ask a question or name a topic.",
    });
  }
  const trace = new Trace();
  const encoded = await trace.measure(
    "encode",
    "tokens",
    async () => (await encoder()).encodeQuery(query),
    ({ count }) => ({ seen: count, kept: count }),
  );
  const { vectors, tokens, truncated } = encoded;
  return run(context, { vectors, tokens, truncated, text: query }, options, trace);
}

/** Searches with token vectors of the caller, at most 64. */
export async function searchVectors(
  context: ReadContext,
  rows: VectorRows,
  options: SearchOptions,
): Promise<SearchResult> {
  const { dim } = context.loaded.catalog.settings;
  const vectors = normalizedRows("query", rows, dim);
  const count = vectors.length / dim;
  if (count < 1 || count > MAX_QUERY_TOKENS) {
    throw new MaxsimError(
      "INVALID_VECTOR",
      `a query has 1 to ${MAX_QUERY_TOKENS} token vectors, found ${count}`,
    );
  }
  const tokens = Array.from({ length: count }, (_, i) => `#${i}`);
  return run(context, { vectors, tokens, truncated: false, text: null }, options, new Trace());
}

async function run(
  context: ReadContext,
  query: QueryVectors,
  options: SearchOptions,
  trace: Trace,
): Promise<SearchResult> {
  const k = checkInteger("k", options.k ?? DEFAULT_K, 1, MAX_K);
  const parameters = searchParameters(k, options);
  const { loaded, kernels, scorer, catalog } = context;
  const answered = { generation: loaded.catalog.generation, truncated: query.truncated };
  if (options.signal?.aborted) throw abortedError(options.signal, "the search");
  if (loaded.search === null) return { hits: [], ...answered };
  const { dim } = loaded.catalog.settings;
  const packed = packQuery(query.vectors, query.vectors.length / dim, dim);
  const router = await routerFor(parameters.router, loaded.search.codec, kernels);
  const outcome = await searchSnapshot(loaded.search, packed, k, parameters, {
    kernels,
    scorer,
    router,
    trace,
  });
  if (options.signal?.aborted) throw abortedError(options.signal, "the search");
  const hits = await trace.measure(
    "hydrate",
    "documents",
    () => hydrate(catalog, outcome.ranked, query.text),
    (found) => ({ seen: found.length, kept: found.length }),
  );
  if (options.explain !== true) return { hits, ...answered };
  const explanation: SearchExplanation = {
    plan: outcome.plan,
    reason: outcome.reason,
    kernels: { backend: kernels.name, isa: kernels.isa },
    queryTokens: query.tokens,
    stages: trace.stages,
    parameters: { k, ...parameters },
  };
  return { hits, ...answered, explanation };
}
