/** Gathering from posting lists: every backend against the definition, bit by bit. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Random } from "../../src/common/random.js";
import { referenceBackend } from "../../src/kernels/reference.js";
import { type BackendUnderTest, backendsUnderTest } from "./kernels/backends.js";
import { share } from "./kernels/cases.js";
import {
  dirtyScratch,
  encodeLists,
  type GatherCase,
  gathered,
  gatheredByDefinition,
} from "./kernels/lists.js";
import { expectSame } from "./kernels/same.js";

type Lists = readonly (readonly number[])[];

interface Shape {
  readonly seed: number;
  readonly tokens: number;
  readonly nprobe: number;
  readonly centroids: number;
  readonly passages: number;
  /** Mean distance of the passages of a list. */
  readonly gap: number;
  readonly excludes: boolean;
}

const standardShape: Shape = {
  seed: 1,
  tokens: 32,
  nprobe: 6,
  centroids: 40,
  passages: 3000,
  gap: 30,
  excludes: true,
};

function randomLists({ seed, centroids, passages, gap }: Shape): number[][] {
  const random = new Random(seed);
  return Array.from({ length: centroids }, () => {
    const list: number[] = [];
    // Lists differ in how dense they are, and some are empty.
    const step = 1 + random.below(2 * gap);
    if (random.below(8) > 0) {
      for (let p = random.below(step); p < passages; p += 1 + random.below(step)) list.push(p);
    }
    return list;
  });
}

function randomCase(shape: Shape, lists: Lists, bytes?: number): GatherCase {
  const random = new Random(shape.seed + 1);
  const { tokens, nprobe, centroids, passages } = shape;
  return {
    tokens,
    nprobe,
    passages,
    // A query token without a direction has the scale 0.
    scales: Float32Array.from({ length: tokens }, () => (random.below(9) === 0 ? 0 : random.float())),
    ids: Uint32Array.from({ length: tokens * nprobe }, () => random.below(centroids)),
    scores: descending(random, tokens, nprobe),
    postings: encodeLists(lists, bytes),
    excluded: shape.excludes
      ? Uint8Array.from({ length: passages }, () => (random.below(4) === 0 ? 1 + random.below(255) : 0))
      : null,
  };
}

/** Best first for each query token, with ties. */
function descending(random: Random, tokens: number, nprobe: number): Float32Array {
  const rows = Array.from({ length: tokens }, () =>
    Float32Array.from({ length: nprobe }, () => Math.round(random.normal() * 50) / 3)
      .sort()
      .reverse(),
  );
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

function suite({ name, backend, reason, activate }: BackendUnderTest): void {
  const title = reason === undefined ? name : `${name} (skipped: ${reason})`;
  describe.skipIf(backend === undefined)(title, () => {
    beforeEach(activate);
    const kernels = backend ?? referenceBackend;

    function expectDefinition(input: GatherCase, lists: Lists): void {
      const { passages, sums } = gatheredByDefinition(input, lists);
      expectSame(gathered(kernels, input), {
        count: Uint32Array.of(passages.length),
        passages: Uint32Array.from(passages),
        sums: Float32Array.from(sums),
        marks: new Uint8Array(input.passages),
        beyond: Float32Array.of(12_345, -12_345),
      });
    }

    it("follows the definition on random lists", () => {
      const shape = fc.record({
        seed: fc.integer({ min: 0, max: 1e9 }),
        tokens: fc.integer({ min: 1, max: 64 }),
        nprobe: fc.integer({ min: 1, max: 6 }),
        centroids: fc.integer({ min: 1, max: 30 }),
        passages: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 6000 })),
        gap: fc.constantFrom(2, 40, 127, 128, 700),
        excludes: fc.boolean(),
      });
      fc.assert(
        fc.property(shape, fc.integer({ min: 1, max: 5 }), (drawn, bytes) => {
          const lists = randomLists(drawn);
          expectDefinition(randomCase(drawn, lists, bytes), lists);
        }),
        { numRuns: 60 },
      );
    });

    it("follows the definition for every difference around the lengths of varints", () => {
      const deltas = [1, 2, 126, 127, 128, 129, 255, 256, 16_383, 16_384, 16_385, 40_000];
      const random = new Random(3);
      const lists = Array.from({ length: 300 }, (_, k) => {
        let passage = k % 3 === 0 ? 0 : random.below(300);
        return Array.from({ length: 1 + (k % 80) }, () => {
          const here = passage;
          passage += deltas[random.below(k % 2 === 0 ? deltas.length : 6)]!;
          return here;
        });
      });
      const passages = 1 + Math.max(...lists.map((list) => list.at(-1)!));
      const shape = { ...standardShape, centroids: lists.length, passages };
      expectDefinition(randomCase(shape, lists), lists);
    });

    it("follows the definition on more passages than its caches hold", () => {
      const shape = { ...standardShape, centroids: 8, passages: 1_200_000, gap: 3000 };
      const lists = randomLists(shape);
      expectDefinition(randomCase(shape, lists), lists);
    });

    it("leaves out every passage, or takes every one", () => {
      const lists = [Array.from({ length: 500 }, (_, p) => p)];
      const shape = { ...standardShape, centroids: 1, passages: 500 };
      const input = randomCase(shape, lists);
      expectDefinition({ ...input, excluded: new Uint8Array(500).fill(7) }, lists);
      expectDefinition({ ...input, excluded: new Uint8Array(500) }, lists);
      expectDefinition({ ...input, excluded: null }, lists);
    });

    it("takes empty lists, no passages at all, and lists that end at the last passage", () => {
      const shape = { ...standardShape, centroids: 3, passages: 9 };
      for (const lists of [
        [[], [], []],
        [[8], [], [0]],
        [[], [], [0, 1, 2, 3, 4, 5, 6, 7, 8]],
      ]) {
        expectDefinition(randomCase(shape, lists), lists);
      }
      const none = { ...standardShape, centroids: 2, passages: 0 };
      expectDefinition(randomCase(none, [[], []]), [[], []]);
    });

    it("adds scores from subnormal to infinite", () => {
      const lists = randomLists(standardShape);
      const input = randomCase(standardShape, lists);
      for (const magnitude of [1e-44, 1e-38, 1e30, Number.POSITIVE_INFINITY]) {
        const scores = input.scores.map((_, i) => (i % input.nprobe === 0 ? magnitude : -(i % input.nprobe)));
        // 0 times infinity would not be a number.
        expectDefinition({ ...input, scores, scales: input.scales.map(() => 0.5) }, lists);
      }
    });

    it("leaves its working memory ready for the next call", () => {
      const lists = randomLists(standardShape);
      const input = randomCase(standardShape, lists);
      const scratch = dirtyScratch(input.passages);
      const first = gathered(kernels, input, scratch);
      expectSame(gathered(kernels, input, scratch), first);
    });

    it("agrees on shared memory", () => {
      const lists = randomLists(standardShape);
      const input = randomCase(standardShape, lists);
      const { postings } = input;
      const shared: GatherCase = {
        ...input,
        ids: share(input.ids),
        scores: share(input.scores),
        postings: { offsets: share(postings.offsets), bytes: share(postings.bytes) },
        excluded: share(input.excluded!),
      };
      const { marks, sums } = dirtyScratch(input.passages);
      expectSame(
        gathered(kernels, shared, { marks: share(marks), sums: share(sums) }),
        gathered(kernels, input),
      );
    });

    /** Bytes of the list of one centroid, of which the sixth passage is the last. */
    const malformed: [string, number[]][] = [
      ["ends within a difference", [1, 0x81]],
      ["ends within its first passage", [0x80]],
      ["has a difference of six bytes", [1, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00]],
      ["names a passage twice", [1, 1, 0, 1]],
      ["names a passage twice within eight bytes", [1, 0, 1, 1, 1, 0, 0, 0, 0]],
      ["names a passage twice, with two bytes", [1, 0x80, 0, 1, 1, 1, 1, 1, 1, 1]],
      ["leads beyond the passages", [1, 5]],
      ["begins beyond the passages", [6]],
      ["leads beyond 32 bits", [0, 0xff, 0xff, 0xff, 0xff, 0x7f]],
      ["leads beyond 32 bits and round", [5, 0xff, 0xff, 0xff, 0xff, 0x0f]],
      ["leads beyond the passages late", [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ];

    it.each(malformed)("refuses a list that %s", (_, bytes) => {
      const input = {
        ...randomCase({ ...standardShape, centroids: 1, passages: 6, excludes: false }, [[0]]),
        postings: { offsets: Uint32Array.of(0, bytes.length), bytes: Uint8Array.from(bytes) },
      };
      expect(() => gathered(kernels, input)).toThrow(/postings.* malformed list of centroid 0/);
      expect(() => gathered(kernels, input)).toThrow(RangeError);
    });

    it("refuses lists that do not lie within their bytes, and centroids without a list", () => {
      const base = randomCase({ ...standardShape, centroids: 2, passages: 6 }, [[0], [5]]);
      const input = { ...base, ids: base.ids.fill(1) };
      for (const offsets of [
        [0, 1, 3],
        [0, 2, 1],
        [0, 0xffffffff, 2],
        [0, 1, 0xffffffff],
      ]) {
        const postings = { ...input.postings, offsets: Uint32Array.from(offsets) };
        expect(() => gathered(kernels, { ...input, postings })).toThrow(/postings.*centroid 1/);
      }
      for (const id of [2, 0xffffffff]) {
        const ids = input.ids.slice().fill(id, 3, 4);
        expect(() => gathered(kernels, { ...input, ids })).toThrow(/probes.ids must be below 2, found/);
      }
    });
  });
}

for (const backend of backendsUnderTest()) suite(backend);
