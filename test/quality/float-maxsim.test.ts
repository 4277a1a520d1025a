/** The yardstick of the quality measurements against plain loops. */
import { describe, expect, test } from "vitest";
import { bestPositions, floatMaxSim } from "../../scripts/lib/float-maxsim.mjs";
import { overlap, quantile } from "../../scripts/lib/report.mjs";
import { Random } from "../../src/common/random.js";

const DIM = 16;

function unitRows(random: Random, count: number): Float32Array {
  const rows = Float32Array.from({ length: count * DIM }, () => random.normal());
  for (let at = 0; at < rows.length; at += DIM) {
    const norm = Math.hypot(...rows.subarray(at, at + DIM));
    for (let d = at; d < at + DIM; d++) rows[d] = rows[d]! / norm;
  }
  return rows;
}

function maxSim(query: Float32Array, passage: Float32Array): number {
  let sum = 0;
  for (let q = 0; q < query.length; q += DIM) {
    let best = Number.NEGATIVE_INFINITY;
    for (let t = 0; t < passage.length; t += DIM) {
      let dot = 0;
      for (let d = 0; d < DIM; d++) dot += query[q + d]! * passage[t + d]!;
      best = Math.max(best, dot);
    }
    sum += best;
  }
  return sum;
}

describe("floatMaxSim", () => {
  // More rows and more columns than one multiplication takes, passages without tokens, one larger than a block.
  test("equals plain loops over several blocks of passages and queries", async () => {
    const random = new Random(7);
    const lengths = Uint32Array.from({ length: 120 }, (_, p) => (p % 40 === 0 ? 0 : random.below(200)));
    lengths[100] = 9000;
    const tokens = lengths.reduce((sum, n) => sum + n, 0);
    const vectors = unitRows(random, tokens);
    const queries = Array.from({ length: 30 }, () => unitRows(random, 1 + random.below(40)));
    const rows = (from: number, to: number) => vectors.subarray(from * DIM, to * DIM);
    const scores = await floatMaxSim({ dim: DIM, lengths, rows }, queries, { threads: 1 });

    for (const q of [0, 13, 29]) {
      let from = 0;
      for (let p = 0; p < lengths.length; p++) {
        const to = from + lengths[p]!;
        const expected = maxSim(queries[q]!, rows(from, to));
        if (lengths[p] === 0) expect(scores[q]![p]).toBe(Number.NEGATIVE_INFINITY);
        else expect(scores[q]![p]).toBeCloseTo(expected, 4);
        from = to;
      }
    }
  });
});

describe("numbers of reports", () => {
  test("the best positions come in order, ties to the earlier, without passages that cannot score", () => {
    const scores = Float32Array.of(1, Number.NEGATIVE_INFINITY, 3, 1, 2);
    expect(bestPositions(scores, 10)).toEqual([2, 4, 0, 3]);
    expect(bestPositions(scores, 2)).toEqual([2, 4]);
  });

  test("overlap is the mean share of what was expected", () => {
    expect(
      overlap(
        [
          ["a", "b"],
          ["c", "d"],
        ],
        [
          ["b", "a"],
          ["x", "c"],
        ],
        2,
      ),
    ).toBe(0.75);
    expect(overlap([["a", "b"]], [["b", "a"]], 1)).toBe(0);
  });

  test("quantiles are values of the sample", () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([3, 1, 2], 0.95)).toBe(3);
  });
});
