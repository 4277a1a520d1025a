import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareTeachers,
  compareWithFirstStage,
  compareWithSources,
  kendallTau,
} from "../../../src/distillation/agreement.js";
import type { Ranking } from "../../../src/distillation/journal.js";
import type { RankedQuery } from "../../../src/distillation/rank-queries.js";
import { NO_USAGE } from "../../../src/rerank/usage.js";

function ranking(scores: readonly number[], ids = scores.map((_, i) => `d${i}`)): Ranking {
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  const candidates = ids.map((documentId) => ({ documentId, passage: 0 }));
  return { queryId: "q", key: "", candidates, scores, order, usage: NO_USAGE, warnings: [] };
}

function query(rankings: readonly (Ranking | undefined)[], sources?: readonly string[]): RankedQuery {
  return { query: { id: "q", text: "q", ...(sources === undefined ? {} : { sources }) }, rankings };
}

const scoresOf = ({ scores }: Ranking): readonly number[] => scores;

describe("kendallTau", () => {
  it.each([
    [[1, 2, 3], [1, 2, 3], 1],
    [[1, 2, 3], [3, 2, 1], -1],
    [[1, 2, 3, 4], [1, 2, 4, 3], 4 / 6],
    // Worked out by hand: 4 concordant, 0 discordant, one tie in b of 6 pairs, one in a.
    [[1, 1, 2, 3], [1, 2, 2, 3], 4 / 5],
  ])("of %j and %j is %d", (a, b, expected) => {
    expect(kendallTau(a, b)).toBeCloseTo(expected, 12);
  });

  it("has no value where everything is tied", () => {
    expect(kendallTau([1, 1], [1, 2])).toBeUndefined();
    expect(kendallTau([], [])).toBeUndefined();
  });

  it("is symmetric, within -1 and 1, and turns its sign with one of the orders", () => {
    const values = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(values, (pairs) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        const tau = kendallTau(a, b);
        expect(kendallTau(b, a)).toBe(tau);
        if (tau === undefined) return;
        expect(Math.abs(tau)).toBeLessThanOrEqual(1 + 1e-12);
        expect(
          kendallTau(
            a.map((x) => -x),
            b,
          ),
        ).toBeCloseTo(-tau, 12);
      }),
    );
  });
});

describe("agreement", () => {
  it("of the first stage counts what the teacher changed", () => {
    const queries = [query([ranking([3, 2, 1])]), query([ranking([1, 2, 3])]), query([ranking([5])])];
    const found = compareWithFirstStage(queries, scoresOf, (score) => (score - 1) / 2);
    expect(found).toMatchObject({ queries: 2, kendallTau: 0, bestDiffers: 0.5 });
    // Gains 0, 0.5, 1 against the best order 1, 0.5, 0.
    const worst = (0.5 / Math.log2(3) + 1 / 2) / (1 + 0.5 / Math.log2(3));
    expect(found.ndcg).toBeCloseTo((1 + worst) / 2, 12);
  });

  it("of two teachers leaves out what one of them has not ranked", () => {
    const queries = [
      query([ranking([3, 2, 1]), ranking([30, 20, 10])]),
      query([ranking([3, 2, 1]), ranking([10, 20, 5])]),
      query([ranking([3, 2, 1]), undefined]),
    ];
    const found = compareTeachers(queries, [scoresOf, scoresOf]);
    expect(found.queries).toBe(2);
    expect(found.bestDiffers).toBe(0.5);
    expect(found.kendallTau).toBeCloseTo((1 + 1 / 3) / 2, 12);
  });

  it("says where the sources of made queries stand", () => {
    const queries = [
      query([ranking([1, 3, 2])], ["d1"]),
      query([ranking([1, 3, 2])], ["d0", "elsewhere"]),
      query([ranking([1, 3, 2])], ["elsewhere"]),
      query([ranking([1, 3, 2])]),
    ];
    const found = compareWithSources(queries)!;
    expect(found.queries).toBe(3);
    expect(found.found).toBeCloseTo(2 / 3, 12);
    expect(found.firstStageFirst).toBeCloseTo(1 / 3, 12);
    expect(found.teacherFirst).toBeCloseTo(1 / 3, 12);
    expect(found.firstStageReciprocalRank).toBeCloseTo((1 / 2 + 1) / 3, 12);
    expect(found.teacherReciprocalRank).toBeCloseTo((1 + 1 / 3) / 3, 12);
    expect(compareWithSources([query([ranking([1, 2])])])).toBeUndefined();
  });
});
