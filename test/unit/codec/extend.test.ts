import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Codec } from "../../../src/codec/codec.js";
import { CoverageMeter, designEnergy, NO_TOKEN_ID, uncoveredTokens } from "../../../src/codec/coverage.js";
import { CoverageCollector } from "../../../src/codec/coverage-collector.js";
import { type ExtendInput, extendCodec } from "../../../src/codec/extend.js";
import { isExtensionOf } from "../../../src/codec/extension-check.js";
import { planExtension } from "../../../src/codec/extension-plan.js";
import { normalResiduals, trainQuantizer } from "../../../src/codec/quantizer.js";
import { joinVectors, slice } from "../../../src/codec/rows.js";
import { trainCodec } from "../../../src/codec/train.js";
import type { Codebook, QuantizedVectors } from "../../../src/kernels/backend.js";
import { quantizeVectors } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { selectKernels } from "../../../src/kernels/select.js";
import { SyntheticCorpus } from "../../support/synthetic.js";

const DIM = 16;
/** Results are the same on every backend; the reference takes longer. */
const { backend } = selectKernels();

interface Tokens {
  readonly vectors: QuantizedVectors;
  readonly rows: Float32Array;
  readonly tokenIds: Uint32Array;
}

/** Passages `from` .. `to - 1` of one corpus, whose later passages bring ids that the earlier ones do not have. */
function tokens(corpus: SyntheticCorpus, from: number, to: number): Tokens {
  const passages = corpus.passages.slice(from, to);
  const rows = Float32Array.from(passages.flatMap(({ vectors }) => [...vectors]));
  const tokenIds = Uint32Array.from(passages.flatMap((passage) => [...passage.tokenIds]));
  return { vectors: quantizeVectors(rows, tokenIds.length, DIM), rows, tokenIds };
}

function trained({ vectors, tokenIds }: Tokens, nbits: 1 | 2 | 4, withIds = true): Codec {
  const ids = withIds ? tokenIds : null;
  const budget = Math.max(1, Math.round(vectors.count / 4));
  return trainCodec({ vectors, tokenIds: ids, heldOut: 0, nbits, seed: 1, budget }, backend);
}

function extended(codec: Codec, input: ExtendInput): Codec {
  const found = extendCodec(codec, input, backend);
  expect(found).not.toBeNull();
  return found!;
}

/** Dot products with the centroids, as the assignment kernel compares them. */
function similarities(
  { count, dim, values }: QuantizedVectors,
  codes: Uint32Array,
  codebook: Codebook,
): number[] {
  return Array.from({ length: count }, (_, i) => {
    let dot = 0;
    for (let d = 0; d < dim; d++) dot += values[i * dim + d]! * (codebook.values[codes[i]! * dim + d]! - 64);
    return Math.fround(dot * codebook.scales[codes[i]!]!);
  });
}

function fidelity(codec: Codec, { vectors, rows, tokenIds }: Tokens): number {
  const decoded = codec.decode(codec.encode(vectors, tokenIds, backend));
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += rows[i]! * decoded[i]!;
  return sum / vectors.count;
}

const corpus = new SyntheticCorpus({ passages: 40, tokens: 30, dim: DIM, vocabulary: 200 });
const first = tokens(corpus, 0, 4);
const later = tokens(corpus, 4, 20);
const all = first.vectors.count + later.vectors.count;
const input: ExtendInput = { vectors: later.vectors, tokenIds: later.tokenIds, seed: 5, tokens: all };

describe.each([1, 2, 4] as const)("an extended codec of %d bits", (nbits) => {
  const codec = trained(first, nbits);
  const next = extended(codec, input);

  it("begins with the old codec", () => {
    expect(next.codebook.size).toBeGreaterThan(codec.codebook.size);
    expect(isExtensionOf(next, codec)).toBe(true);
    expect(isExtensionOf(codec, next)).toBe(false);
    expect(next.quantizer).toEqual(codec.quantizer);
  });

  it("decodes old tokens to the same vectors", () => {
    const compressed = codec.encode(first.vectors, first.tokenIds, backend);
    expect(next.decode(compressed)).toEqual(codec.decode(compressed));
  });

  it("knows every id of the new tokens, and comes closer to them", () => {
    for (const tokenId of later.tokenIds) expect(next.tokenGroups.tokenIds.has(tokenId)).toBe(true);
    expect(1 - fidelity(next, later)).toBeLessThan(0.75 * (1 - fidelity(codec, later)));
  });

  it("is the same codec for the same input and seed", () => {
    const again = extended(codec, input);
    expect(again.codebook).toEqual(next.codebook);
    expect(again.tokenGroups.groups).toEqual(next.tokenGroups.groups);
    expect(extendCodec(codec, input, referenceBackend)?.codebook).toEqual(next.codebook);
  });
});

describe("codes after an extension", () => {
  const scene = fc.record({
    seed: fc.nat(),
    known: fc.integer({ min: 1, max: 4 }),
    added: fc.integer({ min: 1, max: 6 }),
    noise: fc.constantFrom(0.2, 0.6, 2),
    vocabulary: fc.constantFrom(3, 20, 200),
    kinds: fc.constantFrom("ids", "no ids", "mixed ids", "no ids at all"),
  });

  it("are never of a less similar centroid", () => {
    fc.assert(
      fc.property(scene, ({ seed, known, added, noise, vocabulary, kinds }) => {
        const passages = known + added;
        const made = new SyntheticCorpus({ passages, tokens: 12, dim: DIM, vocabulary, noise, seed });
        const codec = trained(tokens(made, 0, known), 2, kinds !== "no ids at all");
        const { vectors, tokenIds } = tokens(made, known, passages);
        const mixed = tokenIds.map((id, i) => (i % 3 === 0 ? NO_TOKEN_ID : id));
        const ids = kinds === "no ids" ? null : kinds === "mixed ids" ? mixed : tokenIds;
        const next = extendCodec(codec, { vectors, tokenIds: ids, seed, tokens: passages * 12 }, backend);
        if (next === null) return;
        expect(isExtensionOf(next, codec)).toBe(true);
        const before = similarities(vectors, codec.assign(vectors, ids, backend), codec.codebook);
        const after = similarities(vectors, next.assign(vectors, ids, backend), next.codebook);
        after.forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(before[i]!);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("are no worse for vectors that were not seen, when their id was known", () => {
    const codec = trained(first, 2);
    const next = extended(codec, input);
    const unseen = tokens(corpus, 20, 40);
    const codes = [codec, next].map((each) => each.assign(unseen.vectors, unseen.tokenIds, backend));
    const before = similarities(unseen.vectors, codes[0]!, codec.codebook);
    const after = similarities(unseen.vectors, codes[1]!, next.codebook);
    const known = [...unseen.tokenIds.keys()].filter((i) =>
      codec.tokenGroups.tokenIds.has(unseen.tokenIds[i]!),
    );
    expect(known.length).toBeGreaterThan(100);
    for (const i of known) expect(after[i]).toBeGreaterThanOrEqual(before[i]!);
  });
});

describe("extensions of extensions", () => {
  it("keep every codec before them, and one document at a time ends near one training", () => {
    const steps = [tokens(corpus, 0, 1)];
    for (let p = 1; p < 20; p++) steps.push(tokens(corpus, p, p + 1));
    const chain = [trained(steps[0]!, 2)];
    steps.slice(1).forEach(({ vectors, tokenIds }, n) => {
      const codec = chain.at(-1)!;
      const next = extendCodec(codec, { vectors, tokenIds, seed: 5, tokens: 30 * (n + 2) }, backend);
      if (next !== null) chain.push(next);
    });
    expect(chain.length).toBeGreaterThan(5);
    for (const codec of chain) expect(isExtensionOf(chain.at(-1)!, codec)).toBe(true);
    const everything = tokens(corpus, 0, 20);
    const [one, grown, whole] = [chain[0]!, chain.at(-1)!, trained(everything, 2)].map(
      (codec) => 1 - fidelity(codec, everything),
    );
    expect(grown).toBeLessThan(one! / 2);
    expect(grown).toBeLessThan(1.5 * whole!);
  });

  it("stay within 16-bit codes", () => {
    const size = 65_530;
    const codec = trained(first, 1);
    const values = new Uint8Array(size * DIM).fill(70);
    values.set(codec.codebook.values);
    const scales = new Float32Array(size).fill(0.01);
    const large = new Codec({ size, dim: DIM, values, scales }, codec.quantizer, codec.tokenGroups);
    const plenty = { ...input, tokens: 50_000_000 };
    // Six centroids are left, fewer than a file is written for.
    expect(extendCodec(large, plenty, backend)).toBeNull();
  });
});

describe("nothing is extended", () => {
  const codec = trained(first, 4);

  it("without vectors", () => {
    const none = { ...input, vectors: slice(later.vectors, 0, 0), tokenIds: new Uint32Array(0) };
    expect(extendCodec(codec, none, backend)).toBeNull();
  });

  it("when the codec covers the vectors and is large enough", () => {
    const own = { vectors: first.vectors, tokenIds: first.tokenIds, seed: 1, tokens: 1 };
    expect(uncoveredTokens(codec, own.vectors, own.tokenIds, backend).length).toBe(0);
    expect(extendCodec(codec, own, backend)).toBeNull();
  });

  it("by vectors of another dimension", () => {
    const other = quantizeVectors(new Float32Array(8).fill(1), 1, 8);
    expect(() => extendCodec(codec, { ...input, vectors: other, tokenIds: null }, backend)).toThrow(
      expect.objectContaining({ code: "DIMENSION_MISMATCH" }),
    );
  });
});

describe("the energy that a quantizer was made for", () => {
  it.each([1, 2, 4] as const)("is that of the residuals it was trained on, %d bits", (nbits) => {
    for (const norm of [0.2, 0.7]) {
      const quantizer = trainQuantizer(normalResiduals([norm / Math.sqrt(128)]), nbits);
      expect(designEnergy(quantizer, 128)).toBeCloseTo(norm ** 2, 3);
    }
  });
});

describe("uncovered tokens", () => {
  const codec = trained(first, 2);

  it("are those of unknown ids and those with long residuals", () => {
    const { vectors, tokenIds } = later;
    const found = new Set(uncoveredTokens(codec, vectors, tokenIds, backend));
    const { energies } = new CoverageMeter(codec, backend).measure(vectors, tokenIds);
    const decodedEnergy = (i: number): number => {
      const code = codec.assign(slice(vectors, i, i + 1), tokenIds.subarray(i, i + 1), backend)[0]!;
      let energy = 0;
      for (let d = 0; d < DIM; d++) {
        const centroid = (codec.codebook.values[code * DIM + d]! - 64) * codec.codebook.scales[code]!;
        energy += (vectors.values[i * DIM + d]! * vectors.scales[i]! - centroid) ** 2;
      }
      return energy;
    };
    const { limit } = new CoverageMeter(codec, backend);
    expect(limit).toBeGreaterThan(0);
    expect(limit).toBeLessThanOrEqual(1);
    for (let i = 0; i < vectors.count; i++) {
      expect(energies[i]).toBeCloseTo(decodedEnergy(i), 6);
      const unknown = !codec.tokenGroups.tokenIds.has(tokenIds[i]!);
      expect(found.has(i)).toBe(unknown || energies[i]! > limit);
    }
    expect(found.size).toBeGreaterThan(0);
    expect(found.size).toBeLessThan(vectors.count);
  });

  it("have no unknown id without ids, or when the codec knows none", () => {
    const { vectors, tokenIds } = later;
    const without = new CoverageMeter(codec, backend).measure(vectors, null);
    const flat = new CoverageMeter(trained(first, 2, false), backend).measure(vectors, tokenIds);
    expect(without.unknown).toEqual(new Uint8Array(vectors.count));
    expect(flat.unknown).toEqual(new Uint8Array(vectors.count));
  });
});

describe("a plan", () => {
  const groups = {
    sizes: Uint32Array.of(1, 100, 3, 40, 5),
    fresh: Uint8Array.of(1, 0, 1, 0, 0),
    uncovered: Uint8Array.of(1, 1, 1, 0, 0),
    spreads: Float64Array.of(0, 1, 0.2, 0.5, 0.5),
  };

  it("gives fresh groups one each, and the rest where residuals are long", () => {
    expect([...planExtension(groups, 6, 16)]).toEqual([1, 4, 1, 0, 0]);
    expect([...planExtension(groups, 100, 16)]).toEqual([1, 6, 1, 2, 0]);
  });

  it("prefers the largest fresh groups when there is no room for all", () => {
    expect([...planExtension(groups, 1, 1)]).toEqual([0, 0, 1, 0, 0]);
    expect([...planExtension(groups, 0, 1)]).toEqual([0, 0, 0, 0, 0]);
  });
});

describe("a collector", () => {
  const codec = trained(first, 4);
  const collect = (sizes: readonly number[], capacity?: { uncovered: number; covered: number }) => {
    const options = capacity === undefined ? { seed: 5 } : { seed: 5, capacity };
    const collector = new CoverageCollector(codec, options, backend);
    let from = 0;
    for (const size of [...sizes, later.vectors.count]) {
      const to = Math.min(later.vectors.count, from + size);
      collector.add(slice(later.vectors, from, to), later.tokenIds.subarray(from, to));
      from = to;
    }
    return collector;
  };

  it("gives the same codec however the vectors come", () => {
    const whole = collect([]).extend(all)!;
    for (const capacity of [undefined, { uncovered: 60, covered: 20 }]) {
      const expected = collect([], capacity).extend(all)!;
      const parts = collect([1, 0, 100, 7], capacity);
      expect(parts.seen).toBe(later.vectors.count);
      expect(parts.uncovered).toBe(uncoveredTokens(codec, later.vectors, later.tokenIds, backend).length);
      expect(parts.extend(all)!.codebook).toEqual(expected.codebook);
      expect(expected.codebook.size).toBeLessThanOrEqual(whole.codebook.size);
    }
  });

  it("keeps no more than its capacity", () => {
    const next = collect([], { uncovered: 10, covered: 0 }).extend(all)!;
    expect(next.codebook.size).toBeLessThanOrEqual(codec.codebook.size + 10);
  });

  it("takes vectors without ids", () => {
    const collector = new CoverageCollector(codec, { seed: 5 }, backend);
    collector.add(later.vectors, null);
    const next = collector.extend(all)!;
    expect(next.tokenGroups.groups).toEqual(codec.tokenGroups.groups);
    expect(next.codebook.size).toBeGreaterThan(codec.codebook.size);
  });

  it("has nothing to extend by when it saw nothing", () => {
    expect(new CoverageCollector(codec, { seed: 5 }, backend).extend(all)).toBeNull();
  });
});

describe("joined vectors", () => {
  it("are those of the one, then those of the other", () => {
    const cut = 17;
    const { vectors } = later;
    const joined = joinVectors(slice(vectors, 0, cut), slice(vectors, cut, vectors.count));
    expect(joined).toEqual(vectors);
  });
});
