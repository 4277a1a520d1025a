import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LiftReport, measureLift } from "../../../src/evaluation/lift.js";
import {
  type Rankings,
  usefulDepths,
  withPerfectOrder,
  withReranked,
} from "../../../src/evaluation/lift-rankings.js";
import { firstAdequate, holm } from "../../../src/evaluation/lift-significance.js";
import { ndcg } from "../../../src/evaluation/metrics.js";

/** 1 / log2(3): what a document of grade 1 gains at rank 2. */
const SECOND = 1 / Math.log2(3);

/** Rankings of `count` queries alike. */
function same<T>(count: number, value: T): ReadonlyMap<string, T> {
  return new Map(Array.from({ length: count }, (_, i) => [`q${i}`, value]));
}

describe("rankings with another beginning", () => {
  it("have the first documents in the new order, and the rest as it was", () => {
    expect(withReranked(["a", "b", "c", "d"], ["d", "c", "b", "a"], 2)).toEqual(["b", "a", "c", "d"]);
    expect(withReranked(["a", "b", "c"], ["c", "b", "a"], 9)).toEqual(["c", "b", "a"]);
    expect(withReranked(["a", "b", "c"], ["c"], 3)).toEqual(["c", "a", "b"]);
    expect(withReranked([], [], 3)).toEqual([]);
  });

  it("are perfect by grade, in the old order among equals", () => {
    const grades = new Map([
      ["b", 1],
      ["c", 2],
      ["d", 1],
      ["x", -1],
    ]);
    expect(withPerfectOrder(["x", "a", "b", "c", "d"], grades, 4)).toEqual(["c", "b", "x", "a", "d"]);
  });

  it("are permutations that no other order beats the perfect one of", () => {
    const ids = fc.uniqueArray(fc.constantFrom(..."abcdefghij"), { minLength: 1 });
    const grades = fc.dictionary(fc.constantFrom(..."abcdefghij"), fc.integer({ min: -1, max: 3 }));
    fc.assert(
      fc.property(ids, ids, grades, fc.integer({ min: 1, max: 12 }), (first, order, judged, depth) => {
        const known = new Map(Object.entries(judged));
        const changed = withReranked(first, order, depth);
        const perfect = withPerfectOrder(first, known, depth);
        expect([...changed].sort()).toEqual([...first].sort());
        expect(changed.slice(depth)).toEqual(first.slice(depth));
        expect([...perfect].sort()).toEqual([...first].sort());
        expect(ndcg(perfect, known, 10)).toBeGreaterThanOrEqual(ndcg(changed, known, 10) - 1e-12);
      }),
    );
  });
});

describe("usefulDepths", () => {
  it("end where no query has more candidates", () => {
    const first: Rankings = new Map([
      ["q1", ["a", "b", "c"]],
      ["q2", ["a"]],
    ]);
    expect(usefulDepths(first, [10, 2, 5, 2])).toEqual([2, 5]);
    expect(usefulDepths(first, [1, 2, 3, 4])).toEqual([1, 2, 3]);
    expect(usefulDepths(new Map(), [7, 5])).toEqual([5]);
  });
});

describe("holm", () => {
  it("multiplies the smallest by all, the next by one less, and never falls", () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((value, i) => {
      expect(adjusted[i]).toBeCloseTo(value, 12);
    });
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });

  it("leaves one as it is, and makes none smaller", () => {
    expect(holm([0.03])).toEqual([0.03]);
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (values) => {
        holm(values).forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(Math.min(1, values[i]!));
          expect(value).toBeLessThanOrEqual(1);
        });
      }),
    );
  });
});

describe("firstAdequate", () => {
  it("is the first within 1 % of the best", () => {
    expect(firstAdequate([same(3, 0.9), same(3, 0.995), same(3, 1)])).toBe(1);
    expect(firstAdequate([same(3, 1), same(3, 0.995)])).toBe(0);
  });

  it("is not one that is close and significantly worse", () => {
    // Ten queries, all a little worse: 2 of 1,024 assignments are as extreme.
    expect(firstAdequate([same(10, 0.995), same(10, 1)])).toBe(1);
    expect(firstAdequate([same(10, 0.995), same(10, 1)], { rounds: 1 })).toBe(0);
  });
});

describe("measureLift", () => {
  const qrels = new Map([
    ["q1", new Map([["a", 1]])],
    [
      "q2",
      new Map([
        ["b", 2],
        ["c", 1],
      ]),
    ],
    ["q3", new Map([["gone", 1]])],
  ]);
  const first: Rankings = new Map([
    ["q1", ["x", "a", "y"]],
    ["q2", ["b", "x", "c"]],
  ]);

  it("gives the numbers that a pencil gives", () => {
    const depths = new Map<number, Rankings>([
      [
        2,
        new Map([
          ["q1", ["a", "x", "y"]],
          ["q2", ["x", "b", "c"]],
        ]),
      ],
      [
        3,
        new Map([
          ["q1", ["a", "x", "y"]],
          ["q2", ["b", "c", "x"]],
        ]),
      ],
    ]);
    const report = measureLift({ qrels, first, systems: [{ name: "s", depths }], depths: [2, 3] });
    // Of query 2: gains 2 and 1, at best 2 + 1 / log2(3).
    const ideal = 2 + SECOND;
    const before2 = (2 + 1 / 2) / ideal;
    const after2 = (2 * SECOND + 1 / 2) / ideal;
    expect(report.queries).toBe(3);
    expect(report.comparisons).toBe(2);
    expect(report.first.get("nDCG@10")).toBeCloseTo((SECOND + before2) / 3, 12);
    expect(report.first.get("Recall@10")).toBeCloseTo(2 / 3, 12);
    expect(report.first.get("Precision@5")).toBeCloseTo((1 / 5 + 2 / 5) / 3, 12);
    const [two, three] = report.systems[0]!.depths;
    expect(two!.metrics.get("nDCG@10")).toBeCloseTo((1 + after2) / 3, 12);
    expect(three!.metrics.get("nDCG@10")).toBeCloseTo(2 / 3, 12);
    expect(two!.comparison).toMatchObject({ wins: 1, losses: 1, ties: 1, exact: true });
    // Two differences, of which only the larger one decides the sign: 0.37 and -0.28.
    expect(two!.comparison.pValue).toBe(1);
    // Both better: 2 of 4 assignments are as extreme.
    expect(three!.comparison).toMatchObject({ wins: 2, losses: 0, ties: 1, pValue: 0.5 });
    expect(two!.adjustedPValue).toBe(1);
    expect(three!.adjustedPValue).toBe(1);
    expect(three!.relativeGain).toBeCloseTo(2 / (SECOND + before2) - 1, 12);
    expect(report.ceilings.map(({ depth }) => depth)).toEqual([2, 3]);
    // Among the first two are a, and b without c.
    expect(report.ceilings[0]!.recall).toBeCloseTo((1 + 1 / 2) / 3, 12);
    expect(report.ceilings[0]!.perfect.get("nDCG@10")).toBeCloseTo((1 + before2) / 3, 12);
    expect(report.ceilings[1]!.recall).toBeCloseTo(2 / 3, 12);
    expect(report.ceilings[1]!.perfect.get("nDCG@10")).toBeCloseTo(2 / 3, 12);
    expect(report.systems[0]).toMatchObject({
      bestDepth: 3,
      chosenDepth: 3,
      verdict: "unproven",
      losses: [],
    });
  });

  it("names the queries that lost most, the largest loss first", () => {
    const worse: Rankings = new Map([
      ["q1", ["x", "y", "a"]],
      ["q2", ["x", "c", "b"]],
    ]);
    const report = measureLift({
      qrels,
      first,
      systems: [{ name: "s", depths: new Map([[3, worse]]) }],
      depths: [3],
    });
    const [system] = report.systems;
    expect(system).toMatchObject({ chosenDepth: 3, verdict: "no-gain" });
    expect(system!.losses.map(({ queryId }) => queryId)).toEqual(["q2", "q1"]);
    expect(system!.losses[1]!.before).toBeCloseTo(SECOND, 12);
    expect(system!.losses[1]!.after).toBeCloseTo(1 / 2, 12);
    expect(measureLift({ qrels, first, systems: [], depths: [3] }).systems).toEqual([]);
  });

  it("refuses a reranker that was run at no depth", () => {
    expect(() =>
      measureLift({ qrels, first, systems: [{ name: "s", depths: new Map() }], depths: [3] }),
    ).toThrow(/the reranker s must have been run/);
  });
});

describe("the verdict", () => {
  const QUERIES = 12;
  const ranks = ["a", "b", "c", "d", "e"];
  const qrels = same(QUERIES, new Map([["a", 1]]));

  /** The relevant document at rank 2 at first, and with the reranker at `place` (from 0) of query i. */
  function verdict(place: (i: number) => number, depths: readonly number[] = [5]): LiftReport["systems"][0] {
    const ranking = (at: number): string[] => {
      const others = ranks.slice(1);
      return [...others.slice(0, at), "a", ...others.slice(at)];
    };
    const after: Rankings = new Map([...qrels.keys()].map((id, i) => [id, ranking(place(i))]));
    const before = same(QUERIES, ranking(1));
    const systems = [{ name: "s", depths: new Map(depths.map((depth) => [depth, after])) }];
    return measureLift({ qrels, first: before, systems, depths }).systems[0]!;
  }

  it("is yes for a large gain on most queries", () => {
    const { verdict: said, depths } = verdict(() => 0);
    expect(said).toBe("worth");
    // All 12 queries moved the same way: 2 of 4,096 assignments.
    expect(depths[0]!.adjustedPValue).toBeCloseTo(2 / 4096, 12);
    expect(depths[0]!.relativeGain).toBeCloseTo(1 / SECOND - 1, 12);
  });

  it("is unproven for a large gain on few queries", () => {
    expect(verdict((i) => (i < 2 ? 0 : 1)).verdict).toBe("unproven");
  });

  it("is small below 2 percent, and no gain without one", () => {
    // Up by 0.369, down by 0.131 and 0.2 (rank 3 and 4 instead of 2): 0.038 in all, of 7.57.
    const mixed = [0, 2, 3];
    expect(verdict((i) => mixed[i] ?? 1).verdict).toBe("small");
    expect(verdict(() => 1)).toMatchObject({ verdict: "no-gain", losses: [] });
    expect(verdict((i) => (i === 0 ? 2 : 1)).verdict).toBe("no-gain");
  });

  it("is worse for a loss on most queries", () => {
    expect(verdict(() => 2)).toMatchObject({ verdict: "worse" });
    expect(verdict(() => 2).losses).toHaveLength(5);
  });

  it("corrects for the number of comparisons", () => {
    // 6 queries moved the same way: 2 of 64 assignments, and twice that for two depths.
    const place = (i: number): number => (i < 6 ? 0 : 1);
    expect(verdict(place).verdict).toBe("worth");
    const two = verdict(place, [4, 5]);
    expect(two).toMatchObject({ verdict: "unproven", bestDepth: 4, chosenDepth: 4 });
    expect(two.depths[0]!.adjustedPValue).toBeCloseTo(4 / 64, 12);
  });

  it("takes a gain over nothing for a gain", () => {
    const systems = [{ name: "s", depths: new Map([[5, same(QUERIES, ["a"])]]) }];
    const report = measureLift({ qrels, first: new Map(), systems, depths: [5] });
    expect(report.systems[0]).toMatchObject({ verdict: "worth" });
    expect(report.systems[0]!.depths[0]!.relativeGain).toBeNull();
  });
});

describe("the depth", () => {
  const QUERIES = 12;
  const qrels = same(QUERIES, new Map([["a", 1]]));
  const first = same(QUERIES, ["b", "c", "a", "d"]);
  const top = same(QUERIES, ["a", "b", "c", "d"]);
  const second = same(QUERIES, ["b", "a", "c", "d"]);

  it("is the smallest that is as good as the best", () => {
    const depths = new Map<number, Rankings>([
      [1, first],
      [2, second],
      [3, top],
      [4, top],
    ]);
    const report = measureLift({ qrels, first, systems: [{ name: "s", depths }], depths: [1, 2, 3, 4] });
    expect(report.systems[0]).toMatchObject({ bestDepth: 3, chosenDepth: 3, verdict: "worth" });
    expect(report.systems[0]!.depths.map(({ verdict }) => verdict)).toEqual([
      "no-gain",
      "worth",
      "worth",
      "worth",
    ]);
  });

  it("is one that is 1 percent lower, by chance for all one knows", () => {
    // One query of 200 is at rank 2 instead of 1: 0.2 percent.
    const many = same(200, new Map([["a", 1]]));
    const nearly = new Map([...same(200, ["a", "b"]), ["q0", ["b", "a"]]]);
    const depths = new Map<number, Rankings>([
      [2, nearly],
      [4, same(200, ["a", "b"])],
    ]);
    const input = { qrels: many, first: same(200, ["b", "c", "a"]), systems: [{ name: "s", depths }] };
    expect(measureLift({ ...input, depths: [2, 4] }).systems[0]).toMatchObject({
      bestDepth: 4,
      chosenDepth: 2,
      verdict: "worth",
    });
  });
});
