/** Whether a reranker is worth it: what it adds to a first stage at each depth, and what the first stage lets it add at most. */
import { MaxsimError } from "../common/errors.js";
import { type CompareOptions, type Comparison, compareSystems } from "./compare.js";
import { mean, parseMetric } from "./evaluate.js";
import { type Rankings, withPerfectOrder } from "./lift-rankings.js";
import { firstAdequate, holm, SIGNIFICANCE } from "./lift-significance.js";
import type { Qrels } from "./types.js";

/** The metric that decides. */
export const LIFT_METRIC = "nDCG@10";
export const LIFT_METRICS: readonly string[] = [LIFT_METRIC, "Recall@10", "Precision@5"];
/** A smaller gain, relative to the first stage, is not worth another stage. */
export const MIN_GAIN = 0.02;

/**
 * "worth": at least 2 % better, and significantly so. "small": better by less. "unproven": better by at least 2 %, which may be
 * chance. "no-gain": not better. "worse": significantly worse. Significance is that of the corrected p value, below 0.05.
 */
export type LiftVerdict = "worth" | "small" | "unproven" | "no-gain" | "worse";

export interface LiftSystem {
  readonly name: string;
  /** By depth, ascending: whole rankings, of which the first `depth` documents were reranked. */
  readonly depths: ReadonlyMap<number, Rankings>;
}

export interface LiftInput {
  /** Queries without a ranking count as 0. */
  readonly qrels: Qrels;
  readonly first: Rankings;
  readonly systems: readonly LiftSystem[];
  /** Ascending. */
  readonly depths: readonly number[];
}

export interface LiftOptions extends CompareOptions {
  /** Queries to name that lost most. Default 5. */
  readonly losses?: number;
}

/** Metric name to its mean over all judged queries. */
export type LiftMeans = ReadonlyMap<string, number>;

export interface LiftCeiling {
  readonly depth: number;
  /** Share of the relevant documents that the first stage has among its first `depth`, mean over the queries. */
  readonly recall: number;
  /** Of a perfect order of these candidates. */
  readonly perfect: LiftMeans;
}

export interface LiftLoss {
  readonly queryId: string;
  /** nDCG@10 of the first stage, and with the reranker. */
  readonly before: number;
  readonly after: number;
}

export interface LiftDepthReport {
  readonly depth: number;
  readonly metrics: LiftMeans;
  /** nDCG@10 (B) against the first stage (A), by query. */
  readonly comparison: Comparison;
  /** The p value, corrected for all comparisons of the report (Holm). */
  readonly adjustedPValue: number;
  /** Difference divided by the first stage's value; null where that is 0. */
  readonly relativeGain: number | null;
  readonly verdict: LiftVerdict;
  /** nDCG@10 by query id. */
  readonly perQuery: ReadonlyMap<string, number>;
}

export interface LiftSystemReport {
  readonly name: string;
  readonly depths: readonly LiftDepthReport[];
  /** With the highest nDCG@10; of equals the smallest. */
  readonly bestDepth: number;
  /** The smallest that is as good: same verdict, at most 1 % lower, not significantly worse. */
  readonly chosenDepth: number;
  /** At the chosen depth. */
  readonly verdict: LiftVerdict;
  /** At the chosen depth, the largest first. */
  readonly losses: readonly LiftLoss[];
}

export interface LiftReport {
  readonly queries: number;
  /** How many comparisons the p values are corrected for. */
  readonly comparisons: number;
  readonly first: LiftMeans;
  readonly ceilings: readonly LiftCeiling[];
  readonly systems: readonly LiftSystemReport[];
}

const DEFAULT_LOSSES = 5;

/**
 * Compares every reranker at every depth with the first stage.
 *
 * @throws INVALID_ARGUMENT for judgements of no query, or a reranker without a depth
 */
export function measureLift(input: LiftInput, options: LiftOptions = {}): LiftReport {
  const { qrels, first, systems, depths } = input;
  const before = evaluateRankings(first, qrels);
  const values = before.get(LIFT_METRIC)!;
  const measured = systems.map((system) => ({ system, rows: measureDepths(system, qrels, values, options) }));
  const adjusted = holm(measured.flatMap(({ rows }) => rows.map(({ comparison }) => comparison.pValue)));
  let at = 0;
  return {
    queries: qrels.size,
    comparisons: adjusted.length,
    first: meansOf(before),
    ceilings: depths.map((depth) => ceilingOf(first, qrels, depth)),
    systems: measured.map(({ system, rows }) => {
      const judged = rows.map((row): LiftDepthReport => {
        const adjustedPValue = adjusted[at++]!;
        return { ...row, adjustedPValue, verdict: verdictOf(row.comparison, adjustedPValue) };
      });
      return summaryOf(system.name, judged, values, options);
    }),
  };
}

type Values = ReadonlyMap<string, number>;

function measureDepths(
  { name, depths }: LiftSystem,
  qrels: Qrels,
  before: Values,
  options: LiftOptions,
): Array<Omit<LiftDepthReport, "adjustedPValue" | "verdict">> {
  if (depths.size === 0) {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `the reranker ${name} must have been run at one depth at least`,
    );
  }
  return [...depths].map(([depth, rankings]) => {
    const after = evaluateRankings(rankings, qrels);
    const perQuery = after.get(LIFT_METRIC)!;
    const comparison = compareSystems(before, perQuery, options);
    const { difference, meanA } = comparison;
    const relativeGain = meanA === 0 ? null : difference / meanA;
    return { depth, metrics: meansOf(after), comparison, relativeGain, perQuery };
  });
}

function summaryOf(
  name: string,
  depths: readonly LiftDepthReport[],
  before: Values,
  options: LiftOptions,
): LiftSystemReport {
  const top = Math.max(...depths.map(({ comparison }) => comparison.meanB));
  const best = depths.find(({ comparison }) => comparison.meanB === top)!;
  const similar = depths.filter(({ depth, verdict }) => depth <= best.depth && verdict === best.verdict);
  const place = firstAdequate(
    similar.map(({ perQuery }) => perQuery),
    options,
  );
  const { depth: chosenDepth, verdict, perQuery } = similar[place]!;
  const losses = lossesOf(before, perQuery).slice(0, options.losses ?? DEFAULT_LOSSES);
  return { name, depths, bestDepth: best.depth, chosenDepth, verdict, losses };
}

function verdictOf({ difference, meanA }: Comparison, pValue: number): LiftVerdict {
  const significant = pValue < SIGNIFICANCE;
  if (difference <= 0) return significant && difference < 0 ? "worse" : "no-gain";
  if (difference < MIN_GAIN * meanA) return "small";
  return significant ? "worth" : "unproven";
}

function lossesOf(before: Values, after: Values): LiftLoss[] {
  return [...before]
    .map(([queryId, value]): LiftLoss => ({ queryId, before: value, after: after.get(queryId) ?? 0 }))
    .filter((loss) => loss.after < loss.before)
    .sort((a, b) => a.after - a.before - (b.after - b.before) || (a.queryId < b.queryId ? -1 : 1));
}

function ceilingOf(first: Rankings, qrels: Qrels, depth: number): LiftCeiling {
  const perfect = new Map(
    [...first].map(([id, ranking]) => [id, withPerfectOrder(ranking, qrels.get(id) ?? new Map(), depth)]),
  );
  const recall = evaluateRankings(first, qrels, [`Recall@${depth}`]);
  return {
    depth,
    recall: mean([...recall.values()].flatMap((values) => [...values.values()])),
    perfect: meansOf(evaluateRankings(perfect, qrels)),
  };
}

/** Metric name to query id to value, for every judged query. */
function evaluateRankings(
  rankings: Rankings,
  qrels: Qrels,
  metrics: readonly string[] = LIFT_METRICS,
): ReadonlyMap<string, Values> {
  return new Map(
    metrics.map(parseMetric).map(({ name, k, compute }) => {
      const values = [...qrels].map(
        ([id, grades]) => [id, compute(rankings.get(id) ?? [], grades, k)] as const,
      );
      return [name, new Map(values)];
    }),
  );
}

function meansOf(values: ReadonlyMap<string, Values>): LiftMeans {
  return new Map([...values].map(([name, perQuery]) => [name, mean([...perQuery.values()])]));
}
