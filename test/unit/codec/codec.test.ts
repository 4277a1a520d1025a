import { describe, expect, it } from "vitest";
import { allocateCentroids, groupBy } from "../../../src/codec/groups.js";
import { trainCodec } from "../../../src/codec/train.js";
import type { QuantizedVectors } from "../../../src/kernels/backend.js";
import { quantizeVectors } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { SyntheticCorpus } from "../../support/synthetic.js";

const DIM = 32;

function corpus(
  passages: number,
  seed = 7,
): { vectors: QuantizedVectors; rows: Float32Array; tokenIds: Uint32Array } {
  const synthetic = new SyntheticCorpus({ passages, tokens: 40, dim: DIM, seed });
  const rows = Float32Array.from(synthetic.passages.flatMap((passage) => [...passage.vectors]));
  const tokenIds = Uint32Array.from(synthetic.passages.flatMap((passage) => [...passage.tokenIds]));
  return { vectors: quantizeVectors(rows, tokenIds.length, DIM), rows, tokenIds };
}

/** Mean cosine between the vectors and what comes back from the codec. */
function fidelity(rows: Float32Array, decoded: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += rows[i]! * decoded[i]!;
  return sum / (rows.length / DIM);
}

describe("grouping", () => {
  it("sorts members by key, numbers ascending inside a group", () => {
    const { keys, starts, members } = groupBy(Uint32Array.of(9, 2, 9, 2, 5));
    expect([...keys]).toEqual([2, 5, 9]);
    expect([...starts]).toEqual([0, 2, 3, 5]);
    expect([...members]).toEqual([1, 3, 4, 0, 2]);
  });

  it("gives each group one centroid and the rest by sqrt(n) times variance", () => {
    const counts = allocateCentroids(Uint32Array.of(10_000, 100, 1), Float64Array.of(0.5, 0.5, 0), 25, 4);
    expect([...counts]).toEqual([21, 3, 1]);
  });

  it("passes on what a capped group cannot use", () => {
    const counts = allocateCentroids(Uint32Array.of(8, 1000), Float64Array.of(0.9, 0.1), 20, 4);
    expect(counts[0]).toBe(2);
    expect(counts[1]).toBeGreaterThanOrEqual(17);
  });

  it("keeps one centroid each when there are more groups than the budget", () => {
    expect([...allocateCentroids(Uint32Array.of(5, 5, 5), Float64Array.of(1, 1, 1), 2, 1)]).toEqual([
      1, 1, 1,
    ]);
  });
});

describe.each([
  ["with token ids", true],
  ["without token ids", false],
])("a codec trained %s", (_, withIds) => {
  const { vectors, rows, tokenIds } = corpus(140);
  const ids = withIds ? tokenIds : null;
  const train = (nbits: 1 | 2 | 4) =>
    trainCodec({ vectors, tokenIds: ids, nbits, heldOut: 400, seed: 3, budget: 512 }, referenceBackend);

  it("comes closer to the vectors with more bits", () => {
    const found = ([1, 2, 4] as const).map((nbits) => {
      const codec = train(nbits);
      return fidelity(rows, codec.decode(codec.encode(vectors, ids, referenceBackend)));
    });
    expect(found[0]).toBeGreaterThan(0.9);
    expect(found[1]).toBeGreaterThan(found[0]! + 0.01);
    expect(found[2]).toBeGreaterThan(found[1]! + 0.01);
    expect(found[2]).toBeGreaterThan(0.99);
  });

  it("is the same codec for the same seed and another for another", () => {
    const codec = train(2);
    const again = train(2);
    const other = trainCodec(
      { vectors, tokenIds: ids, heldOut: 400, nbits: 2, seed: 4, budget: 512 },
      referenceBackend,
    );
    expect(again.codebook).toEqual(codec.codebook);
    expect(again.quantizer).toEqual(codec.quantizer);
    expect(other.codebook.values).not.toEqual(codec.codebook.values);
  });

  it("decodes to unit vectors", () => {
    const codec = train(1);
    const decoded = codec.decode(codec.encode(vectors, ids, referenceBackend));
    for (let at = 0; at < decoded.length; at += DIM * 97) {
      const norm = Math.hypot(...decoded.subarray(at, at + DIM));
      expect(Math.abs(norm - 1)).toBeLessThan(1e-3);
    }
  });
});

describe("a codec for token ids", () => {
  const { vectors, tokenIds } = corpus(100);
  const codec = trainCodec(
    { vectors, tokenIds, heldOut: 0, nbits: 4, seed: 1, budget: 64 },
    referenceBackend,
  );

  it("keeps every token inside the centroids of its id", () => {
    const { codes } = codec.encode(vectors, tokenIds, referenceBackend);
    const groups = new Map(codec.tokenGroups.groups.map((group) => [group.tokenId, group]));
    codes.forEach((code, i) => {
      const group = groups.get(tokenIds[i]!);
      if (group === undefined) return;
      expect(code).toBeGreaterThanOrEqual(group.first);
      expect(code).toBeLessThan(group.first + group.count);
    });
  });

  it("lets an unknown id choose among all centroids", () => {
    const one = {
      count: 1,
      dim: DIM,
      values: vectors.values.slice(0, DIM),
      scales: vectors.scales.slice(0, 1),
    };
    const free = codec.encode(one, null, referenceBackend);
    expect(codec.encode(one, Uint32Array.of(999_999), referenceBackend)).toEqual(free);
  });
});

describe("tiny corpora", () => {
  it.each([1, 2, 3, 20])("of %d tokens give a codec that still represents later documents", (count) => {
    const { vectors, tokenIds } = corpus(1);
    const few = {
      count,
      dim: DIM,
      values: vectors.values.slice(0, count * DIM),
      scales: vectors.scales.slice(0, count),
    };
    const ids = tokenIds.slice(0, count);
    const codec = trainCodec(
      { vectors: few, tokenIds: ids, heldOut: 0, nbits: 4, seed: 1, budget: 4 * count },
      referenceBackend,
    );
    const later = corpus(20, 99);
    const decoded = codec.decode(codec.encode(later.vectors, later.tokenIds, referenceBackend));
    expect(fidelity(later.rows, decoded)).toBeGreaterThan(0.6);
  });
});
