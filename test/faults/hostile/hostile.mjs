/** Inputs that nobody should have, through the public API and the command line: a table of what became of each. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { runCases } from "../lib/case-runner.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";
import { writeTinyModel } from "../lib/tiny-model.mjs";
import { ROWS } from "./rows.mjs";

export const name = "hostile corpora";

/** @param {{ tier: "short" | "long", log: (line: string) => void, only?: RegExp }} options `only`: rows by name */
export async function run({ tier, log, only }) {
  const result = { ...newResult(name), table: [] };
  const scratch = scratchFolder("hostile");
  const model = join(scratch.folder, "model");
  mkdirSync(model);
  try {
    await writeTinyModel(model);
    const rows = [...ROWS.values()].filter((row) => only === undefined || only.test(row.name));
    for (const seconds of [...new Set(rows.map((row) => row.seconds ?? 20))]) {
      await runCases({
        program: new URL("hostile-child.mjs", import.meta.url),
        setup: { scratch: scratch.folder, model, tier },
        cases: rows.filter((row) => (row.seconds ?? 20) === seconds).map((row) => ({ row: row.name })),
        watchdog: seconds * 1000,
        onOutcome({ row }, outcome) {
          result.points++;
          const { failure, outcome: became, grown, seconds: took } = outcome.value ?? {};
          if (outcome.kind !== "done") {
            addFinding(result, "unopenable", `${row}: ${JSON.stringify(outcome).slice(0, 1000)}`);
          } else if (failure !== undefined) {
            addFinding(result, "wrong", `${row}: ${failure.slice(0, 1000)}`);
          } else {
            const line = `${row}: ${became} (${took.toFixed(1)} s, ${grown} MiB)`;
            result.table.push(line);
            log(line);
          }
        },
      });
    }
  } finally {
    scratch.remove();
  }
  result.rounds = result.points;
  result.notes.push(...result.table);
  return result;
}
