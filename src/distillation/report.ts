/** What a distillation says about its training data. The same rankings give the same report, whatever interrupted the run. */
import { quantile } from "../evaluation/quantile.js";
import type { Reranker, RerankUsage } from "../rerank/types.js";
import { addUsage, NO_USAGE } from "../rerank/usage.js";
import {
  compareTeachers,
  compareWithFirstStage,
  compareWithSources,
  type FirstStageAgreement,
  type OrderAgreement,
  type SourceAgreement,
} from "./agreement.js";
import { type Example, type Examples, gradedCandidates } from "./examples.js";
import type { Ranking } from "./journal.js";
import type { RankedQuery } from "./rank-queries.js";
import type { WrittenFile } from "./training-files.js";

/** Quantiles of some scores; absent where there are none. */
export interface Distribution {
  readonly count: number;
  readonly min: number;
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
  readonly max: number;
  readonly mean: number;
}

export interface TeacherInfo {
  readonly name: string;
  readonly model: string;
  readonly fingerprint: string;
}

export interface DistillReport {
  readonly index: { readonly folder: string; readonly generation: number; readonly documents: number };
  readonly teacher: TeacherInfo;
  readonly secondTeacher?: TeacherInfo;
  readonly settings: {
    readonly queries: "given" | "made";
    readonly mode: string;
    readonly depth: number;
    readonly negatives: number;
    readonly minMargin: number;
    readonly seed: number;
  };
  readonly queries: {
    /** Distinct ones. */
    readonly asked: number;
    /** That the teacher has ranked. */
    readonly ranked: number;
    /** Left out because the teacher failed. */
    readonly failed: number;
    /** Ranked with a warning, such as of documents that were cut. */
    readonly warned: number;
    /** Left out because less than two candidates were found, or all have the same score. */
    readonly undecided: number;
    /** Queries with a pair. */
    readonly used: number;
    /** Of them: without a negative, because none is far enough below the positive. */
    readonly withoutNegatives: number;
  };
  readonly pairs: number;
  readonly triplets: number;
  /** Rows of "kd", documents of each, and queries that have less candidates than that. Absent without that format. */
  readonly kd?: { readonly rows: number; readonly ways: number; readonly tooShort: number };
  /** What grades are made of: the teacher's scores as they are, scaled to 0 .. 1, or the order alone. */
  readonly grades: "scores" | "scaled" | "order";
  /** The teacher's scores of all candidates, the positives, the negatives, and how far negatives are below positives. */
  readonly scores: {
    readonly all?: Distribution;
    readonly positives?: Distribution;
    readonly negatives?: Distribution;
    readonly margins?: Distribution;
  };
  readonly firstStage: FirstStageAgreement;
  readonly teachers?: OrderAgreement;
  readonly sources?: SourceAgreement;
  /** Of all rankings that are used, whenever they were made; the second teacher's apart. */
  readonly usage: RerankUsage;
  readonly secondUsage?: RerankUsage;
  readonly files: readonly WrittenFile[];
}

/** Scores of a teacher as grades from 0 to 1. */
export interface Grading {
  readonly kind: DistillReport["grades"];
  readonly gradeOf: (score: number) => number;
}

/** Scores that lie within 0 and 1 are grades; others are scaled, the lowest of all to 0 and the highest to 1. */
export function gradingOf(examples: readonly Example[], byOrder: boolean): Grading {
  if (byOrder) return { kind: "order", gradeOf: (score) => score };
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const { ranked } of examples) {
    for (const { score } of ranked) {
      lowest = Math.min(lowest, score);
      highest = Math.max(highest, score);
    }
  }
  if (lowest >= 0 && highest <= 1) return { kind: "scores", gradeOf: (score) => score };
  const range = highest - lowest;
  // Scores of undecided queries may lie outside.
  const gradeOf = (score: number): number =>
    range > 0 ? Math.min(1, Math.max(0, (score - lowest) / range)) : 0;
  return { kind: "scaled", gradeOf };
}

/**
 * Whether the scores of a teacher say no more than its order: those of a chain come from several stages, whose scales are not the same.
 */
export function hasOrderOnly({ name }: Reranker): boolean {
  return name === "chain";
}

export interface ReportInput
  extends Pick<DistillReport, "index" | "teacher" | "secondTeacher" | "settings" | "kd" | "files"> {
  readonly ranked: readonly RankedQuery[];
  readonly chosen: Examples;
  readonly grading: Grading;
  /** Of the second teacher. */
  readonly secondByOrder: boolean;
}

export function makeReport(input: ReportInput): DistillReport {
  const { ranked, chosen, grading, secondByOrder } = input;
  const { index, teacher, secondTeacher, settings, kd, files } = input;
  const { examples, undecided } = chosen;
  const answered = ranked.filter(({ rankings: [ranking] }) => ranking !== undefined).length;
  const values = valuesOf(grading.kind === "order");
  const sources = compareWithSources(ranked);
  const margins = examples.flatMap(({ positive, negatives }) =>
    negatives.map(({ score }) => positive.score - score),
  );
  return {
    index,
    teacher,
    ...(secondTeacher === undefined ? {} : { secondTeacher }),
    settings,
    queries: {
      asked: ranked.length,
      ranked: answered,
      failed: ranked.length - answered,
      warned: ranked.filter(({ rankings: [ranking] }) => (ranking?.warnings.length ?? 0) > 0).length,
      undecided,
      used: examples.length,
      withoutNegatives: examples.filter(({ negatives }) => negatives.length === 0).length,
    },
    pairs: examples.length,
    triplets: margins.length,
    ...(kd === undefined ? {} : { kd }),
    grades: grading.kind,
    scores: {
      ...distribution(
        "all",
        examples.flatMap(({ ranked: list }) => list.map(({ score }) => score)),
      ),
      ...distribution(
        "positives",
        examples.map(({ positive }) => positive.score),
      ),
      ...distribution(
        "negatives",
        examples.flatMap(({ negatives }) => negatives.map(({ score }) => score)),
      ),
      ...distribution("margins", margins),
    },
    firstStage: compareWithFirstStage(ranked, values, grading.gradeOf),
    ...(secondTeacher === undefined
      ? {}
      : { teachers: compareTeachers(ranked, [values, valuesOf(secondByOrder)]) }),
    ...(sources === undefined ? {} : { sources }),
    usage: usageOf(ranked, 0),
    ...(secondTeacher === undefined ? {} : { secondUsage: usageOf(ranked, 1) }),
    files,
  };
}

/** Scores by candidate, or what the order makes of them. */
function valuesOf(byOrder: boolean): (ranking: Ranking) => readonly number[] {
  if (!byOrder) return ({ scores }) => scores;
  return (ranking) => {
    const values = new Array<number>(ranking.order.length);
    gradedCandidates(ranking, true).forEach(({ score }, rank) => {
      values[ranking.order[rank]!] = score;
    });
    return values;
  };
}

function usageOf(ranked: readonly RankedQuery[], teacher: number): RerankUsage {
  return ranked.reduce((sum, { rankings }) => addUsage(sum, rankings[teacher]?.usage ?? {}), NO_USAGE);
}

function distribution<Name extends string>(
  name: Name,
  scores: readonly number[],
): Partial<Record<Name, Distribution>> {
  if (scores.length === 0) return {};
  const found: Distribution = {
    count: scores.length,
    min: quantile(scores, 0),
    p25: quantile(scores, 0.25),
    median: quantile(scores, 0.5),
    p75: quantile(scores, 0.75),
    max: quantile(scores, 1),
    mean: scores.reduce((sum, score) => sum + score, 0) / scores.length,
  };
  return { [name]: found } as Partial<Record<Name, Distribution>>;
}
