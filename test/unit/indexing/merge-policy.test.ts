import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chooseMerges,
  MERGE_FACTOR,
  type MergeCandidate,
  mergeEverything,
} from "../../../src/indexing/merge-policy.js";

const UNLIMITED = { maxSegmentTokens: 16_000_000, budget: Number.POSITIVE_INFINITY };

const full = (tokens: number): MergeCandidate => ({ tokens, liveTokens: tokens });

const anySegments = fc.array(
  fc
    .record({
      tokens: fc.integer({ min: 1, max: 20_000_000 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ tokens, share }) => ({ tokens, liveTokens: Math.floor(tokens * share) })),
  { maxLength: 60 },
);

/** Adds segments of some size one after the other, merging after each, and counts rewritten tokens. */
function grow(adds: number, tokens: number): { segments: MergeCandidate[]; rewritten: number } {
  let segments: MergeCandidate[] = [];
  let rewritten = 0;
  for (let i = 0; i < adds; i++) {
    segments.push(full(tokens));
    for (const { from, to } of chooseMerges(segments, UNLIMITED).reverse()) {
      const sum = segments.slice(from, to).reduce((total, { liveTokens }) => total + liveTokens, 0);
      segments = [...segments.slice(0, from), full(sum), ...segments.slice(to)];
      rewritten += sum;
    }
  }
  return { segments, rewritten };
}

describe("the merge policy", () => {
  it("leaves few segments alone", () => {
    expect(
      chooseMerges(
        Array.from({ length: MERGE_FACTOR - 1 }, () => full(1000)),
        UNLIMITED,
      ),
    ).toEqual([]);
    expect(chooseMerges([], UNLIMITED)).toEqual([]);
  });

  it("merges neighbours of one tier, and smaller ones between them", () => {
    const small = Array.from({ length: MERGE_FACTOR }, () => full(1000));
    expect(chooseMerges([full(5_000_000), ...small], UNLIMITED)).toEqual([{ from: 1, to: 1 + MERGE_FACTOR }]);
    const between = [...small, full(3), full(5)];
    expect(chooseMerges(between, UNLIMITED)).toEqual([{ from: 0, to: between.length }]);
  });

  it("rewrites a segment that is mostly deleted", () => {
    expect(chooseMerges([full(100_000), { tokens: 100_000, liveTokens: 50_000 }], UNLIMITED)).toEqual([
      { from: 1, to: 2 },
    ]);
    expect(chooseMerges([{ tokens: 100_000, liveTokens: 70_000 }], UNLIMITED)).toEqual([]);
    expect(chooseMerges([{ tokens: 10_000, liveTokens: 0 }], UNLIMITED)).toEqual([]);
  });

  it("keeps the number of segments logarithmic, and rewrites each token about once a tier", () => {
    for (const [adds, tokens] of [
      [1000, 500],
      [600, 20_000],
    ] as const) {
      const { segments, rewritten } = grow(adds, tokens);
      const tiers = Math.ceil(Math.log2((adds * tokens) / 16_384) / Math.log2(MERGE_FACTOR)) + 1;
      expect(segments.length).toBeLessThan(MERGE_FACTOR * tiers);
      expect(rewritten).toBeLessThanOrEqual(2 * adds * tokens * tiers);
    }
  });

  it("gives runs in order that do not overlap and keep the limits", () => {
    fc.assert(
      fc.property(anySegments, fc.integer({ min: 0, max: 40_000_000 }), (segments, budget) => {
        const limits = { maxSegmentTokens: 16_000_000, budget };
        const runs = chooseMerges(segments, limits);
        const live = runs.map(({ from, to }) =>
          segments.slice(from, to).reduce((sum, { liveTokens }) => sum + liveTokens, 0),
        );
        expect(live.reduce((sum, tokens) => sum + tokens, 0)).toBeLessThanOrEqual(budget);
        runs.forEach(({ from, to }, i) => {
          expect(to).toBeGreaterThan(from);
          expect(from).toBeGreaterThanOrEqual(runs[i - 1]?.to ?? 0);
          if (to - from > 1) expect(live[i]).toBeLessThanOrEqual(limits.maxSegmentTokens);
        });
      }),
    );
  });

  it("merges everything into segments of at most the limit, and leaves nothing deleted", () => {
    fc.assert(
      fc.property(anySegments, (segments) => {
        const runs = mergeEverything(segments, 16_000_000);
        const covered = new Set(
          runs.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)),
        );
        segments.forEach(({ tokens, liveTokens }, i) => {
          if (liveTokens < tokens) expect(covered.has(i)).toBe(true);
        });
      }),
    );
    expect(mergeEverything([full(9_000_000), full(9_000_000), full(5_000_000)], 16_000_000)).toEqual([
      { from: 1, to: 3 },
    ]);
    expect(mergeEverything([full(5)], 16_000_000)).toEqual([]);
  });
});
