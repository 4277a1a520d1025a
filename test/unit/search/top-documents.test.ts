import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TopDocuments } from "../../../src/search/top-documents.js";

interface Push {
  readonly document: number;
  readonly passage: number;
  readonly score: number;
}

const push: fc.Arbitrary<Push> = fc.record({
  document: fc.nat(12),
  passage: fc.nat(40),
  score: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(Number.NEGATIVE_INFINITY, Number.NaN)),
});

/** By the definition: the best passage of each document, sorted. */
function expected(pushes: readonly Push[], k: number) {
  const best = new Map<number, Push>();
  for (const entry of pushes) {
    if (!Number.isFinite(entry.score)) continue;
    const known = best.get(entry.document);
    const better =
      known === undefined ||
      entry.score > known.score ||
      (entry.score === known.score && entry.passage < known.passage);
    if (better) best.set(entry.document, entry);
  }
  return [...best.values()]
    .sort((a, b) => b.score - a.score || a.document - b.document)
    .slice(0, k)
    .map(({ document, passage, score }) => ({ documentNo: document, passageNo: passage, score }));
}

describe("the best documents", () => {
  it("are those of the definition, in whatever order passages come", () => {
    fc.assert(
      fc.property(fc.array(push, { maxLength: 60 }), fc.integer({ min: 0, max: 8 }), (pushes, k) => {
        const top = new TopDocuments(k);
        for (const { document, passage, score } of pushes) top.push(document, passage, score);
        expect(top.ranked()).toEqual(expected(pushes, k));
        expect(top.size).toBe(top.ranked().length);
      }),
    );
  });

  it("have a threshold once there are k of them", () => {
    const top = new TopDocuments(2);
    top.push(5, 50, 1);
    top.push(5, 51, 2);
    expect(top.threshold).toBe(Number.NEGATIVE_INFINITY);
    top.push(6, 60, 0.5);
    expect(top.threshold).toBe(0.5);
    top.push(7, 70, 1.5);
    expect(top.threshold).toBe(1.5);
  });
});
