import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromFloat16, toFloat16 } from "../../../src/common/float16.js";

describe("float16", () => {
  it("gives back all 65536 bit patterns; every NaN becomes the quiet one", () => {
    const wrong: number[] = [];
    for (let half = 0; half < 65536; half++) {
      const nan = (half & 0x7fff) > 0x7c00;
      // A number does not keep the sign of a NaN.
      const back = toFloat16(fromFloat16(half));
      if (nan ? (back & 0x7fff) !== 0x7e00 : back !== half) wrong.push(half);
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.001, 0x0001],
    [2 ** -14, 0x0400],
    // Ties to even: between 1 and 1 + 2^-10, and between 1 + 2^-10 and 1 + 2^-9.
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
  ])("%d is %i in bits", (value, half) => {
    expect(toFloat16(value)).toBe(half);
  });

  it("rounds to the nearest", () => {
    fc.assert(
      fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (double) => {
        const value = Math.fround(double);
        const half = toFloat16(value);
        const error = Math.abs(fromFloat16(half) - value);
        for (const neighbour of [half - 1, half + 1]) {
          const other = fromFloat16(neighbour & 0xffff);
          if (Number.isFinite(other) && Math.sign(other) === Math.sign(value)) {
            expect(error).toBeLessThanOrEqual(Math.abs(other - value));
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
