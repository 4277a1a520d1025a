import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CodeAssigner } from "../../../src/codec/assigner.js";
import { Codec } from "../../../src/codec/codec.js";
import { decodeCodecFile, writeCodecFile } from "../../../src/codec/codec-file.js";
import { type TokenGroup, TokenGroups } from "../../../src/codec/token-groups.js";
import { Random } from "../../../src/common/random.js";
import { packCodebook, quantizeVectors } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { readSectionFile } from "../../../src/storage/section-reader.js";

const DIM = 8;
const INDEX_ID = "00112233445566778899aabbccddeeff";

/** Centroids of which several are equal, and vectors. */
function scene(seed: number, size: number, count: number) {
  const random = new Random(seed);
  const rows = Float32Array.from({ length: size * DIM }, () => random.below(3) - 1 || 0.5);
  const vectors = Float32Array.from({ length: count * DIM }, () => random.normal());
  return { codebook: packCodebook(rows, DIM), vectors: quantizeVectors(vectors, count, DIM) };
}

/** Groups as an owner of each of `owners.length` centroids gives them: one row for each run of one owner. */
function rowsOf(owners: readonly number[]): TokenGroup[] {
  const rows: TokenGroup[] = [];
  let first = 0;
  for (let k = 1; k <= owners.length; k++) {
    if (k < owners.length && owners[k] === owners[first]) continue;
    rows.push({ tokenId: owners[first]!, first, count: k - first });
    first = k;
  }
  return rows.sort((a, b) => a.tokenId - b.tokenId || a.first - b.first);
}

/** The nearest of the centroids that `belongs` says, the lower one of equals, by the kernel's own comparison of two. */
function nearest(
  codebook: ReturnType<typeof packCodebook>,
  vector: ReturnType<typeof quantizeVectors>,
  codes: number[],
) {
  let best = codes[0]!;
  for (const code of codes) {
    const pair = packPair(codebook, best, code);
    const winner = new Uint32Array(1);
    referenceBackend.assign(vector, pair, null, winner);
    if (winner[0] === 1) best = code;
  }
  return best;
}

function packPair({ values, scales }: ReturnType<typeof packCodebook>, a: number, b: number) {
  const rows = [a, b].flatMap((k) => [...values.subarray(k * DIM, (k + 1) * DIM)]);
  return {
    size: 2,
    dim: DIM,
    values: Uint8Array.from(rows),
    scales: Float32Array.of(scales[a]!, scales[b]!),
  };
}

describe("codes with the centroids of an id in several places", () => {
  it("are the nearest over all ranges of the id, ties to the lower code", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(fc.constantFrom(3, 5, 9), { minLength: 1, maxLength: 24 }),
        fc.array(fc.tuple(fc.constantFrom(3, 5, 9), fc.nat({ max: 23 })), { maxLength: 4 }),
        (seed, owners, extra) => {
          const { codebook, vectors } = scene(seed, owners.length, 20);
          const shared = extra
            .filter(([tokenId, k]) => k < owners.length && owners[k] !== tokenId)
            .map(([tokenId, first]) => ({ tokenId, first, count: 1 }));
          const distinct = new Map(shared.map((row) => [`${row.tokenId} ${row.first}`, row]));
          const rows = [...rowsOf(owners), ...distinct.values()];
          rows.sort((a, b) => a.tokenId - b.tokenId || a.first - b.first);
          const ids = Uint32Array.from({ length: 20 }, (_, i) => [3, 5, 9, 4][i % 4]!);
          const codes = new CodeAssigner(codebook, new TokenGroups(rows)).assign(
            vectors,
            ids,
            referenceBackend,
          );
          codes.forEach((code, i) => {
            const own = rows
              .filter(({ tokenId }) => tokenId === ids[i])
              .flatMap(({ first, count }) => Array.from({ length: count }, (_, n) => first + n))
              .sort((a, b) => a - b);
            const vector = {
              count: 1,
              dim: DIM,
              values: vectors.values.subarray(i * DIM, (i + 1) * DIM),
              scales: vectors.scales.subarray(i, i + 1),
            };
            const candidates = own.length > 0 ? own : [...owners.keys()];
            expect(code).toBe(nearest(codebook, vector, candidates));
          });
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("groups in a codec file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "maxsim-groups-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const { codebook } = scene(1, 10, 1);
  const quantizer = {
    nbits: 1 as const,
    cutoffs: Float32Array.of(0),
    weights: Uint8Array.of(1, 127),
    weightScale: 0.01,
  };

  async function roundTrip(groups: readonly TokenGroup[]): Promise<Codec> {
    const summary = await writeCodecFile(
      folder,
      INDEX_ID,
      new Codec(codebook, quantizer, new TokenGroups(groups)),
    );
    const path = join(folder, summary.name);
    const { fileId, length } = summary;
    return decodeCodecFile(await readSectionFile(path, { type: "codec", indexId: INDEX_ID, fileId, length }));
  }

  it("come back when ids have several ranges and share centroids", async () => {
    const groups = [
      { tokenId: 2, first: 0, count: 3 },
      { tokenId: 2, first: 3, count: 1 },
      { tokenId: 2, first: 7, count: 2 },
      { tokenId: 6, first: 1, count: 1 },
      { tokenId: 6, first: 4, count: 3 },
    ];
    const codec = await roundTrip(groups);
    expect(codec.tokenGroups.groups).toEqual(groups);
    expect([...codec.tokenGroups.tokenIds]).toEqual([2, 6]);
  });

  it.each<[string, readonly TokenGroup[]]>([
    [
      "ids that descend",
      [
        { tokenId: 3, first: 0, count: 1 },
        { tokenId: 2, first: 1, count: 1 },
      ],
    ],
    [
      "ranges of an id that descend",
      [
        { tokenId: 3, first: 4, count: 1 },
        { tokenId: 3, first: 1, count: 1 },
      ],
    ],
    [
      "ranges of an id that overlap",
      [
        { tokenId: 3, first: 1, count: 3 },
        { tokenId: 3, first: 3, count: 1 },
      ],
    ],
    [
      "the same range twice",
      [
        { tokenId: 3, first: 1, count: 3 },
        { tokenId: 3, first: 1, count: 3 },
      ],
    ],
    ["an empty range", [{ tokenId: 3, first: 1, count: 0 }]],
    ["a range beyond the codebook", [{ tokenId: 3, first: 9, count: 2 }]],
    ["a range whose end does not fit 32 bits", [{ tokenId: 3, first: 1, count: 0xffffffff }]],
    [
      "more shared centroids than rows",
      [
        { tokenId: 3, first: 0, count: 10 },
        { tokenId: 4, first: 0, count: 10 },
      ],
    ],
  ])("are refused with %s", async (_, groups) => {
    await expect(roundTrip(groups)).rejects.toMatchObject({ code: "CORRUPT" });
  });
});
