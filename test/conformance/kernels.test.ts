import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { KernelBackend } from "../../src/kernels/backend.js";
import { packCodebook, packQuery, quantizeVectors } from "../../src/kernels/pack.js";
import { referenceBackend } from "../../src/kernels/reference.js";
import { type BackendUnderTest, backendsUnderTest } from "./kernels/backends.js";
import {
  type KernelCase,
  outcomes,
  randomCase,
  type Shape,
  shareCase,
  standardShape,
} from "./kernels/cases.js";
import { exactScores } from "./kernels/oracle.js";
import { expectSame } from "./kernels/same.js";

function expectSameBits(backend: KernelBackend, input: KernelCase): void {
  expectSame(outcomes(backend, input), outcomes(referenceBackend, input));
}

const DIMS = [8, 16, 24, 64, 96, 120, 128, 136, 200, 256];
const BITS = [1, 2, 4] as const;

function suite({ name, backend, reason, activate }: BackendUnderTest): void {
  const title = reason === undefined ? name : `${name} (skipped: ${reason})`;
  describe.skipIf(backend === undefined)(title, () => {
    beforeEach(activate);
    const kernels = backend ?? referenceBackend;

    describe.each(DIMS)("dim %i", (dim) => {
      it.each(BITS)("agrees at %i bits", (nbits) => {
        expectSameBits(kernels, randomCase({ ...standardShape, dim, nbits, seed: dim + nbits }));
      });
    });

    it("agrees for every number of query tokens", () => {
      for (let queryTokens = 1; queryTokens <= 64; queryTokens++) {
        const shape = { ...standardShape, dim: 24, nbits: 2, passages: [3, 0, 9], queryTokens } as const;
        expectSameBits(kernels, randomCase({ ...shape, seed: queryTokens }));
      }
    });

    it("agrees for every passage length around its block sizes, with narrow and wide codes", () => {
      const passages = Array.from({ length: 80 }, (_, length) => length);
      for (const wideCodes of [false, true]) {
        for (const queryTokens of [9, 30, 40, 60]) {
          const shape = { ...standardShape, dim: 40, nbits: 2, passages, wideCodes, queryTokens } as const;
          expectSameBits(kernels, randomCase(shape));
        }
      }
    });

    it("agrees for codes beyond 16 bits", () => {
      const shape = { ...standardShape, dim: 8, centroids: 70_000, wideCodes: true, passages: [9, 4] };
      expectSameBits(kernels, { ...randomCase(shape), nprobe: 11 });
    });

    it("agrees on more data than a backend takes at a time", () => {
      const passages = [2047, 1, 5000, 0, 3, ...Array.from({ length: 1100 }, (_, i) => i % 4)];
      const shape = {
        ...standardShape,
        dim: 16,
        nbits: 1,
        centroids: 2500,
        queryTokens: 20,
        passages,
      } as const;
      const input = randomCase(shape);
      expectSameBits(kernels, { ...withVectors(input, 1100), nprobe: 1500 });
    });

    it("agrees on few tokens of a large table", () => {
      const shape = { ...standardShape, dim: 8, nbits: 2, centroids: 5000, passages: [7, 30, 2] } as const;
      for (const wideCodes of [false, true]) expectSameBits(kernels, randomCase({ ...shape, wideCodes }));
    });

    it("agrees on scales from subnormal to almost too large", () => {
      for (const magnitude of [1e-44, 1e-40, 1e-30, 1e-19, 1e12, 1e18]) {
        expectSameBits(kernels, randomCase({ ...standardShape, magnitude, passages: [40] }));
      }
    });

    it("agrees on shared memory", () => {
      for (const wideCodes of [false, true]) {
        expectSameBits(kernels, shareCase(randomCase({ ...standardShape, wideCodes })));
      }
    });

    it("agrees where products are as large as they get", () => {
      for (const [queryValue, documentValue] of [
        [127, 127],
        [-127, 127],
        [127, 1],
        [-127, 1],
      ] as const) {
        for (const dim of [128, 256]) {
          const input = randomCase({ ...standardShape, dim, queryTokens: 64 });
          input.query.values.fill(queryValue);
          input.query.bias.fill(64 * queryValue * dim);
          input.codebook.values.fill(documentValue);
          input.quantizer.weights.fill(documentValue);
          input.vectors.values.fill(queryValue);
          expectSameBits(kernels, input);
        }
      }
    });

    it("agrees on ties: equal centroids, equal tokens, equal scores", () => {
      const input = randomCase({ ...standardShape, centroids: 60, queryTokens: 20 });
      const { dim } = input.codebook;
      for (let k = 1; k < 60; k++) {
        input.codebook.values.copyWithin(k * dim, (k % 3) * dim, (k % 3) * dim + dim);
        input.codebook.scales[k] = input.codebook.scales[k % 3]!;
      }
      for (const nprobe of [1, 2, 7, 20, 21, 59, 60]) expectSameBits(kernels, { ...input, nprobe });
    });

    it("agrees on vectors of zeros", () => {
      const input = randomCase(standardShape);
      const { dim } = input.codebook;
      const zero: KernelCase = {
        ...input,
        query: packQuery(new Float32Array(5 * dim), 5, dim),
        codebook: packCodebook(new Float32Array(input.codebook.size * dim), dim),
        vectors: quantizeVectors(new Float32Array(4 * dim), 4, dim),
        ranges: input.ranges.subarray(0, 8),
      };
      expectSameBits(kernels, zero);
    });

    it("agrees on every binary16 inverse norm, infinities and NaN included", () => {
      const input = randomCase({ ...standardShape, dim: 8, nbits: 1, queryTokens: 3, passages: [1] });
      const inverseNorms = Uint16Array.from({ length: 65_536 }, (_, i) => i);
      const tokens = {
        codes: new Uint16Array(65_536),
        residuals: new Uint8Array(65_536).fill(0b10110010),
        inverseNorms,
      };
      const offsets = Uint32Array.from({ length: 65_537 }, (_, i) => i);
      expectSameBits(kernels, { ...input, tokens, offsets, passages: Uint32Array.of(0, 65_535) });
    });

    it("agrees on tokens without a norm", () => {
      const input = randomCase({ ...standardShape, nbits: 2 });
      input.codebook.scales.fill(0);
      expectSameBits(kernels, { ...input, quantizer: { ...input.quantizer, weightScale: 0 } });
      expectSameBits(kernels, { ...input, quantizer: { ...input.quantizer, weightScale: 1e-6 } });
    });

    it("agrees without vectors and without passages", () => {
      const input = randomCase({ ...standardShape, passages: [0, 0] });
      expectSameBits(kernels, input);
      expectSameBits(kernels, { ...input, offsets: Uint32Array.of(0), passages: new Uint32Array(0) });
    });

    it("writes only the result when outputs are longer", () => {
      const { query, codebook } = randomCase(standardShape);
      const out = new Float32Array(codebook.size * query.lanes + 16).fill(7);
      const bytes = new Uint8Array(codebook.size * query.lanes + 16).fill(7);
      kernels.centroidScores(query, codebook, out, bytes);
      expect(out.subarray(-16)).toEqual(new Float32Array(16).fill(7));
      expect(bytes.subarray(-16)).toEqual(new Uint8Array(16).fill(7));
    });

    it("agrees on random shapes", () => {
      const shape: fc.Arbitrary<Shape> = fc.record({
        seed: fc.integer(),
        queryTokens: fc.integer({ min: 1, max: 64 }),
        dim: fc.integer({ min: 1, max: 32 }).map((eighth) => 8 * eighth),
        nbits: fc.constantFrom(...BITS),
        centroids: fc.integer({ min: 1, max: 90 }),
        passages: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 5 }),
        wideCodes: fc.boolean(),
        magnitude: fc.constantFrom(1e-42, 1e-3, 1, 1e9),
      });
      fc.assert(
        fc.property(shape, (drawn) => expectSameBits(kernels, randomCase(drawn))),
        { numRuns: 40 },
      );
    });

    it("computes the formula, within rounding", () => {
      for (const nbits of BITS) {
        const input = unitCase(nbits);
        const table = new Float32Array(input.codebook.size * input.query.lanes);
        kernels.centroidScores(input.query, input.codebook, table, null);
        const out = new Float32Array(input.offsets.length - 1);
        kernels.maxsim(input.query, input.quantizer, table, input.tokens, input.offsets, null, out);
        const expected = exactScores(input);
        out.forEach((score, i) => {
          expect(Math.abs(score - expected[i]!)).toBeLessThan(1e-4);
        });
      }
    });
  });
}

/** The same case with another number of vectors, each with a range that reaches over many centroids. */
function withVectors(input: KernelCase, count: number): KernelCase {
  const { dim, size } = input.codebook;
  const values = Float32Array.from({ length: count * dim }, (_, i) => Math.sin(i * 1.7));
  const ranges = Uint32Array.from({ length: 2 * count }, (_, i) =>
    i % 2 === 0 ? (i * 7) % (size / 2) : size - ((i * 3) % (size / 2)),
  );
  return { ...input, vectors: quantizeVectors(values, count, dim), ranges };
}

/** Unit vectors that were compressed by the reference, as an index holds them. */
function unitCase(nbits: 1 | 2 | 4): KernelCase {
  const input = randomCase({ ...standardShape, nbits, dim: 96, passages: [30, 40], magnitude: 0.1 });
  const { vectors, codebook, quantizer } = input;
  const codes = new Uint32Array(vectors.count);
  referenceBackend.assign(vectors, codebook, null, codes);
  const residuals = new Uint8Array((vectors.count * vectors.dim * nbits) / 8);
  const inverseNorms = new Uint16Array(vectors.count);
  referenceBackend.compress(vectors, codebook, quantizer, codes, residuals, inverseNorms);
  return { ...input, tokens: { codes, residuals, inverseNorms } };
}

for (const backend of backendsUnderTest()) suite(backend);
