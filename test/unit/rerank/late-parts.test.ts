import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { floatQuery, maxSim } from "../../../src/rerank/late-maxsim.js";
import { textParts } from "../../../src/rerank/late-parts.js";

/** A token for every three characters of a word. */
function countTokens(text: string): number {
  return (text.match(/\S+/gu) ?? []).reduce((sum, word) => sum + Math.ceil(Array.from(word).length / 3), 0);
}

const words = (count: number): string => Array.from({ length: count }, (_, i) => `w${i % 90}`).join(" ");

describe("parts of a text", () => {
  it("are one where it fits, as it is", () => {
    const text = `  ${words(20)}\n\n${words(10)}\n`;
    expect(textParts(text, { maxTokens: 100, budget: 30, countTokens })).toEqual({
      parts: [text],
      cut: false,
    });
    expect(textParts("short", { maxTokens: 100, budget: 2, countTokens })).toEqual({
      parts: ["short"],
      cut: false,
    });
  });

  it("have all of its words and fit, whatever it is", () => {
    const word = fc
      .string({ minLength: 1, maxLength: 12, unit: "grapheme" })
      .map((w) => w.replace(/\s/gu, "x"));
    const gap = fc.constantFrom(" ", ". ", "\n", "\n\n");
    const text = fc.array(fc.tuple(word, gap), { minLength: 1, maxLength: 80 }).map((p) => p.flat().join(""));
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 8, max: 60 }),
        fc.integer({ min: 1, max: 80 }),
        (whole, budget, max) => {
          const { parts, cut } = textParts(whole, { maxTokens: max, budget, countTokens });
          const total = countTokens(whole);
          expect(cut).toBe(total > max);
          expect(parts.length).toBeGreaterThan(0);
          for (const part of parts) expect(countTokens(part)).toBeLessThanOrEqual(Math.max(budget, 1));
          const seen = parts.join(" ");
          if (!cut) for (const w of whole.split(/\s+/u)) expect(seen).toContain(w.slice(0, 3));
          else expect(whole).toContain(parts[0]!.trim());
        },
      ),
      { numRuns: 200 },
    );
  });

  it("end after the last word that counts", () => {
    expect(textParts("aaa bbb ccc ddd", { maxTokens: 3, budget: 10, countTokens })).toEqual({
      parts: ["aaa bbb ccc"],
      cut: true,
    });
    expect(textParts("  aaabbbccc", { maxTokens: 2, budget: 10, countTokens })).toEqual({
      parts: ["  aaabbb"],
      cut: true,
    });
    const { parts, cut } = textParts(words(100_000), { maxTokens: 300, budget: 64, countTokens });
    expect(cut).toBe(true);
    expect(parts.length).toBeLessThan(12);
    expect(parts.join(" ")).toContain(words(290).slice(-12));
  });

  it("are a character at least", () => {
    const everything = { maxTokens: 1, budget: 1, countTokens: (text: string) => 5 * text.length };
    expect(textParts("abc def", everything)).toMatchObject({ parts: ["a"], cut: true });
  });

  it("are not more for white space", () => {
    expect(textParts(`aaa${" ".repeat(500)}`, { maxTokens: 3, budget: 3, countTokens })).toEqual({
      parts: ["aaa"],
      cut: false,
    });
  });
});

describe("MaxSim of float vectors", () => {
  const rows = (count: number, dim: number): fc.Arbitrary<Float32Array> =>
    fc
      .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: count * dim, maxLength: count * dim })
      .map((values) => Float32Array.from(values));

  it("is the sum of the best dot products", () => {
    const dim = 8;
    const sizes = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 6 }));
    const pair = sizes.chain(([q, t]) => fc.tuple(rows(q, dim), rows(t, dim)));
    fc.assert(
      fc.property(pair, ([query, document]) => {
        let sum = 0;
        for (let q = 0; q < query.length; q += dim) {
          let best = Number.NEGATIVE_INFINITY;
          for (let t = 0; t < document.length; t += dim) {
            const products = Array.from({ length: dim }, (_, d) => query[q + d]! * document[t + d]!);
            best = Math.max(
              best,
              products.reduce((a, b) => a + b, 0),
            );
          }
          sum += best;
        }
        expect(maxSim(floatQuery(query, dim), document)).toBeCloseTo(sum, 5);
      }),
    );
  });

  it("of nothing is -Infinity", () => {
    expect(maxSim(floatQuery(new Float32Array(8), 8), new Float32Array(0))).toBe(Number.NEGATIVE_INFINITY);
  });
});
