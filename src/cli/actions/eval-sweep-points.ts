/** The points of a sweep: what a combination of parameters means, and what it measures. */
import { MaxsimError } from "../../common/errors.js";
import type { Index } from "../../engine/index.js";
import type { SearchOptions } from "../../engine/options.js";
import { evaluate, parseMetric } from "../../evaluation/evaluate.js";
import { frontier } from "../../evaluation/frontier.js";
import { formatPoint, type GridPoint } from "../../evaluation/grid.js";
import { overlapAt } from "../../evaluation/overlap.js";
import type { Run } from "../../evaluation/types.js";
import type { EvalCollection } from "./eval-collection.js";
import { type LatencySummary, summaryOf } from "./eval-report.js";
import { type AnswerOptions, answerQueries, measureLatency, type System } from "./eval-systems.js";

/** Share of the first 10 documents of the exhaustive search that are among the first 10. */
export const EXACT = "Exact@10";

export interface SweepPoint {
  /** What the points of one grid have in common, such as "late: nprobe, refine". */
  readonly series: string;
  /** Such as "nprobe=4 refine=128". */
  readonly label: string;
  readonly parameters: GridPoint;
  readonly metrics: ReadonlyMap<string, number>;
  readonly latency: LatencySummary;
  /** Whether every faster point has a lower value of the metric. */
  readonly best: boolean;
}

export interface SweepResult {
  readonly collection: string;
  readonly split?: string;
  readonly documents: number;
  readonly queries: number;
  /** Documents that each search was asked for. */
  readonly k: number;
  /** What is drawn. */
  readonly metric: string;
  readonly points: readonly SweepPoint[];
}

/** A combination that is to be measured. */
export interface Trial {
  readonly series: string;
  readonly point: GridPoint;
  readonly system: System;
}

/** Metrics that 10 documents are enough for. */
const METRICS = ["nDCG@10", "MRR@10", "Recall@10", "Success@5"];
const LEAST_K = 10;
const UNBOUNDED_K = 100;

/** The name of the series that a grid makes. */
export function seriesName(points: readonly GridPoint[]): string {
  const modes = new Set(points.map(({ mode = "late" }) => mode));
  const names = Object.keys(points[0] ?? {}).filter((name) => name !== "mode" || modes.size > 1);
  const [mode] = modes;
  const head = modes.size > 1 ? "modes" : String(mode);
  return names.length === 0 ? head : `${head}: ${names.join(", ")}`;
}

/** Parameters that only the pruned plan has. */
const PRUNED: ReadonlySet<string> = new Set(["nprobe", "approximate", "refine", "margin", "router"]);

/**
 * The search that a combination stands for. Where it sets a parameter of the pruned plan, this plan is taken also on a corpus so
 * small that everything would be scored otherwise. Errors: INVALID_ARGUMENT for parameters that do not go together.
 */
export function searchOptionsOf(point: GridPoint): SearchOptions {
  const { nbits: _nbits, method, alpha, depth, ...rest } = point;
  const fusion = { ...defined("method", method), ...defined("alpha", alpha), ...defined("depth", depth) };
  const fused = Object.keys(fusion);
  if (fused.length > 0 && point.mode !== "hybrid") {
    throw new MaxsimError("INVALID_ARGUMENT", `the grid sets ${fused.join(" and ")} without mode=hybrid`, {
      hint: "For example: --grid 'mode=hybrid;alpha=0.2,0.5,0.8'",
    });
  }
  const pruned = Object.keys(rest).some((name) => PRUNED.has(name));
  const plan =
    pruned && rest.exhaustiveTokens === undefined && rest.effort !== "exact" ? { exhaustiveTokens: 0 } : {};
  // The grid has checked names and values.
  return { ...plan, ...rest, ...(fused.length === 0 ? {} : { fusion }) } as SearchOptions;
}

function defined(name: string, value: string | number | undefined): Record<string, string | number> {
  return value === undefined ? {} : { [name]: value };
}

/** Measures all trials: their answers one after the other, their times in turns. Errors: those of Index.search. */
export async function measureTrials(
  trials: readonly Trial[],
  { queries, qrels }: EvalCollection,
  options: { readonly metric: string; readonly latency: number; readonly onNote: (note: string) => void },
  work: AnswerOptions,
): Promise<{ k: number; points: SweepPoint[] }> {
  const { metric, latency, onNote } = options;
  const k = depthOf(metric);
  const exact = new Map<Index, Run>();
  for (const { index } of trials.map(({ system }) => system)) {
    if (exact.has(index)) continue;
    const system: System = { name: "exact", index, options: { effort: "exact" } };
    exact.set(index, (await answerQueries(system, queries, LEAST_K, work)).run);
  }
  const metrics = [...new Set([...(metric === EXACT ? [] : [metric]), ...METRICS])];
  const means: Array<Map<string, number>> = [];
  for (const [t, { system }] of trials.entries()) {
    const { run, notes } = await answerQueries(system, queries, k, {
      ...work,
      onProgress: (event) => {
        const done = t * queries.length + event.done;
        work.onProgress({ ...event, done, total: trials.length * queries.length });
      },
    });
    for (const note of notes) onNote(`${system.name}: ${note}`);
    const found = new Map(evaluate(run, qrels, metrics).means);
    means.push(found.set(EXACT, overlapAt(LEAST_K, exact.get(system.index) ?? new Map(), run)));
  }
  const timed = queries.slice(0, latency);
  const systems = trials.map(({ system }) => system);
  const latencies = (await measureLatency(systems, timed, work, k)).map(summaryOf);
  const best = new Set(
    frontier(latencies.map(({ p50 }, t) => ({ cost: p50, value: means[t]?.get(metric) ?? 0 }))),
  );
  const points = trials.map(({ series, point }, t): SweepPoint => {
    const label = formatPoint(point);
    const measured = { metrics: means[t]!, latency: latencies[t]!, best: best.has(t) };
    return { series, label, parameters: point, ...measured };
  });
  return { k, points };
}

/** As many documents as the metric looks at: quality and time are those of the same search. */
function depthOf(metric: string): number {
  if (metric === EXACT) return LEAST_K;
  const { k } = parseMetric(metric);
  return Number.isFinite(k) ? Math.max(LEAST_K, k) : UNBOUNDED_K;
}
