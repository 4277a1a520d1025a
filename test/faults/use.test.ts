/** A short run of what strains one process; `npm run test:faults` opens and closes a thousand times. */
import { expect, it } from "vitest";
import { run } from "./hostile/use.mjs";

it("an index survives many openings, aborts in the middle, two writers and readers beside one", {
  timeout: 600_000,
}, async () => {
  const { points, findings } = await run({ tier: "short", log: () => undefined });
  expect(findings).toEqual([]);
  expect(points).toBe(7);
});
