/**
 * One search over one snapshot: plan, then stage by stage from a packed query to ranked documents.
 *
 *   exhaustive:  centroid scores -> exact MaxSim of every live passage -> rank
 *   pruned:      centroid scores -> probe -> gather -> approximate -> exact MaxSim of the best -> rank
 */
import type { KernelBackend, PackedQuery } from "../kernels/backend.js";
import type { Trace } from "./explain.js";
import { gather, type Probes } from "./gather.js";
import type { SearchParameters } from "./parameters.js";
import { bestPassages, rankDocuments } from "./rank.js";
import type { Router } from "./router.js";
import type { Scorer, ScoringQuery, ScoringStage } from "./scorer.js";
import type { RankedDocument, ScoredPassages, SearchSnapshot, SegmentPassages } from "./types.js";

export interface SearchOutcome {
  readonly ranked: readonly RankedDocument[];
  readonly plan: "exhaustive" | "pruned";
  readonly reason: string;
}

export interface SearchContext {
  readonly kernels: KernelBackend;
  readonly scorer: Scorer;
  readonly router: Router;
  readonly trace: Trace;
}

/** The k best live documents; always min(k, searchable documents) of them. */
export async function searchSnapshot(
  snapshot: SearchSnapshot,
  query: PackedQuery,
  k: number,
  parameters: SearchParameters,
  context: SearchContext,
): Promise<SearchOutcome> {
  const scoring: ScoringQuery = {
    packed: query,
    quantizer: snapshot.codec.quantizer,
    table: await scoreCentroids(snapshot, query, context),
  };
  const wanted = Math.min(k, snapshot.searchableDocuments);
  if (snapshot.tokens <= parameters.exhaustiveTokens) {
    const reason = `${snapshot.tokens} token vectors are at most ${parameters.exhaustiveTokens}`;
    return { ranked: await exhaustive(snapshot, scoring, k, context), plan: "exhaustive", reason };
  }
  const ranked = await pruned(snapshot, scoring, k, parameters, context);
  if (ranked.length < wanted) {
    const reason = `candidate generation reached ${ranked.length} of ${wanted} documents, so every passage was scored`;
    return { ranked: await exhaustive(snapshot, scoring, k, context), plan: "exhaustive", reason };
  }
  const reason = `${snapshot.tokens} token vectors are more than ${parameters.exhaustiveTokens}`;
  return { ranked, plan: "pruned", reason };
}

/** The centroid score table in shared memory, so that scoring threads read the same copy. */
function scoreCentroids(
  snapshot: SearchSnapshot,
  query: PackedQuery,
  context: SearchContext,
): Promise<Float32Array> {
  const { codebook } = snapshot.codec;
  return context.trace.measure(
    "centroids",
    "centroids",
    () => {
      const table = new Float32Array(new SharedArrayBuffer(codebook.size * query.lanes * 4));
      context.kernels.centroidScores(query, codebook, table);
      return table;
    },
    () => ({ seen: codebook.size, kept: codebook.size }),
  );
}

async function exhaustive(
  snapshot: SearchSnapshot,
  query: ScoringQuery,
  k: number,
  context: SearchContext,
): Promise<RankedDocument[]> {
  const work = snapshot.segments.map((segment) => ({ segment, passages: segment.live }));
  const scored = await scoreStage("exact", "maxsim", query, work, context);
  return rank(scored, k, context);
}

async function pruned(
  snapshot: SearchSnapshot,
  query: ScoringQuery,
  k: number,
  parameters: SearchParameters,
  context: SearchContext,
): Promise<RankedDocument[]> {
  const probes = await probe(snapshot, query, parameters.nprobe, context);
  const gathered = await context.trace.measure(
    "gather",
    "passages",
    () => snapshot.segments.map((segment) => gather(segment, query.packed, probes, parameters.approximate)),
    (parts) => ({
      seen: sum(parts.map((part) => part.reached)),
      kept: sum(parts.map((part) => part.passages.length)),
    }),
  );
  const candidates = snapshot.segments.map((segment, s) => ({ segment, passages: gathered[s]!.passages }));
  const approximated = await scoreStage("approximate", "approximate", query, candidates, context);
  const best = bestPassages(approximated, parameters.refine);
  const refined = snapshot.segments.map((segment, s) => ({ segment, passages: best[s]! }));
  return rank(await scoreStage("exact", "maxsim", query, refined, context), k, context);
}

function probe(
  snapshot: SearchSnapshot,
  query: ScoringQuery,
  wanted: number,
  context: SearchContext,
): Promise<Probes> {
  const { size } = snapshot.codec.codebook;
  return context.trace.measure(
    "probe",
    "centroids",
    () => context.router.probe(query.packed, query.table, Math.min(wanted, size)),
    (probes) => ({ seen: size, kept: new Set(probes.ids).size }),
  );
}

function scoreStage(
  name: "approximate" | "exact",
  stage: ScoringStage,
  query: ScoringQuery,
  work: readonly SegmentPassages[],
  context: SearchContext,
): Promise<ScoredPassages[]> {
  return context.trace.measure(
    name,
    "passages",
    async () => {
      const scores = await context.scorer.score(stage, query, work);
      return work.map((part, i) => ({ ...part, scores: scores[i]! }));
    },
    (scored) => {
      const passages = sum(scored.map((part) => part.scores.length));
      return { seen: passages, kept: passages };
    },
  );
}

function rank(
  scored: readonly ScoredPassages[],
  k: number,
  context: SearchContext,
): Promise<RankedDocument[]> {
  return context.trace.measure(
    "rank",
    "documents",
    () => rankDocuments(scored, k),
    (ranked) => ({ seen: sum(scored.map((part) => part.scores.length)), kept: ranked.length }),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
