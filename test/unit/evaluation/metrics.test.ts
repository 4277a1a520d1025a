import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  averagePrecision,
  judged,
  ndcg,
  precision,
  recall,
  reciprocalRank,
  success,
} from "../../../src/evaluation/metrics.js";

// d1 has grade 3, d2 grade 2, d3 grade 1, d4 is judged not relevant, d5 negatively; d9 is relevant and not retrieved.
const grades = new Map([
  ["d1", 3],
  ["d2", 2],
  ["d3", 1],
  ["d4", 0],
  ["d5", -1],
  ["d9", 2],
]);
const ranking = ["d4", "d2", "x", "d1", "d5", "d3"];

describe("ndcg", () => {
  it("takes the grade as the gain and log2(rank + 1) as the discount", () => {
    // DCG: 2/log2(3) + 3/log2(5) + 1/log2(7); ideal 3, 2, 2, 1: 3/1 + 2/log2(3) + 2/2 + 1/log2(5).
    const gain = 2 / 1.584962500721156 + 3 / 2.321928094887362 + 1 / 2.807354922057604;
    const ideal = 3 + 2 / 1.584962500721156 + 1 + 1 / 2.321928094887362;
    expect(ndcg(ranking, grades, 10)).toBeCloseTo(gain / ideal, 12);
    expect(ndcg(ranking, grades, 10)).toBeCloseTo(0.51121, 5);
  });

  it("cuts the ranking and the ideal at k", () => {
    const ideal = 3 + 2 / 1.584962500721156;
    expect(ndcg(ranking, grades, 2)).toBeCloseTo(2 / 1.584962500721156 / ideal, 12);
    expect(ndcg(ranking, grades, 1)).toBe(0);
  });

  it("is 1 for the best ranking and 0 when nothing is relevant", () => {
    expect(ndcg(["d1", "d9", "d2", "d3"], grades, 10)).toBeCloseTo(1, 12);
    expect(ndcg(["d2", "d1"], new Map([["d2", 0]]), 10)).toBe(0);
    expect(ndcg([], grades, 10)).toBe(0);
  });

  it("counts a negative grade as 0, not as a loss", () => {
    expect(ndcg(["d5", "d1"], grades, 2)).toBe(ndcg(["x", "d1"], grades, 2));
  });
});

describe("metrics of relevance", () => {
  it("finds the first relevant document within the cutoff", () => {
    expect(reciprocalRank(ranking, grades, 10)).toBe(1 / 2);
    expect(reciprocalRank(ranking, grades, 1)).toBe(0);
    expect(reciprocalRank(["x"], grades, 10)).toBe(0);
  });

  it("divides precision by the ranks, whether or not they are filled", () => {
    expect(precision(ranking, grades, 5)).toBe(2 / 5);
    expect(precision(ranking, grades, 10)).toBe(3 / 10);
    expect(precision([], grades, 5)).toBe(0);
  });

  it("divides recall by all relevant documents", () => {
    expect(recall(ranking, grades, 10)).toBe(3 / 4);
    expect(recall(ranking, grades, 4)).toBe(2 / 4);
    expect(recall(ranking, new Map([["d4", 0]]), 4)).toBe(0);
  });

  it("tells success", () => {
    expect(success(ranking, grades, 1)).toBe(0);
    expect(success(ranking, grades, 2)).toBe(1);
  });

  it("averages precision over all relevant documents", () => {
    // Relevant at ranks 2, 4, 6 of 4 relevant ones: (1/2 + 2/4 + 3/6) / 4.
    expect(averagePrecision(ranking, grades, Number.POSITIVE_INFINITY)).toBeCloseTo(0.375, 12);
    expect(averagePrecision(ranking, grades, 4)).toBeCloseTo(0.25, 12);
    expect(averagePrecision([], grades, 4)).toBe(0);
  });
});

describe("judged", () => {
  it("counts what has a grade, whatever it is", () => {
    expect(judged(ranking, grades, 3)).toBe(2 / 3);
    expect(judged(ranking, grades, 10)).toBe(5 / 6);
    expect(judged([], grades, 10)).toBe(1);
  });
});

describe("any ranking", () => {
  const ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const rankings = fc.shuffledSubarray(ids);
  const judgements = fc
    .dictionary(fc.constantFrom(...ids), fc.integer({ min: -2, max: 4 }))
    .map((grades) => new Map(Object.entries(grades)));
  const cutoffs = fc.integer({ min: 1, max: 10 });

  it("has values from 0 to 1", () => {
    fc.assert(
      fc.property(rankings, judgements, cutoffs, (ranking, grades, k) => {
        for (const metric of [ndcg, recall, success, averagePrecision, reciprocalRank, judged]) {
          const value = metric(ranking, grades, k);
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
    );
  });

  it("is no better than the same documents by their grades", () => {
    fc.assert(
      fc.property(rankings, judgements, cutoffs, (ranking, grades, k) => {
        const best = [...ranking].sort((a, b) => (grades.get(b) ?? 0) - (grades.get(a) ?? 0));
        for (const metric of [ndcg, recall, success, averagePrecision, reciprocalRank]) {
          expect(metric(best, grades, k)).toBeGreaterThanOrEqual(metric(ranking, grades, k) - 1e-12);
        }
      }),
    );
  });

  it("does not change with what follows the cutoff, and never falls with a later one", () => {
    fc.assert(
      fc.property(rankings, judgements, cutoffs, (ranking, grades, k) => {
        for (const metric of [recall, success, averagePrecision, reciprocalRank]) {
          expect(metric(ranking, grades, k)).toBe(metric(ranking.slice(0, k), grades, k));
          expect(metric(ranking, grades, k + 1)).toBeGreaterThanOrEqual(metric(ranking, grades, k));
        }
      }),
    );
  });
});
