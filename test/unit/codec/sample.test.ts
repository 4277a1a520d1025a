import { describe, expect, it } from "vitest";
import { quantile } from "../../../src/codec/quantile.js";
import {
  centroidBudget,
  centroidTotal,
  MAX_SAMPLE_TOKENS,
  samplePassages,
} from "../../../src/codec/sample.js";

describe("centroidBudget", () => {
  // The published table of K against corpus tokens for 2^floor(log2(16 sqrt(T))).
  it.each([
    [100_000, 4096],
    [608_000, 8192],
    [1_200_000, 16_384],
    [7_000_000, 32_768],
    [70_000_000, 131_072],
    [700_000_000, 262_144],
  ])("%d tokens get %d centroids", (tokens, expected) => {
    expect(centroidBudget(tokens)).toBe(expected);
  });

  it("gives a single token one centroid of its own at least", () => {
    expect(centroidBudget(0)).toBe(1);
    expect(centroidBudget(1)).toBe(16);
  });
});

describe("centroidTotal", () => {
  it.each([
    ["all of budget and ids while they fit 16 bits", 16_384, 20_000, 36_384],
    ["what 16 bits can name when they do not", 65_536, 20_000, 65_536],
    ["what 16 bits can name for vectors without ids", 131_072, 0, 65_536],
    ["more for a vocabulary that would take half of that", 65_536, 40_000, 105_536],
    ["more for a very large corpus", 262_144, 20_000, 282_144],
  ])("is %s", (_, budget, ids, expected) => {
    expect(centroidTotal(budget, ids)).toBe(expected);
  });
});

describe("samplePassages", () => {
  it("takes everything of a small corpus", () => {
    expect(samplePassages(1, 200)).toBe(1);
    expect(samplePassages(5183, 200)).toBe(5183);
  });

  it("follows 1 + 16 sqrt(120 N) for large ones", () => {
    expect(samplePassages(100_000, 20)).toBe(55_426);
  });

  it("never exceeds the memory cap", () => {
    expect(samplePassages(10_000_000, 250) * 250).toBeLessThanOrEqual(MAX_SAMPLE_TOKENS);
  });
});

describe("quantile", () => {
  it("interpolates linearly at q (n - 1)", () => {
    const sorted = Float32Array.of(0, 1, 2, 10);
    expect(quantile(sorted, 0)).toBe(0);
    expect(quantile(sorted, 1)).toBe(10);
    expect(quantile(sorted, 0.5)).toBe(1.5);
    expect(quantile(sorted, 5 / 6)).toBeCloseTo(6, 6);
  });

  it("of one value is that value, of none is 0", () => {
    expect(quantile(Float32Array.of(3), 0.7)).toBe(3);
    expect(quantile(new Float32Array(), 0.7)).toBe(0);
  });
});
