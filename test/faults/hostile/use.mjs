/** Strain in one process: opening without end, closing and aborting in the middle, two writers, readers beside a writer. */

import { withFixtures } from "../damage/damage-run.mjs";
import { runCases } from "../lib/case-runner.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { USE_ROWS } from "./use-rows.mjs";

export const name = "strain in one process";

export async function run({ tier, log }) {
  const result = newResult(name);
  await withFixtures([2], async ([fixture], scratch) => {
    // A process each, so that one row does not count what another one left.
    for (const { name: row, seconds } of USE_ROWS.values()) {
      await runCases({
        program: new URL("use-child.mjs", import.meta.url),
        setup: { scratch, index: fixture.index, tier },
        cases: [{ row }],
        watchdog: seconds * 1000,
        onOutcome(_, outcome) {
          result.points++;
          if (outcome.kind !== "done")
            addFinding(result, "unopenable", `${row}: ${JSON.stringify(outcome).slice(0, 1000)}`);
          else if (outcome.value.failure !== undefined)
            addFinding(result, "wrong", `${row}: ${outcome.value.failure.slice(0, 1000)}`);
          else {
            result.notes.push(`${row}: ${outcome.value.outcome}`);
            log(result.notes.at(-1));
          }
        },
      });
    }
  });
  result.rounds = result.points;
  return result;
}
