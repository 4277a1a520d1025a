/** Rankings to examples: which candidates are the positive and the negatives of a query. */
import { createHash } from "node:crypto";
import { Random } from "../common/random.js";
import type { Ranking } from "./journal.js";
import type { RankedQuery } from "./rank-queries.js";
import type { PassagePlace } from "./training-texts.js";
import type { DistillQuery } from "./types.js";

export interface GradedCandidate extends PassagePlace {
  /** The teacher's. */
  readonly score: number;
}

export interface Example {
  readonly query: DistillQuery;
  /** The teacher's best first; at least two, not all with the same score. */
  readonly ranked: readonly GradedCandidate[];
  /** `ranked[0]`. */
  readonly positive: GradedCandidate;
  /** In the teacher's order; a seeded sample of those far enough below the positive. */
  readonly negatives: readonly GradedCandidate[];
}

export interface ExampleOptions {
  /** At most. */
  readonly negatives: number;
  readonly minMargin: number;
  readonly seed: number;
  /** Grades by the order alone: for teachers whose scores cannot be compared with one another. */
  readonly byOrder: boolean;
}

export interface Examples {
  readonly examples: readonly Example[];
  /** Queries with less than two candidates, or whose candidates all have the same score. */
  readonly undecided: number;
}

/** Examples of the queries that the first teacher has ranked, in their order. */
export function chooseExamples(queries: readonly RankedQuery[], options: ExampleOptions): Examples {
  const examples: Example[] = [];
  let undecided = 0;
  for (const { query, rankings } of queries) {
    const [ranking] = rankings;
    if (ranking === undefined) continue;
    const ranked = gradedCandidates(ranking, options.byOrder);
    const [positive, ...rest] = ranked;
    const lowest = ranked.reduce((least, { score }) => Math.min(least, score), Number.POSITIVE_INFINITY);
    if (positive === undefined || lowest === positive.score) {
      undecided++;
      continue;
    }
    const sources = new Set(query.sources);
    const clear = rest.filter(({ documentId, score }) => {
      return !sources.has(documentId) && isClearlyBelow(score, positive.score, lowest, options.minMargin);
    });
    const negatives = sampleInOrder(clear, options.negatives, seedOf(options.seed, query.id));
    examples.push({ query, ranked, positive, negatives });
  }
  return { examples, undecided };
}

/** The candidates, best first, with the teacher's scores, or with (n - rank) / n for ranks from 0. */
export function gradedCandidates(
  { candidates, scores, order }: Ranking,
  byOrder: boolean,
): GradedCandidate[] {
  return order.map((at, rank) => {
    return { ...candidates[at]!, score: byOrder ? (order.length - rank) / order.length : scores[at]! };
  });
}

/**
 * Whether a score is at most (1 - margin) of the positive's, both counted from 0, or from the lowest score where that is negative;
 * the bound of NV-Retriever (Moreira and others, 2024), which filters false negatives at 95 % of the positive.
 */
export function isClearlyBelow(score: number, positive: number, lowest: number, margin: number): boolean {
  const zero = Math.min(0, lowest);
  return score < positive && score - zero <= (1 - margin) * (positive - zero);
}

/**
 * Rows of "kd" have `ways` documents: the positive and a seeded sample of the others, best first. Undefined where there are not as
 * many.
 */
export function listOf(
  { query, ranked }: Example,
  ways: number,
  seed: number,
): GradedCandidate[] | undefined {
  const [positive, ...rest] = ranked;
  if (positive === undefined || ranked.length < ways) return undefined;
  return [positive, ...sampleInOrder(rest, ways - 1, seedOf(seed, query.id))];
}

/** The most documents that nine of ten examples have, at most `wanted`. 0 without examples. */
export function commonWays(examples: readonly Example[], wanted: number): number {
  const counts = examples.map(({ ranked }) => ranked.length).sort((a, b) => a - b);
  return Math.min(wanted, counts[Math.floor(counts.length / 10)] ?? 0);
}

function sampleInOrder<T>(items: readonly T[], count: number, seed: number): T[] {
  return Array.from(new Random(seed).sample(count, items.length), (i) => items[i]!);
}

/** Of each query by itself, so that what one has does not depend on which others there are. */
function seedOf(seed: number, queryId: string): number {
  return createHash("sha256").update(`${seed} ${queryId}`).digest().readInt32LE(0);
}
