/** The short tier of the rigs that kill a writer and let its calls fail; `npm run test:faults` runs all of it. */
import { expect, it } from "vitest";
import { run as failCalls } from "./crash/io-errors.mjs";
import { run as killAtPoints } from "./crash/kill-points.mjs";
import { run as killRandomly } from "./crash/random-kill.mjs";

it.for([
  ["killed in front of a call that changes a file loses nothing that it acknowledged", killAtPoints],
  ["killed at a random time loses nothing that it acknowledged", killRandomly],
  ["whose calls fail says so with a typed error, and the next one goes on", failCalls],
] as const)("a writer %s", { timeout: 300_000 }, async ([, run], test) => {
  const { findings, points, skipped } = await run({ tier: "short", log: () => undefined });
  expect(findings).toEqual([]);
  if (points === 0) test.skip(skipped.join("; "));
});
