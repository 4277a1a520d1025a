/** A short run of the rig that kills backups and restores; `npm run test:faults` tries every call. */
import { expect, it } from "vitest";
import { nameOrReason } from "../support/cli.js";
import { run } from "./copies/kill-points.mjs";
import { interposer } from "./lib/interpose.mjs";

const { reason } = interposer() as { readonly reason?: string };

it.skipIf(reason !== undefined)(
  nameOrReason("a killed backup or restore leaves nothing half done", reason),
  { timeout: 300_000 },
  async () => {
    const { points, findings, wrong } = await run({ tier: "short", log: () => undefined });
    expect(findings).toEqual([]);
    expect(wrong).toBe(0);
    expect(points).toBeGreaterThan(10);
  },
);
