/** The byte table and centroid interaction on it: every backend against the definition, bit by bit. */
import { beforeEach, describe, expect, it } from "vitest";
import { Random } from "../../src/common/random.js";
import type { Codebook, PackedQuery } from "../../src/kernels/backend.js";
import { referenceBackend } from "../../src/kernels/reference.js";
import { type BackendUnderTest, backendsUnderTest } from "./kernels/backends.js";
import { expectSame } from "./kernels/same.js";

const DIM = 8;

/** A query whose token q has the value `values[q]` in its first dimension and no other. */
function axisQuery(values: readonly number[], scales: readonly number[]): PackedQuery {
  const tokens = values.length;
  const lanes = Math.ceil(tokens / 16) * 16;
  const packed = new Int8Array(DIM * lanes);
  const bias = new Int32Array(lanes);
  values.forEach((value, q) => {
    packed[4 * q] = value;
    bias[q] = 64 * value;
  });
  const padded = new Float32Array(lanes);
  padded.set(scales);
  return { tokens, lanes, dim: DIM, values: packed, scales: padded, bias };
}

/** Centroid k has the value `values[k]` in its first dimension and no other. */
function axisCodebook(values: readonly number[], scales: readonly number[]): Codebook {
  const rows = new Uint8Array(values.length * DIM).fill(64);
  values.forEach((value, k) => {
    rows[k * DIM] = 64 + value;
  });
  return { size: values.length, dim: DIM, values: rows, scales: Float32Array.from(scales) };
}

/** Of a score and the scale of its query token. */
function byteByDefinition(score: number, scale: number): number {
  const y = Math.fround(Math.fround(Math.fround(score * scale) * 255) + 0.5);
  return y > 0 ? Math.trunc(Math.min(y, 255)) : 0;
}

function suite({ name, backend, reason, activate }: BackendUnderTest): void {
  const title = reason === undefined ? name : `${name} (skipped: ${reason})`;
  describe.skipIf(backend === undefined)(title, () => {
    beforeEach(activate);
    const kernels = backend ?? referenceBackend;

    function expectBytes(query: PackedQuery, codebook: Codebook): Uint8Array {
      const table = new Float32Array(codebook.size * query.lanes).fill(-1);
      const bytes = new Uint8Array(codebook.size * query.lanes).fill(99);
      kernels.centroidScores(query, codebook, table, bytes);
      const expected = Uint8Array.from(table, (score, cell) =>
        byteByDefinition(score, query.scales[cell % query.lanes]!),
      );
      expectSame({ bytes }, { bytes: expected });
      return bytes;
    }

    it("rounds cosines to the nearest step, halves up", () => {
      // With the scale 1 / 255 / 2 of a centroid, products are halves of a step.
      const values = Array.from({ length: 64 }, (_, q) => 2 * q - 63);
      const query = axisQuery(
        values,
        values.map(() => 1),
      );
      for (const scale of [1 / 510, 1 / 255, 1 / 254.99, 1 / 765]) {
        const rows = Array.from({ length: 21 }, (_, k) => k - 10);
        expectBytes(
          query,
          axisCodebook(
            rows,
            rows.map(() => scale),
          ),
        );
      }
    });

    it("has 0 for what is negative and 255 for what is more than 1, however far", () => {
      const scales = [1e-30, 1e-5, 1, 1e10, 1e30];
      for (const tokens of [3, 20, 40, 64]) {
        const values = Array.from({ length: tokens }, (_, q) => (q % 2 === 0 ? 127 : -127));
        for (const scale of scales) {
          const query = axisQuery(
            values,
            values.map(() => scale),
          );
          const bytes = expectBytes(query, axisCodebook([63, -63, 1, 0, 63], scales));
          for (let q = tokens; q < query.lanes; q++) expect(bytes[4 * query.lanes + q]).toBe(0);
        }
      }
    });

    it("has 0 for query tokens whose scale is 0", () => {
      const query = axisQuery([127, 127, -127], [0, 1, 0]);
      expect([...expectBytes(query, axisCodebook([63, 63], [1, 1])).subarray(0, 3)]).toEqual([0, 255, 0]);
    });

    it("adds up the greatest bytes of every lane exactly", () => {
      const random = new Random(11);
      for (const tokens of [1, 16, 17, 32, 33, 48, 49, 64]) {
        const query = axisQuery(new Array<number>(tokens).fill(1), new Array<number>(tokens).fill(1));
        const { lanes } = query;
        const size = 300;
        const tables = [
          Uint8Array.from({ length: size * lanes }, () => random.below(256)),
          Uint8Array.from({ length: size * lanes }, () => (random.below(50) === 0 ? 255 : random.below(3))),
          new Uint8Array(size * lanes).fill(255),
          new Uint8Array(size * lanes),
        ];
        const lengths = [0, 1, 2, 3, 15, 16, 17, 31, 64, 100, 300, 0, 5];
        const offsets = Uint32Array.from({ length: lengths.length + 1 }, (_, p) =>
          lengths.slice(0, p).reduce((sum, length) => sum + length, 0),
        );
        const codes = Array.from({ length: offsets.at(-1)! }, () => random.below(size));
        const passages = Uint32Array.of(12, 0, 9, 9, 4, 11, 10, 1, 2, 3, 5, 6, 7, 8, 12);
        for (const bytes of tables) {
          const expected = lengths.map((length, p) => {
            if (length === 0) return Number.NEGATIVE_INFINITY;
            let sum = 0;
            for (let lane = 0; lane < lanes; lane++) {
              const tokensOfPassage = codes.slice(offsets[p]!, offsets[p + 1]!);
              sum += Math.max(...tokensOfPassage.map((code) => bytes[code * lanes + lane]!));
            }
            return sum;
          });
          for (const typed of [Uint16Array.from(codes), Uint32Array.from(codes)]) {
            const all = new Float32Array(lengths.length + 1).fill(-7);
            kernels.approximate(query, bytes, typed, offsets, null, all);
            const some = new Float32Array(passages.length).fill(-7);
            kernels.approximate(query, bytes, typed, offsets, passages, some);
            expectSame(
              { all, some },
              {
                all: Float32Array.of(...expected, -7),
                some: Float32Array.from(passages, (p) => expected[p]!),
              },
            );
          }
        }
      }
    });
  });
}

for (const backend of backendsUnderTest()) suite(backend);
