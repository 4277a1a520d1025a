import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DocumentSet } from "../../../src/documents/document-set.js";

const numbers = fc.array(fc.nat(200), { maxLength: 60 });
const ascending = (set: Iterable<number>): number[] => [...set].sort((a, b) => a - b);

describe("a set of documents", () => {
  it("is what sets of numbers are, in ascending order", () => {
    fc.assert(
      fc.property(numbers, numbers, (left, right) => {
        const [a, b] = [new Set(left), new Set(right)];
        const [setA, setB] = [DocumentSet.of(left), DocumentSet.of(Uint32Array.from(right))];
        for (const [set, expected] of [
          [setA, a],
          [setA.and(setB), new Set(left.filter((no) => b.has(no)))],
          [setA.or(setB), new Set([...left, ...right])],
          [setA.without(setB), new Set(left.filter((no) => !b.has(no)))],
        ] as const) {
          expect([...set]).toEqual(ascending(expected));
          expect(set.size).toBe(expected.size);
          const held = Array.from({ length: 230 }, (_, no) => no).filter((no) => set.has(no));
          expect(held).toEqual(ascending(expected));
        }
      }),
    );
  });

  it("may be empty, and holds numbers of any size", () => {
    expect([...DocumentSet.of([])]).toEqual([]);
    const far = DocumentSet.of([5_000_000, 31, 32, 31]);
    expect([...far]).toEqual([31, 32, 5_000_000]);
    expect(far.size).toBe(3);
    expect(far.has(5_000_001)).toBe(false);
    expect(far.bytes).toBeLessThan(5_000_000 / 8 + 8);
    const last = 2 ** 32 - 1;
    const spread = DocumentSet.of([last, 7, 2 ** 31]);
    expect([...spread.or(far)]).toEqual([7, 31, 32, 5_000_000, 2 ** 31, last]);
    expect([...far.or(spread).without(far)]).toEqual([7, 2 ** 31, last]);
    expect([...spread.and(DocumentSet.of([last, 8]))]).toEqual([last]);
    expect(spread.bytes).toBeLessThan(600_000);
  });
});
