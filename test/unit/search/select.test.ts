import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { selectBest } from "../../../src/search/select.js";

/** By sorting everything. */
function reference(candidates: number[], scores: Float32Array, limit: number): number[] {
  return [...candidates]
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, limit)
    .sort((a, b) => a - b);
}

describe("selectBest", () => {
  it("equals sorting, ties and all", () => {
    const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float({ noNaN: true, min: -1e6, max: 1e6 }));
    fc.assert(
      fc.property(
        fc.array(score, { maxLength: 200 }),
        fc.nat(220),
        fc.infiniteStream(fc.boolean()),
        (all, limit, keep) => {
          const scores = Float32Array.from(all);
          const candidates = all.map((_, i) => i).filter(() => keep.next().value === true);
          const found = selectBest(Uint32Array.from(candidates), scores, limit);
          expect([...found]).toEqual(reference(candidates, scores, limit));
        },
      ),
    );
  });

  it("handles equal scores and extreme ranges", () => {
    const same = new Float32Array(1000).fill(0.25);
    const all = Uint32Array.from(same.keys());
    expect([...selectBest(all, same, 3)]).toEqual([0, 1, 2]);
    const wide = same.map((_, i) => (i === 500 ? 1e30 : i === 501 ? -1e30 : i));
    expect([...selectBest(all, wide, 2)]).toEqual([500, 999]);
    expect([...selectBest(all, wide, 999)]).not.toContain(501);
  });
});
