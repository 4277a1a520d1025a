import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TopK } from "../../../src/common/top-k.js";

describe("TopK", () => {
  it("keeps the best, ties to the lower id, for any stream", () => {
    const entry = fc.record({ score: fc.integer({ min: -5, max: 5 }), id: fc.nat(1000) });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ({ id }) => id }), fc.nat(12), (entries, k) => {
        const top = new TopK(k);
        for (const { score, id } of entries) top.push(score, id);
        const sorted = [...entries].sort((a, b) => b.score - a.score || a.id - b.id);
        expect(top.drain()).toEqual(sorted.slice(0, k));
      }),
    );
  });

  it("orders infinities", () => {
    const top = new TopK(2);
    top.push(Number.NEGATIVE_INFINITY, 1);
    top.push(0, 2);
    top.push(Number.POSITIVE_INFINITY, 3);
    expect(top.drain().map(({ id }) => id)).toEqual([3, 2]);
  });
});
