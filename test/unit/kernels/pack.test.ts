import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packCodebook, packQuery, packWeights, quantizeVectors } from "../../../src/kernels/pack.js";

const component = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ min: -1, max: 1, noNaN: true }),
  fc.constantFrom(0, -0, 1e-45, -1e-45, 3.4028234663852886e38),
);

function rows(
  count: fc.Arbitrary<number>,
): fc.Arbitrary<{ count: number; dim: number; vectors: Float32Array }> {
  return fc
    .tuple(count, fc.constantFrom(8, 16, 24))
    .chain(([n, dim]) =>
      fc
        .array(component, { minLength: n * dim, maxLength: n * dim })
        .map((numbers) => ({ count: n, dim, vectors: Float32Array.from(numbers) })),
    );
}

/** Largest magnitude of row `row`. */
function largest(vectors: Float32Array, row: number, dim: number): number {
  return vectors.subarray(row * dim, (row + 1) * dim).reduce((max, x) => Math.max(max, Math.abs(x)), 0);
}

describe("quantizeVectors", () => {
  it("stays within half a step of every component, unless the scale underflows", () => {
    fc.assert(
      fc.property(rows(fc.integer({ min: 0, max: 4 })), ({ count, dim, vectors }) => {
        const quantized = quantizeVectors(vectors, count, dim);
        for (let i = 0; i < vectors.length; i++) {
          const row = Math.floor(i / dim);
          const scale = quantized.scales[row]!;
          const value = quantized.values[i]!;
          expect(Math.abs(value)).toBeLessThanOrEqual(127);
          expect(scale).toBe(Math.fround(largest(vectors, row, dim) / 127));
          // Scales near the smallest float32 are coarse themselves: the clamp may cost more than half a step.
          if (scale > 1e-36) expect(Math.abs(value * scale - vectors[i]!)).toBeLessThanOrEqual(scale * 0.501);
          if (scale === 0) expect(value).toBe(0);
        }
      }),
    );
  });

  it("rounds halves away from zero", () => {
    const vectors = Float32Array.of(127, 0.5, -0.5, 1.5, -1.5, 2.49, -2.5, 0);
    expect([...quantizeVectors(vectors, 1, 8).values]).toEqual([127, 1, -1, 2, -2, 2, -3, 0]);
  });

  it("refuses components that are not finite and says where", () => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const vectors = new Float32Array(24).fill(1);
      vectors[19] = odd;
      expect(() => quantizeVectors(vectors, 3, 8)).toThrow(
        expect.objectContaining({
          code: "INVALID_VECTOR",
          message: `token 2 must have finite components, found ${odd} at dimension 3`,
        }),
      );
    }
  });

  it("refuses shapes that do not fit", () => {
    const invalid = expect.objectContaining({ code: "INVALID_ARGUMENT" });
    expect(() => quantizeVectors(new Float32Array(16), 3, 8)).toThrow(invalid);
    expect(() => quantizeVectors(new Float32Array(12), 1, 12)).toThrow(invalid);
    expect(() => quantizeVectors(new Float32Array(264), 1, 264)).toThrow(invalid);
    expect(() => quantizeVectors(new Float32Array(8), -1, 8)).toThrow(invalid);
  });
});

describe("packQuery", () => {
  it("holds what quantizeVectors holds, interleaved and padded with zeros", () => {
    fc.assert(
      fc.property(rows(fc.integer({ min: 1, max: 20 })), ({ count, dim, vectors }) => {
        const query = packQuery(vectors, count, dim);
        const plain = quantizeVectors(vectors, count, dim);
        expect(query.lanes).toBe(count <= 16 ? 16 : 32);
        for (let lane = 0; lane < query.lanes; lane++) {
          let sum = 0;
          for (let d = 0; d < dim; d++) {
            const value = query.values[Math.floor(d / 4) * query.lanes * 4 + lane * 4 + (d % 4)]!;
            expect(value).toBe(lane < count ? plain.values[lane * dim + d] : 0);
            sum += value;
          }
          expect(query.scales[lane]).toBe(lane < count ? plain.scales[lane] : 0);
          expect(query.bias[lane]).toBe(64 * sum);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("takes 1 to 64 tokens", () => {
    const invalid = expect.objectContaining({ code: "INVALID_ARGUMENT" });
    expect(packQuery(new Float32Array(64 * 8), 64, 8).lanes).toBe(64);
    expect(() => packQuery(new Float32Array(65 * 8), 65, 8)).toThrow(invalid);
    expect(() => packQuery(new Float32Array(0), 0, 8)).toThrow(invalid);
    expect(() => packQuery(new Float32Array(8).fill(Number.NaN), 1, 8)).toThrow(
      expect.objectContaining({ code: "INVALID_VECTOR" }),
    );
  });
});

describe("packCodebook", () => {
  it("stays within half a step of every component, in 7 bits", () => {
    fc.assert(
      fc.property(rows(fc.integer({ min: 1, max: 4 })), ({ count, dim, vectors }) => {
        const codebook = packCodebook(vectors, dim);
        expect(codebook.size).toBe(count);
        for (let i = 0; i < vectors.length; i++) {
          const scale = codebook.scales[Math.floor(i / dim)]!;
          const value = codebook.values[i]!;
          expect(value).toBeGreaterThanOrEqual(1);
          expect(value).toBeLessThanOrEqual(127);
          if (scale > 1e-36) {
            expect(Math.abs((value - 64) * scale - vectors[i]!)).toBeLessThanOrEqual(scale * 0.501);
          }
        }
      }),
    );
  });

  it("is unchanged when its own values are packed again", () => {
    fc.assert(
      fc.property(rows(fc.integer({ min: 1, max: 3 })), ({ dim, vectors }) => {
        const small = vectors.map((x) => Math.fround(Math.sign(x) * Math.min(1, Math.abs(x))));
        const once = packCodebook(small, dim);
        if (once.scales.some((scale) => scale > 0 && scale < 1e-30)) return;
        const decoded = Float32Array.from(
          once.values,
          (value, i) => (value - 64) * once.scales[Math.floor(i / dim)]!,
        );
        expect(packCodebook(decoded, dim).values).toEqual(once.values);
      }),
    );
  });

  it("refuses an empty one and half a row", () => {
    const invalid = expect.objectContaining({ code: "INVALID_ARGUMENT" });
    expect(() => packCodebook(new Float32Array(0), 8)).toThrow(invalid);
    expect(() => packCodebook(new Float32Array(12), 8)).toThrow(invalid);
  });
});

describe("packWeights", () => {
  it("keeps the largest weight and the order", () => {
    const { weights, weightScale } = packWeights(Float32Array.of(-0.9, -0.2, 0.2, 1));
    expect(weightScale).toBe(Math.fround(1 / 63));
    expect([...weights]).toEqual([64 - 57, 64 - 13, 64 + 13, 127]);
  });

  it("packs zeros as the bias", () => {
    expect(packWeights(new Float32Array(2))).toEqual({ weights: Uint8Array.of(64, 64), weightScale: 0 });
  });

  it("refuses other numbers of weights", () => {
    expect(() => packWeights(new Float32Array(8))).toThrow("2, 4 or 16 numbers");
  });
});
