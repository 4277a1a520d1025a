/** How far two orders of the same candidates agree. */
import { mean } from "../evaluation/evaluate.js";
import { ndcg } from "../evaluation/metrics.js";
import type { Ranking } from "./journal.js";
import type { RankedQuery } from "./rank-queries.js";

/** Ranks that nDCG looks at. */
const NDCG_DEPTH = 10;

export interface OrderAgreement {
  /** Queries with at least two candidates. */
  readonly queries: number;
  /** Mean of Kendall's tau-b over the queries that have one: -1 reversed, 0 unrelated, 1 the same. */
  readonly kendallTau: number;
  /** Share of the queries whose best candidates differ. */
  readonly bestDiffers: number;
}

export interface FirstStageAgreement extends OrderAgreement {
  /** Mean nDCG@10 of the first stage's order with the teacher's grades as gains. */
  readonly ndcg: number;
}

/** Where the documents stand that made queries come from. */
export interface SourceAgreement {
  /** Queries that were made from a document. */
  readonly queries: number;
  /** Shares of them: whose document is among the candidates, ranked first by the first stage, and by the teacher. */
  readonly found: number;
  readonly firstStageFirst: number;
  readonly teacherFirst: number;
  /** Mean of 1 / rank, 0 where it was not found. */
  readonly firstStageReciprocalRank: number;
  readonly teacherReciprocalRank: number;
}

/**
 * Kendall's tau-b (Kendall, 1945): concordant minus discordant pairs, divided by the geometric mean of the numbers of pairs that are
 * no ties in `a`, and in `b`. Undefined where one of them has ties only. Values of the same items, higher is better.
 */
export function kendallTau(a: readonly number[], b: readonly number[]): number | undefined {
  let difference = 0;
  let untiedA = 0;
  let untiedB = 0;
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const signA = Math.sign(a[i]! - a[j]!);
      const signB = Math.sign(b[i]! - b[j]!);
      difference += signA * signB;
      untiedA += Math.abs(signA);
      untiedB += Math.abs(signB);
    }
  }
  return untiedA === 0 || untiedB === 0 ? undefined : difference / Math.sqrt(untiedA * untiedB);
}

/** @param gradeOf makes grades of 0 to 1 of scores as `valuesOf` gives them */
export function compareWithFirstStage(
  queries: readonly RankedQuery[],
  valuesOf: (ranking: Ranking) => readonly number[],
  gradeOf: (value: number) => number,
): FirstStageAgreement {
  const rankings = queries.flatMap(({ rankings: [ranking] }) => decided(ranking));
  const ndcgs = rankings.map((ranking) => {
    const ids = ranking.candidates.map((_, at) => String(at));
    const grades = new Map(valuesOf(ranking).map((value, at) => [String(at), gradeOf(value)]));
    return ndcg(ids, grades, NDCG_DEPTH);
  });
  return {
    ...agreement(rankings.map((ranking) => [firstStage(ranking), valuesOf(ranking), ranking.order[0] !== 0])),
    ndcg: mean(ndcgs),
  };
}

export function compareTeachers(
  queries: readonly RankedQuery[],
  valuesOf: readonly [(ranking: Ranking) => readonly number[], (ranking: Ranking) => readonly number[]],
): OrderAgreement {
  const pairs = queries.flatMap(({ rankings: [first, second] }) => {
    return first === undefined || second === undefined || first.order.length < 2 ? [] : [{ first, second }];
  });
  return agreement(
    pairs.map(({ first, second }) => {
      return [valuesOf[0](first), valuesOf[1](second), first.order[0] !== second.order[0]];
    }),
  );
}

/** Undefined where no query was made from a document. */
export function compareWithSources(queries: readonly RankedQuery[]): SourceAgreement | undefined {
  const places = queries.flatMap(({ query, rankings: [ranking] }) => {
    if (query.sources === undefined || ranking === undefined) return [];
    const sources = new Set(query.sources);
    const isSource = (at: number): boolean => sources.has(ranking.candidates[at]!.documentId);
    const first = Array.from(ranking.candidates.keys()).findIndex(isSource);
    return [{ first, teacher: ranking.order.findIndex(isSource) }];
  });
  if (places.length === 0) return undefined;
  const share = (test: (place: (typeof places)[number]) => boolean): number => {
    return places.filter(test).length / places.length;
  };
  const reciprocal = (rank: number): number => (rank < 0 ? 0 : 1 / (rank + 1));
  return {
    queries: places.length,
    found: share(({ first }) => first >= 0),
    firstStageFirst: share(({ first }) => first === 0),
    teacherFirst: share(({ teacher }) => teacher === 0),
    firstStageReciprocalRank: mean(places.map(({ first }) => reciprocal(first))),
    teacherReciprocalRank: mean(places.map(({ teacher }) => reciprocal(teacher))),
  };
}

type Pair = readonly [a: readonly number[], b: readonly number[], bestDiffers: boolean];

function agreement(pairs: readonly Pair[]): OrderAgreement {
  const taus = pairs.flatMap(([a, b]) => kendallTau(a, b) ?? []);
  return {
    queries: pairs.length,
    kendallTau: mean(taus),
    bestDiffers: pairs.length === 0 ? 0 : pairs.filter(([, , differs]) => differs).length / pairs.length,
  };
}

function decided(ranking: Ranking | undefined): Ranking[] {
  return ranking === undefined || ranking.order.length < 2 ? [] : [ranking];
}

/** Candidates are in the order of the first stage: the earlier, the higher. */
function firstStage({ candidates }: Ranking): number[] {
  return candidates.map((_, at) => -at);
}
