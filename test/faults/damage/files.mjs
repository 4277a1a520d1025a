/**
 * D1: each file of an index cut, emptied, zeroed, deleted, exchanged, or replaced by what is no file. An index answers
 * rightly, or refuses naming the file.
 */
import { dirname, join } from "node:path";
import { Random, sampleOf, seedOf } from "../lib/random.mjs";
import { wholeFileDamages } from "./damage.mjs";
import { damageResult, lookAt, withFixtures } from "./damage-run.mjs";
import { filesOf } from "./fixture.mjs";

export const name = "D1 damaged files";

/** Files of the same type that could stand in the place of another one. */
function exchanges(fixture, base, file) {
  const { folder, generations } = fixture;
  const states = Array.from({ length: generations + 1 }, (_, g) => join("states", String(g)));
  return [...states, "logged", "compacted", "namesake", "stranger"].flatMap((other) =>
    filesOf(join(folder, other))
      .filter((candidate) => (file.includes("/") ? dirname(candidate) === dirname(file) : candidate === file))
      .map((candidate) => join(folder, other, candidate))
      .filter((by) => by !== join(baseFolder(fixture, base), file))
      .map((by) => ({ kind: "replace", by })),
  );
}

const baseFolder = (fixture, base) => (base === "index" ? fixture.index : join(fixture.folder, base));

/** Every case of a fixture. */
function casesOf(fixture, f, bases) {
  return bases.flatMap((base) =>
    filesOf(baseFolder(fixture, base)).flatMap((file) => {
      const path = join(baseFolder(fixture, base), file);
      const all = [...wholeFileDamages(path), ...exchanges(fixture, base, file)];
      return all.map((damage) => ({ fixture: f, base, file, damage, write: true }));
    }),
  );
}

export async function run({ tier, log }) {
  const short = tier === "short";
  return withFixtures(short ? [2] : [1, 2, 4], async (fixtures, scratch) => {
    const all = fixtures.flatMap((fixture, f) => casesOf(fixture, f, ["index", "logged", "compacted"]));
    const seed = seedOf(1);
    const cases = short ? sampleOf(all, 100, new Random(seed)) : all;
    log(`${name}: ${cases.length} of ${all.length} cases, seed ${seed}`);
    return damageResult(name, await lookAt(fixtures, scratch, cases));
  });
}
