import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FusionEntry, fuse } from "../../../src/search/fuse.js";

const SCALE = { late: 10, lexical: 4 };

const entry = (documentNo: number, late: number | undefined, lexical: number | undefined): FusionEntry => ({
  documentNo,
  late,
  lexical,
});

describe("fuse", () => {
  const entries = [entry(1, 8, undefined), entry(2, 6, 4), entry(3, undefined, 2), entry(4, 7, 8)];

  it("adds up reciprocal ranks", () => {
    const fused = fuse(entries, { method: "rrf", alpha: 0.5 }, SCALE);
    // By MaxSim 1, 4, 2; by BM25 4, 2, 3.
    expect(fused.map(({ documentNo, score }) => [documentNo, score])).toEqual([
      [4, 0.5 / 62 + 0.5 / 61],
      [2, 0.5 / 63 + 0.5 / 62],
      [1, 0.5 / 61],
      [3, 0.5 / 63],
    ]);
  });

  it("adds up scores on the scales of the query, BM25 at most 1", () => {
    const fused = fuse(entries, { method: "scores", alpha: 0.75 }, SCALE);
    expect(fused.map(({ documentNo }) => documentNo)).toEqual([4, 2, 1, 3]);
    const expected = [0.75 * 0.7 + 0.25, 0.75 * 0.6 + 0.25, 0.75 * 0.8, 0.25 * 0.5];
    fused.forEach(({ score }, i) => {
      expect(score).toBeCloseTo(expected[i]!, 12);
    });
  });

  it("with alpha 1 is the ranking by MaxSim, with alpha 0 the one by BM25", () => {
    const number = fc.integer({ min: 0, max: 39 }).map((tenths) => tenths / 10);
    const ranked = fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(ranked, fc.constantFrom("rrf" as const, "scores" as const), (pairs, method) => {
        const all = pairs.map(([late, lexical], i) => entry(i, late, lexical));
        for (const [alpha, key] of [
          [1, "late"],
          [0, "lexical"],
        ] as const) {
          const scores = fuse(all, { method, alpha }, SCALE).map((found) => found[key]!);
          expect(scores).toEqual([...scores].sort((a, b) => b - a));
        }
      }),
    );
  });

  it("keeps every document once, ties to the one that was added first", () => {
    const same = [entry(9, 1, 1), entry(3, 1, 1), entry(5, 1, 1)];
    const fused = fuse(same, { method: "scores", alpha: 0.5 }, SCALE);
    expect(fused.map(({ documentNo }) => documentNo)).toEqual([3, 5, 9]);
    expect(fuse([], { method: "rrf", alpha: 0.5 }, SCALE)).toEqual([]);
  });

  it("counts nothing for words that no document has", () => {
    const [only] = fuse([entry(1, 5, undefined)], { method: "scores", alpha: 0.8 }, { late: 10, lexical: 0 });
    expect(only!.score).toBeCloseTo(0.4, 12);
  });
});
