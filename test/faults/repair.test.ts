/** A short run of the rig that kills repairs; `npm run test:faults` tries every call. */
import { expect, it } from "vitest";
import { nameOrReason } from "../support/cli.js";
import { run } from "./crash/kill-repair.mjs";
import { interposer } from "./lib/interpose.mjs";

const { reason } = interposer() as { readonly reason?: string };

it.skipIf(reason !== undefined)(
  nameOrReason("a killed repair is done by the next one", reason),
  { timeout: 300_000 },
  async () => {
    const { findings, points } = await run({ tier: "short", log: () => undefined });
    expect(findings).toEqual([]);
    expect(points).toBeGreaterThan(8);
  },
);
