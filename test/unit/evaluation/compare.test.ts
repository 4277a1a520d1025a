import { describe, expect, it } from "vitest";
import { Random } from "../../../src/common/random.js";
import { compareSystems } from "../../../src/evaluation/compare.js";

const values = (numbers: readonly number[]) => new Map(numbers.map((value, i) => [`q${i}`, value]));

describe("compareSystems", () => {
  it("tries every assignment of signs when there are few queries", () => {
    // Differences 0.1, 0.2, 0.3: of the 8 assignments only +++ and --- reach |0.6|.
    const result = compareSystems(values([0.1, 0.1, 0.1]), values([0.2, 0.3, 0.4]));
    expect(result).toMatchObject({ queries: 3, wins: 3, losses: 0, ties: 0, exact: true, pValue: 0.25 });
    expect(result.difference).toBeCloseTo(0.2, 12);
  });

  it("gives 1 to equal systems", () => {
    const same = values([0.5, 0.25]);
    expect(compareSystems(same, same)).toMatchObject({ pValue: 1, ties: 2, difference: 0 });
  });

  it("counts sums that rounding alone tells apart as equal", () => {
    // 0.1 + 0.2 - 0.3 is 5.6e-17 and not 0; every assignment is at least that extreme.
    expect(compareSystems(values([0, 0, 0.3]), values([0.1, 0.2, 0])).pValue).toBe(1);
  });

  it("agrees with the exact test when it samples, and repeats with the seed", () => {
    const random = new Random(1);
    const a = values(Array.from({ length: 12 }, () => random.float()));
    const b = values([...a.values()].map((value) => value + 0.3 * random.normal() + 0.1));
    const exact = compareSystems(a, b, { rounds: 4096 });
    const sampled = compareSystems(a, b, { rounds: 4095, seed: 3 });
    expect(exact.exact).toBe(true);
    expect(sampled.exact).toBe(false);
    expect(Math.abs(sampled.pValue - exact.pValue)).toBeLessThan(0.03);
    expect(compareSystems(a, b, { rounds: 4095, seed: 3 })).toEqual(sampled);
  });

  it("never reports 0 and finds a large difference", () => {
    const a = values(new Array(100).fill(0.2));
    const b = values(Array.from({ length: 100 }, (_, i) => 0.5 + i / 1000));
    expect(compareSystems(a, b, { rounds: 999 }).pValue).toBe(1 / 1000);
  });

  it("does not depend on the order of the maps", () => {
    const numbers = Array.from({ length: 20 }, (_, i) => Math.sin(i));
    const forward = values(numbers);
    const backward = new Map([...forward].reverse());
    const zero = values(new Array(20).fill(0));
    expect(compareSystems(zero, backward).pValue).toBe(compareSystems(zero, forward).pValue);
  });

  it("refuses different sets of queries", () => {
    expect(() => compareSystems(values([1, 2]), values([1]))).toThrow(/same queries, found q1/);
    expect(() => compareSystems(new Map(), new Map())).toThrow(/at least one query/);
  });
});
