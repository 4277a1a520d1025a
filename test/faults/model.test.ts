/** A short run of the model test; `npm run test:faults` runs ten times as many programs, with another seed each time. */
import { expect, it } from "vitest";
import { RUNS, run } from "./model/model.mjs";

it("random programs leave an index as a map of documents would be, and searches exact", {
  timeout: 600_000,
}, async () => {
  const { rounds, findings, skipped } = await run({ tier: "short", log: () => undefined });
  expect(findings).toEqual([]);
  expect(skipped).toEqual([]);
  expect(rounds).toBe(RUNS.short);
});
