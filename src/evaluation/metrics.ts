/**
 * Metrics of one ranking against the judgements of its query, as trec_eval defines them. A grade above 0 is relevant;
 * negative grades count as 0. Documents that were not judged are not relevant.
 */

/** Grades of the judged documents of one query. */
export type Grades = ReadonlyMap<string, number>;

/**
 * Normalized discounted cumulative gain: sum of grade / log2(rank + 1) over the first k ranks, divided by the same
 * sum of the best possible ranking (Järvelin and Kekäläinen; the gain is the grade itself, not 2^grade - 1).
 */
export function ndcg(ranking: readonly string[], grades: Grades, k: number): number {
  const ideal = [...grades.values()].filter((grade) => grade > 0).sort((a, b) => b - a);
  const best = discountedGain(ideal, k);
  if (best === 0) return 0;
  const gains = ranking.slice(0, k).map((id) => Math.max(grades.get(id) ?? 0, 0));
  return discountedGain(gains, k) / best;
}

function discountedGain(gains: readonly number[], k: number): number {
  let sum = 0;
  for (let i = 0; i < Math.min(k, gains.length); i++) sum += gains[i]! / Math.log2(i + 2);
  return sum;
}

/** 1 / rank of the first relevant document, 0 when there is none within the first k ranks. */
export function reciprocalRank(ranking: readonly string[], grades: Grades, k: number): number {
  const first = ranking.slice(0, k).findIndex((id) => isRelevant(id, grades));
  return first < 0 ? 0 : 1 / (first + 1);
}

/** Share of the relevant documents that the first k ranks hold; 0 when none is relevant. */
export function recall(ranking: readonly string[], grades: Grades, k: number): number {
  const relevant = countRelevant(grades);
  return relevant === 0 ? 0 : hitsWithin(ranking, grades, k) / relevant;
}

/** Share of the first k ranks that hold a relevant document; ranks that nothing was retrieved for count as well. */
export function precision(ranking: readonly string[], grades: Grades, k: number): number {
  const ranks = Number.isFinite(k) ? k : ranking.length;
  return ranks === 0 ? 0 : hitsWithin(ranking, grades, k) / ranks;
}

/** 1 when one of the first k documents is relevant, else 0. */
export function success(ranking: readonly string[], grades: Grades, k: number): number {
  return hitsWithin(ranking, grades, k) > 0 ? 1 : 0;
}

/** Mean over the relevant documents of the precision at their rank; those beyond rank k or not retrieved give 0. */
export function averagePrecision(ranking: readonly string[], grades: Grades, k: number): number {
  const relevant = countRelevant(grades);
  if (relevant === 0) return 0;
  let hits = 0;
  let sum = 0;
  for (let i = 0; i < Math.min(k, ranking.length); i++) {
    if (!isRelevant(ranking[i]!, grades)) continue;
    hits++;
    sum += hits / (i + 1);
  }
  return sum / relevant;
}

/** Share of the first k documents that were judged at all, whatever their grade; 1 when nothing was retrieved. */
export function judged(ranking: readonly string[], grades: Grades, k: number): number {
  const first = ranking.slice(0, k);
  return first.length === 0 ? 1 : first.filter((id) => grades.has(id)).length / first.length;
}

function isRelevant(id: string, grades: Grades): boolean {
  return (grades.get(id) ?? 0) > 0;
}

function countRelevant(grades: Grades): number {
  let count = 0;
  for (const grade of grades.values()) if (grade > 0) count++;
  return count;
}

function hitsWithin(ranking: readonly string[], grades: Grades, k: number): number {
  return ranking.slice(0, k).filter((id) => isRelevant(id, grades)).length;
}
