import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TopK } from "../../../src/common/top-k.js";

describe("TopK", () => {
  it("keeps what sorting keeps, ties to the lower id", () => {
    const scores = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(scores, fc.nat(20), fc.integer(), (values, k, rotation) => {
        const entries = values.map((score, id) => ({ score, id }));
        const expected = [...entries].sort((a, b) =>
          a.score === b.score ? a.id - b.id : b.score > a.score ? 1 : -1,
        );
        const start = entries.length === 0 ? 0 : Math.abs(rotation) % entries.length;
        const top = new TopK(k);
        for (const { score, id } of [...entries.slice(start), ...entries.slice(0, start)])
          top.push(score, id);
        expect(top.size).toBe(Math.min(k, values.length));
        expect(top.drain()).toEqual(expected.slice(0, k));
        expect(top.size).toBe(0);
      }),
    );
  });

  it("keeps nothing when k is 0", () => {
    const top = new TopK(0);
    top.push(1, 1);
    expect(top.drain()).toEqual([]);
  });
});
