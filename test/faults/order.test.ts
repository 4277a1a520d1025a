/** The short tier of the rigs of mutants and of snapshots; `npm run test:faults` runs all of it. */
import { expect, it } from "vitest";
import { run as surviveMutants } from "./crash/mutants.mjs";
import { run as readSnapshots } from "./crash/snapshots.mjs";

it.for([
  ["a commit orders its calls so that a power cut tears nothing, and every mutant is caught", surviveMutants],
  ["every answer of a reader is that of one generation", readSnapshots],
] as const)("%s", { timeout: 300_000 }, async ([, run], test) => {
  const { findings, points, skipped } = await run({ tier: "short", log: () => undefined });
  expect(findings).toEqual([]);
  if (points === 0) test.skip(skipped.join("; "));
});
