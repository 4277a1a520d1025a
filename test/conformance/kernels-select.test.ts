/** Selection of the highest scores: every backend against the definition. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Random } from "../../src/common/random.js";
import { referenceBackend } from "../../src/kernels/reference.js";
import { type BackendUnderTest, backendsUnderTest } from "./kernels/backends.js";
import { share } from "./kernels/cases.js";
import { selectedByDefinition } from "./kernels/lists.js";
import { expectSame } from "./kernels/same.js";

const SPECIAL = [
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  Number.POSITIVE_INFINITY,
  0,
  -0,
  1e-45,
  -1e-45,
  3.4e38,
  -3.4e38,
  1,
];

function suite({ name, backend, reason, activate }: BackendUnderTest): void {
  const title = reason === undefined ? name : `${name} (skipped: ${reason})`;
  describe.skipIf(backend === undefined)(title, () => {
    beforeEach(activate);
    const kernels = backend ?? referenceBackend;

    function expectDefinition(scores: Float32Array, limit: number): void {
      const expected = selectedByDefinition(scores, limit);
      const out = new Uint32Array(Math.min(limit, scores.length) + 3).fill(77);
      const count = kernels.selectTop(scores, limit, out);
      expect(count).toBe(Math.min(limit, scores.length));
      expectSame({ selected: out }, { selected: Uint32Array.of(...expected, 77, 77, 77) });
    }

    it("follows the definition for every limit on few scores", () => {
      const random = new Random(5);
      for (const length of [0, 1, 2, 15, 16, 17, 40]) {
        const scores = Float32Array.from({ length }, () => random.normal());
        for (let limit = 0; limit <= length + 2; limit++) expectDefinition(scores, limit);
        expectDefinition(scores, 2 ** 31 - 1);
      }
    });

    it("follows the definition on ties, infinities, signed zeros and what is not a number", () => {
      const score = fc.oneof(fc.constantFrom(...SPECIAL), fc.float(), fc.integer({ min: -2, max: 2 }));
      fc.assert(
        fc.property(fc.array(score, { maxLength: 80 }), fc.nat(90), (scores, limit) => {
          expectDefinition(Float32Array.from(scores), limit);
        }),
        { numRuns: 200 },
      );
    });

    const kinds: [string, (i: number, random: Random) => number][] = [
      ["normal", (_, random) => random.normal()],
      ["integers", (_, random) => random.below(400)],
      ["equal", () => -1.5],
      ["equal but one", (i) => (i === 4000 ? 1 : 0)],
      ["ascending", (i) => i],
      ["descending", (i) => -i],
      ["of all magnitudes", (_, random) => random.normal() * 10 ** (random.below(70) - 38)],
      ["special", (_, random) => SPECIAL[random.below(SPECIAL.length)]!],
      ["mostly not a number", (i, random) => (i % 97 === 0 ? random.normal() : Number.NaN)],
      ["mostly infinite", (i, random) => (i % 97 === 0 ? random.normal() : Number.POSITIVE_INFINITY)],
      // What a guess from every fourth or so would see is much higher, or lower, than the rest.
      ["high now and then", (i, random) => random.float() + (i % 4 === 0 ? 1000 : 0)],
      ["low now and then", (i, random) => random.float() - (i % 4 === 0 ? 1000 : 0)],
      ["close to each other", (_, random) => 1 + random.below(3) * 2 ** -23],
    ];

    it.each(kinds)("follows the definition on many scores that are %s", (_, draw) => {
      for (const length of [1023, 4095, 4096, 9001]) {
        const random = new Random(length);
        const scores = Float32Array.from({ length }, (_, i) => draw(i, random));
        for (const limit of [1, 7, 256, length >> 1, length - 1, length]) expectDefinition(scores, limit);
      }
    });

    it("agrees on shared memory, at any offset", () => {
      const random = new Random(9);
      const scores = Float32Array.from({ length: 5000 }, () => random.normal());
      const out = share(new Uint32Array(40));
      expect(kernels.selectTop(share(scores), 40, out)).toBe(40);
      expect([...out]).toEqual(selectedByDefinition(scores, 40));
    });
  });
}

for (const backend of backendsUnderTest()) suite(backend);
