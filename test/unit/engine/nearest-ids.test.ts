import { describe, expect, it } from "vitest";
import { editDistance } from "../../../src/common/edit-distance.js";
import { nearestIds } from "../../../src/engine/nearest-ids.js";

describe("nearestIds", () => {
  const ids = ["garden/tomatoes.md", "garden/Potatoes.md", "car", "cart", "birds.jsonl:3", "heron.txt"];

  it.each([
    ["CAR", ["car"]],
    ["carp", ["car", "cart"]],
    ["tomatoes.md", ["garden/tomatoes.md"]],
    ["notes/garden/tomatoes.md", ["garden/tomatoes.md"]],
    ["heron", ["heron.txt"]],
    ["garden/tomtaoes.md", ["garden/tomatoes.md", "garden/Potatoes.md"]],
    ["birds.jsonl:4", ["birds.jsonl:3"]],
    ["volcano", []],
    ["", []],
  ])("of %j are %j", (id, expected) => {
    expect(nearestIds(id, ids)).toEqual(expected);
  });

  it("offers three at most, and looks at 20,000 at most", () => {
    expect(nearestIds("n0", ["n4", "n3", "n2", "n1"])).toEqual(["n1", "n2", "n3"]);
    let read = 0;
    const endless = (function* () {
      for (;;) {
        read++;
        yield `document ${read}`;
      }
    })();
    expect(nearestIds("volcano", endless)).toEqual([]);
    expect(read).toBe(20_001);
  });

  it("does not compare very long ids letter by letter", () => {
    const long = "x".repeat(1024);
    const many = Array.from({ length: 20_000 }, (_, i) => `${"y".repeat(1000)}${i}`);
    const started = performance.now();
    expect(nearestIds(long, many)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(nearestIds(long, [long.toUpperCase()])).toEqual([long.toUpperCase()]);
  });
});

describe("editDistance", () => {
  it.each([
    ["year", "year", 0],
    ["yaer", "year", 1],
    ["yer", "year", 1],
    ["kitten", "sitting", 3],
    ["", "abc", 3],
  ])("of %j and %j is %i", (a, b, expected) => {
    expect(editDistance(a, b, 10)).toBe(expected);
    expect(editDistance(b, a, 10)).toBe(expected);
  });

  it("says no more than that a limit is exceeded", () => {
    expect(editDistance("a", "abcdefgh", 2)).toBeGreaterThan(2);
  });
});
