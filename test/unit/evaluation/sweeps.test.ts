/** What sweeps are made of: grids, frontiers, overlaps, quantiles. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { frontier } from "../../../src/evaluation/frontier.js";
import { formatPoint, parseGrid } from "../../../src/evaluation/grid.js";
import { overlapAt } from "../../../src/evaluation/overlap.js";
import { quantile } from "../../../src/evaluation/quantile.js";

describe("parseGrid", () => {
  it("gives every combination, the last parameter changing fastest", () => {
    expect(parseGrid("nprobe=1,2; refine=128 , 512")).toEqual([
      { nprobe: 1, refine: 128 },
      { nprobe: 1, refine: 512 },
      { nprobe: 2, refine: 128 },
      { nprobe: 2, refine: 512 },
    ]);
    expect(parseGrid("mode=hybrid;alpha=0,.5,1").map(formatPoint)).toEqual([
      "mode=hybrid alpha=0",
      "mode=hybrid alpha=0.5",
      "mode=hybrid alpha=1",
    ]);
    expect(parseGrid("nbits=4,4,1")).toEqual([{ nbits: 4 }, { nbits: 1 }]);
  });

  it.each([
    ["", /name=value,value was expected, found ""/],
    ["nprobe", /name=value,value was expected, found "nprobe"/],
    ["nprobe=1;", /name=value,value was expected/],
    ["nprobe=1=2", /name=value,value was expected/],
    ["nprob=1", /no parameter is called "nprob"; did you mean nprobe\?/],
    ["speed=1", /no parameter is called "speed"$/],
    ["nprobe=1;nprobe=2", /nprobe stands there twice/],
    ["nprobe=0", /nprobe takes whole numbers from 1 to 1000000000, found "0"/],
    ["nprobe=1.5", /nprobe takes whole numbers/],
    ["nprobe=1,", /nprobe takes whole numbers .*found ""/],
    ["alpha=1.1", /alpha takes numbers from 0 to 1, found "1.1"/],
    ["alpha=1e-1", /alpha takes numbers/],
    ["mode=fuzzy", /mode takes late, lexical, hybrid, found "fuzzy"/],
    ["nbits=3", /nbits takes 1, 2, 4, found "3"/],
  ])("refuses %j", (grid, message) => {
    expect(() => parseGrid(grid)).toThrow(message);
    expect(() => parseGrid(grid)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  it("refuses more combinations than anybody waits for", () => {
    const numbers = Array.from({ length: 40 }, (_, i) => i + 1).join(",");
    expect(() => parseGrid(`nprobe=${numbers};refine=${numbers}`)).toThrow(/more than 1000 combinations/);
  });
});

describe("frontier", () => {
  it("keeps what nothing cheaper beats, by cost", () => {
    const points = [
      { cost: 3, value: 0.9 },
      { cost: 1, value: 0.5 },
      { cost: 2, value: 0.4 },
      { cost: 2, value: 0.7 },
      { cost: 4, value: 0.9 },
    ];
    expect(frontier(points)).toEqual([1, 3, 0]);
    expect(frontier([])).toEqual([]);
  });

  it("leaves out exactly those for which there is a better one", () => {
    const tradeoffs = fc.record({
      cost: fc.integer({ min: 0, max: 5 }),
      value: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(tradeoffs, { maxLength: 20 }), (points) => {
        const kept = new Set(frontier(points));
        for (const [i, { cost, value }] of points.entries()) {
          const beaten = points.some(
            (other, j) =>
              other.cost <= cost &&
              other.value >= value &&
              (other.cost < cost || other.value > value || j < i),
          );
          expect(kept.has(i)).toBe(!beaten);
        }
      }),
    );
  });
});

describe("overlapAt", () => {
  const ranked = (...ids: string[]) => ids.map((id, i) => ({ id, score: -i }));

  it("is the mean share of the reference's first k", () => {
    const reference = new Map([
      ["q1", ranked("a", "b", "c")],
      ["q2", ranked("d")],
      ["empty", []],
    ]);
    const run = new Map([["q1", ranked("c", "b", "a")]]);
    expect(overlapAt(2, reference, run)).toBe((1 / 2 + 0) / 2);
    expect(overlapAt(3, reference, reference)).toBe(1);
  });
});

describe("quantile", () => {
  it("is the smallest value that the share does not exceed", () => {
    const values = [5, 1, 4, 2, 3];
    expect([0, 0.2, 0.21, 0.5, 0.95, 1].map((q) => quantile(values, q))).toEqual([1, 1, 2, 3, 5, 5]);
    expect(quantile([7], 0.5)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
    expect(values).toEqual([5, 1, 4, 2, 3]);
  });
});
