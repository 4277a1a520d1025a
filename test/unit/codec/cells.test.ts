import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CodeAssigner, MIN_CENTROIDS_FOR_CELLS } from "../../../src/codec/assigner.js";
import { CentroidCells } from "../../../src/codec/cells.js";
import { slice } from "../../../src/codec/rows.js";
import { TokenGroups } from "../../../src/codec/token-groups.js";
import type { Codebook, KernelBackend, QuantizedVectors } from "../../../src/kernels/backend.js";
import { packCodebook, quantizeVectors } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { selectKernels } from "../../../src/kernels/select.js";
import { SyntheticCorpus, unit } from "../../support/synthetic.js";

const DIM = 32;

/** Token-like vectors, and other ones of the same corpus as centroids. */
function scene(centroids: number, vectors: number): { codebook: Codebook; vectors: QuantizedVectors } {
  const tokens = 20;
  const passages = Math.ceil((centroids + vectors) / tokens);
  const corpus = new SyntheticCorpus({ passages, tokens, dim: DIM, vocabulary: 2000, noise: 0.4 });
  const rows = Float32Array.from(corpus.passages.flatMap((passage) => [...passage.vectors]));
  return {
    codebook: packCodebook(rows.slice(0, centroids * DIM), DIM),
    vectors: quantizeVectors(rows.slice(centroids * DIM, (centroids + vectors) * DIM), vectors, DIM),
  };
}

function exactCodes(
  vectors: QuantizedVectors,
  codebook: Codebook,
  kernels: KernelBackend = referenceBackend,
): Uint32Array {
  const codes = new Uint32Array(vectors.count);
  kernels.assign(vectors, codebook, null, codes);
  return codes;
}

function cellCodes(
  vectors: QuantizedVectors,
  codebook: Codebook,
  kernels: KernelBackend = referenceBackend,
): Uint32Array {
  const codes = new Uint32Array(vectors.count);
  new CentroidCells(codebook, kernels).assign(vectors, codes, kernels);
  return codes;
}

function dot(vectors: QuantizedVectors, i: number, codebook: Codebook, k: number): number {
  let sum = 0;
  for (let d = 0; d < DIM; d++) sum += vectors.values[i * DIM + d]! * (codebook.values[k * DIM + d]! - 64);
  return sum * vectors.scales[i]! * codebook.scales[k]!;
}

describe("cells of centroids", () => {
  it("find nearly the nearest centroid of nearly every vector", () => {
    const { codebook, vectors } = scene(1500, 1500);
    const exact = exactCodes(vectors, codebook);
    const found = cellCodes(vectors, codebook);
    let same = 0;
    let lost = 0;
    exact.forEach((code, i) => {
      if (code === found[i]) same++;
      lost += dot(vectors, i, codebook, code) - dot(vectors, i, codebook, found[i]!);
    });
    expect(same / vectors.count).toBeGreaterThan(0.9);
    expect(lost / vectors.count).toBeLessThan(0.01);
    expect(lost).toBeGreaterThanOrEqual(0);
  });

  it("give a vector the same code alone and among others", () => {
    const { codebook, vectors } = scene(600, 1200);
    const cells = new CentroidCells(codebook, referenceBackend);
    const together = new Uint32Array(vectors.count);
    cells.assign(vectors, together, referenceBackend);
    fc.assert(
      fc.property(fc.nat(vectors.count - 1), fc.integer({ min: 1, max: 100 }), (from, count) => {
        const to = Math.min(vectors.count, from + count);
        const codes = new Uint32Array(to - from);
        cells.assign(slice(vectors, from, to), codes, referenceBackend);
        expect(codes).toEqual(together.subarray(from, to));
      }),
      { numRuns: 30 },
    );
  });

  it("are exact while every cell is looked into", () => {
    for (const size of [1, 2, 3, 4]) {
      const { codebook, vectors } = scene(size, 100);
      expect(cellCodes(vectors, codebook)).toEqual(exactCodes(vectors, codebook));
    }
  });

  it("choose the lowest of equal centroids", () => {
    const row = unit(Float32Array.from({ length: DIM }, (_, d) => d + 1));
    const codebook = packCodebook(
      Float32Array.from({ length: 300 * DIM }, (_, i) => row[i % DIM]!),
      DIM,
    );
    const vectors = quantizeVectors(row, 1, DIM);
    expect([...cellCodes(vectors, codebook)]).toEqual([0]);
  });

  it("are the same on the backend of this machine as on the reference", () => {
    const { backend } = selectKernels();
    const { codebook, vectors } = scene(700, 500);
    expect(cellCodes(vectors, codebook, backend)).toEqual(cellCodes(vectors, codebook));
  });
});

describe("the codes of a codec", () => {
  const { codebook, vectors } = scene(40, 60);
  const groups = new TokenGroups([
    { tokenId: 7, first: 0, count: 10 },
    { tokenId: 9, first: 10, count: 30 },
  ]);

  it("lie among the centroids of the id, and are the nearest of all for an unknown one", () => {
    const ids = Uint32Array.from({ length: vectors.count }, (_, i) => [7, 9, 8, 4_000_000_000][i % 4]!);
    const codes = new CodeAssigner(codebook, groups).assign(vectors, ids, referenceBackend);
    const ranges = [...ids].flatMap((id) => (id === 7 ? [0, 10] : id === 9 ? [10, 40] : [0, 40]));
    const expected = new Uint32Array(vectors.count);
    referenceBackend.assign(vectors, codebook, Uint32Array.from(ranges), expected);
    expect(codes).toEqual(expected);
  });

  it("are the nearest of all without ids, or when the codec was trained without them", () => {
    const expected = exactCodes(vectors, codebook);
    const ids = new Uint32Array(vectors.count).fill(7);
    const flat = new CodeAssigner(codebook, new TokenGroups([]));
    expect(new CodeAssigner(codebook, groups).assign(vectors, null, referenceBackend)).toEqual(expected);
    expect(flat.assign(vectors, null, referenceBackend)).toEqual(expected);
    expect(flat.assign(vectors, ids, referenceBackend)).toEqual(expected);
  });

  it("come from cells when there are many centroids", () => {
    const { backend } = selectKernels();
    const large = scene(MIN_CENTROIDS_FOR_CELLS, 400);
    const ids = Uint32Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 5 : 6));
    const five = new TokenGroups([{ tokenId: 5, first: 100, count: 1 }]);
    const codes = new CodeAssigner(large.codebook, five).assign(large.vectors, ids, backend);
    const nearest = cellCodes(large.vectors, large.codebook, backend);
    expect(codes).toEqual(nearest.map((code, i) => (i % 2 === 0 ? 100 : code)));
  });

  it("are none for no vectors", () => {
    const none = slice(vectors, 0, 0);
    expect(new CodeAssigner(codebook, groups).assign(none, new Uint32Array(0), referenceBackend)).toEqual(
      new Uint32Array(0),
    );
  });
});
