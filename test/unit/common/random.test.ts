import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../../src/common/random.js";

/** Computed apart from the code under test, in Python, from the published algorithms. */
const SEQUENCE_OF_42 = [660444221, 3652823732, 77672526, 910233633];

const take = (random: Random, count: number) => Array.from({ length: count }, () => random.uint32());

describe("Random", () => {
  it("repeats with its seed and differs with another", () => {
    expect(take(new Random(7), 100)).toEqual(take(new Random(7), 100));
    expect(take(new Random(7), 4)).not.toEqual(take(new Random(8), 4));
  });

  it("keeps its sequence: indexes depend on it", () => {
    expect(take(new Random(42), 4)).toEqual(SEQUENCE_OF_42);
  });

  it("stays within the bounds", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 31 }), (seed, bound) => {
        const random = new Random(seed);
        const float = random.float();
        const below = random.below(bound);
        return float >= 0 && float < 1 && Number.isInteger(below) && below >= 0 && below < bound;
      }),
    );
  });

  it("is uniform and normal to the eye", () => {
    const random = new Random(3);
    const count = 20_000;
    let uniform = 0;
    let normal = 0;
    let squares = 0;
    for (let i = 0; i < count; i++) {
      uniform += random.float();
      const value = random.normal();
      normal += value;
      squares += value * value;
    }
    expect(Math.abs(uniform / count - 0.5)).toBeLessThan(0.01);
    expect(Math.abs(normal / count)).toBeLessThan(0.03);
    expect(Math.abs(squares / count - 1)).toBeLessThan(0.04);
  });

  it("samples distinct ascending integers", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(200), fc.nat(200), (seed, count, bound) => {
        const sample = [...new Random(seed).sample(count, bound)];
        expect(sample.length).toBe(Math.min(count, bound));
        expect(sample.every((value, i) => value < bound && (i === 0 || value > sample[i - 1]!))).toBe(true);
      }),
    );
  });

  it("samples every element alike", () => {
    const seen = new Array<number>(10).fill(0);
    const random = new Random(5);
    for (let i = 0; i < 5000; i++) for (const id of random.sample(3, 10)) seen[id]!++;
    for (const count of seen) expect(Math.abs(count - 1500)).toBeLessThan(150);
  });
});
