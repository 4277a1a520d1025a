/** Metrics of a whole run: one number a query, and the mean over the judged queries. */
import { checkOneOf, describe } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import {
  averagePrecision,
  type Grades,
  judged,
  ndcg,
  precision,
  recall,
  reciprocalRank,
  success,
} from "./metrics.js";
import { rankDocuments } from "./ranking.js";
import type { Qrels, Run } from "./types.js";

type MetricFunction = (ranking: readonly string[], grades: Grades, k: number) => number;

/** Names as they are shown, and the functions behind them. */
const METRICS: ReadonlyMap<string, MetricFunction> = new Map([
  ["nDCG", ndcg],
  ["MRR", reciprocalRank],
  ["Recall", recall],
  ["MAP", averagePrecision],
  ["Success", success],
  ["Judged", judged],
  ["Precision", precision],
]);

/** A metric with its cutoff, such as nDCG@10. */
export interface Metric {
  /** In the usual spelling. */
  readonly name: string;
  /** Ranks looked at; Infinity means all that were retrieved. */
  readonly k: number;
  readonly compute: MetricFunction;
}

/** What is reported when nothing else is asked for. */
export const DEFAULT_METRICS: readonly string[] = [
  "nDCG@10",
  "MRR@10",
  "Recall@10",
  "Recall@100",
  "MAP",
  "Success@5",
];

/**
 * Reads `nDCG@10`, `mrr@10`, `Recall@100`, `MAP`, `MAP@100`, `Success@5`, in any case. MAP and MRR may stand without a
 * cutoff, the others may not.
 *
 * @throws INVALID_ARGUMENT for anything else
 */
export function parseMetric(text: string): Metric {
  const match = /^([a-z]+)(?:@([1-9][0-9]{0,8}))?$/i.exec(text.trim());
  const name = [...METRICS.keys()].find((known) => known.toLowerCase() === match?.[1]?.toLowerCase());
  const compute = name === undefined ? undefined : METRICS.get(name);
  const cutoff = match?.[2];
  const needsCutoff = name !== "MAP" && name !== "MRR";
  if (name === undefined || compute === undefined || (cutoff === undefined && needsCutoff)) {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `a metric must be one of ${[...METRICS.keys()].join(", ")} with a cutoff, found ${describe(text)}`,
      { hint: "For example nDCG@10, MRR@10, Recall@100, Success@5, or MAP." },
    );
  }
  return cutoff === undefined
    ? { name, k: Number.POSITIVE_INFINITY, compute }
    : { name: `${name}@${cutoff}`, k: Number(cutoff), compute };
}

export interface EvaluateOptions {
  /**
   * What becomes of judged queries that the run does not answer: they count as 0 ("zero", the default, trec_eval -c), or are
   * left out of the means ("skip", trec_eval without -c).
   */
  readonly missing?: "zero" | "skip";
}

export interface Evaluation {
  /** Queries with judgements. */
  readonly judgedQueries: number;
  /** Judged queries that the run does not answer. */
  readonly missingQueries: number;
  /** Queries of the run without judgements; they do not count. */
  readonly unjudgedQueries: number;
  /** Metric name to its mean, in the order asked for. */
  readonly means: ReadonlyMap<string, number>;
  /** Metric name to query id to value, for comparing runs query by query. */
  readonly perQuery: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/**
 * Evaluates a run over every judged query, those without a relevant document included, with 0.
 *
 * @throws INVALID_ARGUMENT for an unknown metric, judgements of no query, or a broken ranking
 */
export function evaluate(
  run: Run,
  qrels: Qrels,
  metrics: readonly string[] = DEFAULT_METRICS,
  options: EvaluateOptions = {},
): Evaluation {
  if (qrels.size === 0) {
    throw new MaxsimError("INVALID_ARGUMENT", "the judgements must name at least one query, found none");
  }
  const skip = checkOneOf("missing", options.missing ?? "zero", ["zero", "skip"] as const) === "skip";
  const parsed = metrics.map(parseMetric);
  const perQuery = new Map(parsed.map(({ name }) => [name, new Map<string, number>()]));
  let missingQueries = 0;
  for (const [queryId, grades] of qrels) {
    const documents = run.get(queryId);
    if (documents === undefined) {
      missingQueries++;
      if (skip) continue;
    }
    const ranking = rankDocuments(queryId, documents ?? []);
    for (const { name, k, compute } of parsed) perQuery.get(name)?.set(queryId, compute(ranking, grades, k));
  }
  return {
    judgedQueries: qrels.size,
    missingQueries,
    unjudgedQueries: [...run.keys()].filter((id) => !qrels.has(id)).length,
    means: new Map([...perQuery].map(([name, values]) => [name, mean([...values.values()])])),
    perQuery,
  };
}

/** Arithmetic mean; 0 for no values. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
