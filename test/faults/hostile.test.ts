/** A short run of hostile inputs; `npm run test:faults` takes them as large as they can be. */
import { expect, it } from "vitest";
import { run } from "./hostile/hostile.mjs";

it("hostile inputs are stored or refused with a reason, in bounded memory and time", {
  timeout: 600_000,
}, async () => {
  const { points, findings } = await run({ tier: "short", log: () => undefined });
  expect(findings).toEqual([]);
  expect(points).toBeGreaterThan(20);
});
