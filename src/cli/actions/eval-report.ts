/** From runs and judgements to what is reported: means, comparisons with a baseline, times. */
import { MaxsimError } from "../../common/errors.js";
import type { Qrels } from "../../datasets/qrels.js";
import { runId } from "../../datasets/trec-run.js";
import { type Comparison, compareSystems } from "../../evaluation/compare.js";
import { type EvaluateOptions, type Evaluation, evaluate } from "../../evaluation/evaluate.js";
import { quantile } from "../../evaluation/quantile.js";
import type { Run } from "../../evaluation/types.js";
import type { Latency } from "./eval-systems.js";

/** Something that answered the queries: a way to search, or a run from elsewhere. */
export interface Candidate {
  readonly name: string;
  readonly run: Run;
  /** Path of the run: the one that was read, or written. */
  readonly file?: string;
  readonly latency?: Latency;
  readonly truncated?: number;
}

/** Milliseconds. */
export interface LatencySummary {
  readonly queries: number;
  readonly p50: number;
  readonly p95: number;
  /** Of encoding, which is in none of the others. */
  readonly encodeP50: number;
  readonly encodeP95: number;
}

export interface SystemReport {
  readonly name: string;
  readonly file?: string;
  /** Metric name to its mean. */
  readonly metrics: ReadonlyMap<string, number>;
  /** Metric name to the comparison with the baseline; absent for the baseline itself. */
  readonly comparisons?: ReadonlyMap<string, Comparison>;
  readonly latency?: LatencySummary;
  /** Judged queries that it does not answer, and answered ones that are not judged. */
  readonly missingQueries: number;
  readonly unjudgedQueries: number;
  readonly truncatedQueries: number;
  /** Metric name to query id to value. */
  readonly perQuery: Evaluation["perQuery"];
}

export interface ReportOptions {
  readonly metrics: readonly string[];
  readonly missing: NonNullable<EvaluateOptions["missing"]>;
  /** Name of a candidate. */
  readonly baseline: string;
}

/**
 * Evaluates every candidate and compares it with the baseline. Ids are compared as they stand in run files, where white space
 * is percent-encoded. Errors: INVALID_INPUT for a run that answers none of the judged queries.
 */
export function reportOn(
  candidates: readonly Candidate[],
  qrels: Qrels,
  { metrics, missing, baseline }: ReportOptions,
): SystemReport[] {
  const judgements = new Map(
    [...qrels].map(([id, grades]) => [
      runId(id),
      new Map([...grades].map(([d, grade]) => [runId(d), grade])),
    ]),
  );
  const evaluated = candidates.map((candidate) => {
    const evaluation = evaluate(encoded(candidate), judgements, metrics, { missing });
    if (evaluation.missingQueries === evaluation.judgedQueries) throw unrelated(candidate, judgements);
    return { candidate, evaluation };
  });
  const against = evaluated.find(({ candidate }) => candidate.name === baseline)?.evaluation;
  return evaluated.map(({ candidate, evaluation }): SystemReport => {
    const { name, file, latency, truncated = 0 } = candidate;
    const { means, missingQueries, unjudgedQueries, perQuery } = evaluation;
    const compared = against === undefined || name === baseline ? undefined : compare(against, evaluation);
    return {
      name,
      ...(file === undefined ? {} : { file }),
      metrics: means,
      ...(compared === undefined ? {} : { comparisons: compared }),
      ...(latency === undefined || latency.search.length === 0 ? {} : { latency: summaryOf(latency) }),
      missingQueries,
      unjudgedQueries,
      truncatedQueries: truncated,
      perQuery,
    };
  });
}

export function summaryOf({ encode, search }: Latency): LatencySummary {
  return {
    queries: search.length,
    p50: quantile(search, 0.5),
    p95: quantile(search, 0.95),
    encodeP50: quantile(encode, 0.5),
    encodeP95: quantile(encode, 0.95),
  };
}

/** By metric, over the queries that both have a value for: all but those that "skip" leaves out of one. */
function compare(a: Evaluation, b: Evaluation): ReadonlyMap<string, Comparison> | undefined {
  const comparisons = new Map<string, Comparison>();
  for (const [metric, values] of b.perQuery) {
    const others = a.perQuery.get(metric) ?? new Map<string, number>();
    const common = (from: ReadonlyMap<string, number>): Map<string, number> =>
      new Map([...from].filter(([id]) => others.has(id) && values.has(id)));
    const shared = common(values);
    if (shared.size === 0) return undefined;
    comparisons.set(metric, compareSystems(common(others), shared));
  }
  return comparisons;
}

/** A run that was read has its ids in this form already; encoding them again would spoil none of them, as they have no white space. */
function encoded({ run }: Candidate): Run {
  return new Map(
    [...run].map(([id, documents]) => [
      runId(id),
      documents.map((document) => ({ id: runId(document.id), score: document.score })),
    ]),
  );
}

function unrelated({ name, file = name, run }: Candidate, qrels: Qrels): MaxsimError {
  const [answered] = run.keys();
  const [judged] = qrels.keys();
  return new MaxsimError(
    "INVALID_INPUT",
    `${file} answers none of the ${qrels.size} judged queries: it has ${answered ?? "no query"}, judged is ${judged}`,
    { hint: "Run and judgements belong to different queries: name the right files." },
  );
}
