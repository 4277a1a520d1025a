/** From rankings, times and counts to what `maxsim lift` reports. Plain data, which is the JSON form as well. */
import { mean } from "../../evaluation/evaluate.js";
import type {
  LiftCeiling,
  LiftDepthReport,
  LiftMeans,
  LiftReport,
  LiftSystemReport,
  LiftVerdict,
} from "../../evaluation/lift.js";
import { firstAdequate } from "../../evaluation/lift-significance.js";
import { quantile } from "../../evaluation/quantile.js";
import type { FirstStage } from "./lift-first.js";
import { type Contender, type ContenderRun, type DepthRun, scoresDocuments } from "./lift-runs.js";

/** Milliseconds of a call. */
export interface LiftLatency {
  readonly queries: number;
  readonly p50: number;
  readonly p95: number;
}

/** Means over the calls of one depth. Counts are those that services report. */
export interface LiftCost {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly searchUnits: number;
  /** In the currency of the prices that were given. */
  readonly cost: number;
}

export interface LiftRow {
  readonly depth: number;
  readonly metrics: LiftMeans;
  /** nDCG@10 against the first stage. */
  readonly difference: number;
  readonly relativeGain: number | null;
  readonly pValue: number;
  readonly adjustedPValue: number;
  readonly better: number;
  readonly worse: number;
  readonly same: number;
  readonly verdict: LiftVerdict;
  readonly latency?: LiftLatency;
  /** Absent where nothing was called at this depth: its order is part of that of a greater one. */
  readonly costs?: LiftCost;
  /** Queries that kept the first stage's order in this row, because ranking failed. */
  readonly failed: number;
}

export interface LiftResultLoss {
  readonly query: string;
  readonly text: string;
  /** nDCG@10. */
  readonly before: number;
  readonly after: number;
}

export interface RerankerResult {
  /** As it was asked for. */
  readonly name: string;
  readonly kind: string;
  readonly model: string;
  /** Whether each depth was run by itself ("list"), or the greatest alone ("document"). */
  readonly runs: "document" | "list";
  readonly verdict: LiftVerdict;
  readonly bestDepth: number;
  readonly chosenDepth: number;
  readonly depths: readonly LiftRow[];
  readonly losses: readonly LiftResultLoss[];
}

export interface LiftResult {
  readonly collection: string;
  readonly split?: string;
  readonly documents: number;
  readonly queries: number;
  readonly judgements: number;
  /** How many comparisons `adjustedPValue` is corrected for, by Holm's method. */
  readonly comparisons: number;
  readonly first: { readonly name: string; readonly metrics: LiftMeans; readonly latency?: LiftLatency };
  readonly ceilings: readonly LiftCeiling[];
  readonly rerankers: readonly RerankerResult[];
  /** The fastest of those that are worth it and as good as the best of them; null where none is. */
  readonly recommended: string | null;
}

export interface ReportInput {
  readonly collection: Pick<LiftResult, "collection" | "split" | "documents" | "judgements">;
  readonly first: FirstStage;
  readonly report: LiftReport;
  readonly contenders: readonly Contender[];
  /** One a contender. */
  readonly runs: readonly ContenderRun[];
  /** Texts of the queries by id. */
  readonly texts: ReadonlyMap<string, string>;
}

export function liftResult({ collection, first, report, contenders, runs, texts }: ReportInput): LiftResult {
  const { queries, comparisons, ceilings } = report;
  const { collection: name, split, documents, judgements } = collection;
  const rerankers = report.systems.map((system, i): RerankerResult => {
    const { reranker } = contenders[i]!;
    const run = runs[i]!;
    return {
      name: system.name,
      kind: reranker.name,
      model: reranker.model,
      runs: reranker.dependsOn ?? "list",
      verdict: system.verdict,
      bestDepth: system.bestDepth,
      chosenDepth: system.chosenDepth,
      depths: system.depths.map((row) => {
        const deepest = system.depths.at(-1)!.depth;
        const ranked = scoresDocuments(reranker) ? deepest : row.depth;
        return rowOf(row, run.get(row.depth)!, run.get(ranked)!.failed);
      }),
      losses: system.losses.map(({ queryId, before, after }) => {
        return { query: queryId, text: texts.get(queryId) ?? "", before, after };
      }),
    };
  });
  return {
    collection: name,
    ...(split === undefined ? {} : { split }),
    documents,
    queries,
    judgements,
    comparisons,
    first: { name: first.name, metrics: report.first, ...latencyOf(first.times) },
    ceilings,
    rerankers,
    recommended: recommended(report.systems, runs),
  };
}

/** The row of the chosen depth. */
export function chosenRow({ depths, chosenDepth }: RerankerResult): LiftRow {
  return depths.find(({ depth }) => depth === chosenDepth)!;
}

function rowOf(
  { depth, metrics, comparison, ...row }: LiftDepthReport,
  { calls, usage, times }: DepthRun,
  failed: number,
): LiftRow {
  const { difference, pValue, wins, losses, ties } = comparison;
  const { relativeGain, adjustedPValue, verdict } = row;
  const share = (count: number): number => count / calls;
  return {
    depth,
    metrics,
    difference,
    relativeGain,
    pValue,
    adjustedPValue,
    better: wins,
    worse: losses,
    same: ties,
    verdict,
    ...latencyOf(times),
    ...(calls === 0
      ? {}
      : {
          costs: {
            calls,
            inputTokens: share(usage.inputTokens),
            outputTokens: share(usage.outputTokens),
            searchUnits: share(usage.searchUnits),
            cost: share(usage.cost),
          },
        }),
    failed,
  };
}

function latencyOf(times: readonly number[]): { latency?: LiftLatency } {
  if (times.length === 0) return {};
  return { latency: { queries: times.length, p50: quantile(times, 0.5), p95: quantile(times, 0.95) } };
}

/** In the order of their mean times; without times, in their own order. */
function recommended(systems: readonly LiftSystemReport[], runs: readonly ContenderRun[]): string | null {
  const worth = systems
    .map((system, i) => ({ system, time: mean(runs[i]!.get(system.chosenDepth)!.times) }))
    .filter(({ system }) => system.verdict === "worth")
    .sort((a, b) => a.time - b.time);
  const values = worth.map(({ system }) => {
    return system.depths.find(({ depth }) => depth === system.chosenDepth)!.perQuery;
  });
  return values.length === 0 ? null : worth[firstAdequate(values)]!.system.name;
}
