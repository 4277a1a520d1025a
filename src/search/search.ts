/**
 * Searches of one snapshot on the calling thread: plan, then stage by stage from packed queries to ranked documents.
 *
 *   exhaustive:  centroid scores -> exact MaxSim of every live passage -> rank
 *   pruned:      centroid scores -> probe -> gather -> approximate -> exact MaxSim of the best -> rank
 */
import type { KernelBackend } from "../kernels/backend.js";
import { approximateBest, gatherCandidates } from "./candidates.js";
import { scoreCentroids } from "./centroid-scores.js";
import { refine, type ScoringQuery, scan, scoreNamed } from "./exact.js";
import { Trace } from "./explain.js";
import { rescore } from "./rescore.js";
import { isSmallPart } from "./restricted-snapshot.js";
import type { Router } from "./router.js";
import { searchableDocuments } from "./searchable.js";
import { TopDocuments } from "./top-documents.js";
import type { SearchOutcome, SearchRequest, SearchSnapshot } from "./types.js";
import type { ScoreTables, Workspace } from "./workspace.js";

export interface SearchContext {
  readonly kernels: KernelBackend;
  readonly router: Router;
  readonly workspace: Workspace;
}

/**
 * The k best live documents of each query; always min(k, searchable documents) of them. Queries that are searched together
 * share one pass over the codebook and are answered as they would be alone.
 */
export function searchSnapshot(
  snapshot: SearchSnapshot,
  requests: readonly SearchRequest[],
  context: SearchContext,
): SearchOutcome[] {
  for (const segment of snapshot.segments) segment.checkMapped();
  const pruned = requests.map((request) => !isExhaustive(snapshot, request));
  const start = performance.now();
  const tables = scoreCentroids(
    snapshot.codec.codebook,
    requests.map(({ packed }) => packed),
    pruned.includes(true),
    context.kernels,
    context.workspace,
  );
  const milliseconds = (performance.now() - start) / requests.length;
  try {
    return requests.map((request, i) => {
      const trace = new Trace();
      const { size } = snapshot.codec.codebook;
      trace.add({ stage: "centroids", what: "centroids", seen: size, kept: size, milliseconds });
      return searchOne(snapshot, request, tables[i]!, context, trace);
    });
  } finally {
    for (const table of tables) context.workspace.giveTables(table);
  }
}

/** Whether every live passage is scored, without candidate generation. */
export function isExhaustive(snapshot: SearchSnapshot, { parameters }: SearchRequest): boolean {
  return snapshot.tokens <= parameters.exhaustiveTokens;
}

/** The plan of a search that `isExhaustive`, and its reason. */
export function exhaustivePlan(
  { tokens }: SearchSnapshot,
  { parameters }: SearchRequest,
): Pick<SearchOutcome, "plan" | "reason"> {
  const reason = `${tokens} token vectors are at most ${parameters.exhaustiveTokens}`;
  return { plan: "exhaustive", reason };
}

function searchOne(
  snapshot: SearchSnapshot,
  request: SearchRequest,
  tables: ScoreTables,
  context: SearchContext,
  trace: Trace,
): SearchOutcome {
  const { k, parameters } = request;
  const finish = (top: TopDocuments, plan: Pick<SearchOutcome, "plan" | "reason">): SearchOutcome => {
    const query = { packed: request.packed, quantizer: snapshot.codec.quantizer, table: tables.scores };
    const named = scoreNamedPassages(snapshot, request, query, top, context.kernels, trace);
    return finishSearch(snapshot, request, top, { ...plan, ...named }, trace);
  };
  if (isExhaustive(snapshot, request)) {
    const top = searchEverything(snapshot, request, tables, context, trace);
    return finish(top, exhaustivePlan(snapshot, request));
  }
  const found = searchCandidates(snapshot, request, tables, context, trace);
  const wanted = found.size < k ? Math.min(k, searchableDocuments(snapshot)) : k;
  if (found.size < wanted) {
    const top = searchEverything(snapshot, request, tables, context, trace);
    const reason = `candidate generation reached ${found.size} of ${wanted} documents, so every passage was scored`;
    return finish(top, { plan: "exhaustive", reason });
  }
  const reason = `${snapshot.tokens} token vectors are more than ${parameters.exhaustiveTokens}`;
  return finish(found, { plan: "pruned", reason });
}

/** Scores the passages that the request names, into `top` as well. Empty when it names none. */
export function scoreNamedPassages(
  snapshot: SearchSnapshot,
  { named }: SearchRequest,
  query: ScoringQuery,
  top: TopDocuments,
  kernels: KernelBackend,
  trace: Trace,
): Pick<SearchOutcome, "named"> {
  if (named === undefined || named.length === 0) return {};
  const scores = trace.measure(
    "named",
    "passages",
    () => scoreNamed(snapshot, named, query, top, kernels),
    () => ({ seen: named.length, kept: named.length }),
  );
  return { named: scores };
}

/** The last stage of both plans: the documents in their final order. */
export function finishSearch(
  snapshot: SearchSnapshot,
  { k, parameters, vectors }: SearchRequest,
  top: TopDocuments,
  found: Pick<SearchOutcome, "plan" | "reason" | "named">,
  trace: Trace,
): SearchOutcome {
  const ranked = trace.measure(
    "rank",
    "documents",
    () => {
      const kept = top.ranked();
      const rescored = parameters.rescore > 0 ? rescore(snapshot, vectors, kept, parameters.rescore) : kept;
      return rescored.slice(0, k);
    },
    (documents) => ({ seen: top.size, kept: documents.length }),
  );
  return { ranked, ...found, stages: trace.stages };
}

/** Documents that are ranked before the float scores: those that may still come up. */
export function documentsRanked({ k, parameters }: SearchRequest): number {
  return Math.max(k, parameters.rescore);
}

function searchEverything(
  snapshot: SearchSnapshot,
  request: SearchRequest,
  { scores: table }: ScoreTables,
  { kernels }: SearchContext,
  trace: Trace,
): TopDocuments {
  const query: ScoringQuery = { packed: request.packed, quantizer: snapshot.codec.quantizer, table };
  let passages = 0;
  return trace.measure(
    "exact",
    "passages",
    () => {
      const top = new TopDocuments(documentsRanked(request));
      for (const segment of snapshot.segments) {
        const count = segment.live?.length ?? segment.passages;
        scan({ segment, passages: segment.live }, 0, count, query, top, kernels);
        passages += count;
      }
      return top;
    },
    () => ({ seen: passages, kept: passages }),
  );
}

function searchCandidates(
  snapshot: SearchSnapshot,
  request: SearchRequest,
  tables: ScoreTables,
  { kernels, router, workspace }: SearchContext,
  trace: Trace,
): TopDocuments {
  const { packed, parameters } = request;
  const { codebook, quantizer } = snapshot.codec;
  const nprobe = isSmallPart(snapshot) ? parameters.partNprobe : parameters.nprobe;
  const probes = trace.measure(
    "probe",
    "centroids",
    () => router.probe(packed, tables.scores, Math.min(nprobe, codebook.size)),
    ({ ids }) => ({ seen: codebook.size, kept: ids.length }),
  );
  const { parts } = trace.measure(
    "gather",
    "passages",
    () => gatherCandidates(snapshot, packed, probes, parameters.approximate, kernels, workspace),
    ({ reached, kept }) => ({ seen: reached, kept }),
  );
  const best = trace.measure(
    "approximate",
    "passages",
    () => approximateBest(parts, packed, tables, parameters.refine, kernels),
    ({ length }) => ({
      seen: parts.reduce((sum, { passages }) => sum + (passages?.length ?? 0), 0),
      kept: length,
    }),
  );
  const query: ScoringQuery = { packed, quantizer, table: tables.scores };
  const top = new TopDocuments(documentsRanked(request));
  trace.measure(
    "exact",
    "passages",
    () => refine(parts, best, query, parameters.margin, top, kernels),
    (scored) => ({ seen: best.length, kept: scored }),
  );
  return top;
}
