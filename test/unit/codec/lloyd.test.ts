import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countingSort, groupBy, groupVariances } from "../../../src/codec/groups.js";
import { lloyd } from "../../../src/codec/lloyd.js";
import { centroidRange, pickCentroids, pickVectors, slice } from "../../../src/codec/rows.js";
import type { QuantizedVectors } from "../../../src/kernels/backend.js";
import { packCodebook, quantizeVectors } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { SyntheticCorpus, unit } from "../../support/synthetic.js";

const DIM = 16;

function rowsOf(count: number): Float32Array {
  const [passage] = new SyntheticCorpus({ passages: 1, tokens: count, dim: DIM, vocabulary: 12 }).passages;
  return passage!.vectors;
}

function meanBest(vectors: QuantizedVectors, centroids: ReturnType<typeof packCodebook>): number {
  const codes = new Uint32Array(vectors.count);
  referenceBackend.assign(vectors, centroids, null, codes);
  let sum = 0;
  codes.forEach((code, i) => {
    for (let d = 0; d < DIM; d++) {
      const centroid = (centroids.values[code * DIM + d]! - 64) * centroids.scales[code]!;
      sum += vectors.values[i * DIM + d]! * vectors.scales[i]! * centroid;
    }
  });
  return sum / vectors.count;
}

describe("k-means", () => {
  const vectors = quantizeVectors(rowsOf(400), 400, DIM);
  const start = Uint32Array.from({ length: 12 }, (_, k) => k * 33);

  it("brings centroids nearer with each iteration", () => {
    const found = [0, 1, 4, 20].map((iterations) =>
      meanBest(vectors, lloyd({ vectors, start, iterations }, referenceBackend)),
    );
    expect(found[1]).toBeGreaterThan(found[0]! + 0.01);
    expect(found[2]).toBeGreaterThan(found[1]!);
    expect(found[3]).toBeGreaterThanOrEqual(found[2]! - 1e-4);
  });

  it("with one centroid is the direction of the sum", () => {
    const { values, scales } = lloyd({ vectors, start: Uint32Array.of(3), iterations: 9 }, referenceBackend);
    const sum = new Float32Array(DIM);
    for (let i = 0; i < vectors.count * DIM; i++) {
      sum[i % DIM]! += vectors.values[i]! * vectors.scales[Math.floor(i / DIM)]!;
    }
    const expected = packCodebook(unit(sum), DIM);
    expect(values).toEqual(expected.values);
    expect(scales[0]).toBeCloseTo(expected.scales[0]!, 6);
  });

  it("leaves a centroid without vectors where it is", () => {
    const row = rowsOf(1);
    const same = quantizeVectors(
      Float32Array.from({ length: 5 * DIM }, (_, i) => row[i % DIM]!),
      5,
      DIM,
    );
    // Of two equal centroids the first takes everything.
    const found = lloyd({ vectors: same, start: Uint32Array.of(0, 0), iterations: 3 }, referenceBackend);
    const [first, second] = [centroidRange(found, 0, 1), centroidRange(found, 1, 2)];
    for (let d = 0; d < DIM; d++) {
      expect(Math.abs(first.values[d]! - second.values[d]!)).toBeLessThanOrEqual(1);
    }
  });
});

describe("rows", () => {
  it("are copied from wherever they lie", () => {
    fc.assert(
      fc.property(
        fc.nat(7),
        fc.array(fc.nat(9), { minLength: 1, maxLength: 30 }).map((chosen) => Uint32Array.from(chosen)),
        (offset, chosen) => {
          const bytes = Uint8Array.from({ length: 10 * DIM + offset }, (_, i) => 1 + (i % 127));
          const values = bytes.subarray(offset);
          const scales = Float32Array.from({ length: 10 }, (_, i) => i);
          const signed = new Int8Array(values.buffer, values.byteOffset, values.length);
          const centroids = pickCentroids({ size: 10, dim: DIM, values, scales }, chosen);
          const vectors = pickVectors({ count: 10, dim: DIM, values: signed, scales }, chosen);
          chosen.forEach((i, n) => {
            const row = [...values.subarray(i * DIM, (i + 1) * DIM)];
            expect([...centroidRange(centroids, n, n + 1).values]).toEqual(row);
            expect([...slice(vectors, n, n + 1).values]).toEqual(row);
            expect([centroids.scales[n], vectors.scales[n]]).toEqual([i, i]);
          });
        },
      ),
    );
  });
});

describe("groups", () => {
  const keys = fc.array(fc.oneof(fc.nat(5), fc.constant(0xffffffff)), { maxLength: 40 });

  it("hold each entry once, in order, whatever the keys are", () => {
    fc.assert(
      fc.property(
        keys.map((list) => Uint32Array.from(list)),
        (list) => {
          const grouping = groupBy(list);
          expect([...grouping.keys]).toEqual([...new Set(list)].sort((a, b) => a - b));
          grouping.keys.forEach((key, g) => {
            const members = [...grouping.members.subarray(grouping.starts[g], grouping.starts[g + 1])];
            expect(members).toEqual([...list.keys()].filter((i) => list[i] === key));
          });
        },
      ),
    );
  });

  it("are empty for keys that do not occur", () => {
    expect([...countingSort(Uint32Array.of(3, 1, 3), 5).starts]).toEqual([0, 0, 1, 1, 3, 3]);
  });

  it("vary as 1 - |mean|^2, large ones measured by a part", () => {
    const row = rowsOf(3000);
    const vectors = quantizeVectors(row, 3000, DIM);
    const one = groupBy(new Uint32Array(3000));
    const mean = new Float64Array(DIM);
    row.forEach((x, i) => {
      mean[i % DIM]! += x / 3000;
    });
    const exact = 1 - mean.reduce((sum, x) => sum + x * x, 0);
    expect(groupVariances(vectors, one)[0]).toBeCloseTo(exact, 1);
    const few = quantizeVectors(row.slice(0, 2 * DIM), 2, DIM);
    const same = groupBy(Uint32Array.of(0, 1));
    expect(Math.max(...groupVariances(few, same))).toBeLessThan(0.01);
  });
});
