/**
 * C11: random programs of adding, replacing, deleting, aborting, racing, reopening and searching through two objects of one
 * index, compared with a map of documents and exact MaxSim over what is stored of them.
 */
import { availableParallelism } from "node:os";
import { runCases } from "../lib/case-runner.mjs";
import { seedOf } from "../lib/random.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";

export const name = "C11 model test";

/** Programs in each tier. */
export const RUNS = { short: 100, long: 2000 };
const RUNS_AT_ONCE = 25;

export async function run({ tier, log }) {
  const result = newResult(name);
  const seed = seedOf(tier === "short" ? 1 : Math.floor(Math.random() * 2 ** 31));
  log(`${name}: ${RUNS[tier]} programs, seed ${seed}`);
  const scratch = scratchFolder("model");
  const done = {};
  try {
    const chunks = Array.from({ length: RUNS[tier] / RUNS_AT_ONCE }, (_, i) => ({
      seed: seed + i,
      runs: RUNS_AT_ONCE,
    }));
    await runCases({
      program: new URL("model-runner.mjs", import.meta.url),
      setup: { scratch: scratch.folder },
      cases: chunks,
      children: availableParallelism(),
      watchdog: 300_000,
      onOutcome(chunk, outcome) {
        const { done: counts = {}, failure } = outcome.value ?? {};
        for (const [kind, count] of Object.entries(counts)) done[kind] = (done[kind] ?? 0) + count;
        result.rounds += chunk.runs;
        if (outcome.kind !== "done")
          addFinding(result, "unopenable", `seed ${chunk.seed}: ${JSON.stringify(outcome)}`);
        else if (failure !== undefined) addFinding(result, "wrong", failure);
      },
    });
  } finally {
    scratch.remove();
  }
  result.points = Object.values(done).reduce((sum, count) => sum + count, 0);
  result.notes.push(
    `seed ${seed}; ${Object.entries(done)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(", ")}`,
  );
  return result;
}
