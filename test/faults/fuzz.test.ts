/** A short run of the fuzzer; `npm run test:faults` gives it minutes, and the addon's fuzzer as well. */
import { expect, it } from "vitest";
import { run, SHORT_POINTS } from "./hostile/fuzz.mjs";

it("readers of random changes refuse or answer rightly", { timeout: 600_000 }, async () => {
  const { points, findings } = await run({ tier: "short", log: () => undefined });
  expect(findings).toEqual([]);
  expect(points).toBe(SHORT_POINTS);
});
