/**
 * C2: the writer is killed at random times, with its whole process group. What it acknowledged is kept outside the index: the
 * index must be in the state behind the last acknowledged operation, or behind the one that was running. Then the next
 * writer goes on from there.
 */
import { join } from "node:path";
import { copyDist } from "../lib/project.mjs";
import { Random, seedOf } from "../lib/random.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";
import { judge } from "./judge.mjs";
import { ObserverProcess } from "./observer-process.mjs";
import { runDriver } from "./run-driver.mjs";
import { newPlace } from "./scenarios.mjs";
import { availableOperations, randomScript, undisturbed } from "./script.mjs";

const TIERS = {
  short: { rounds: 6, operations: 30, minutes: Number.POSITIVE_INFINITY },
  long: { rounds: 10_000, operations: 60, minutes: 60 },
};
/** The kill comes up to this many milliseconds after the writer is ready: three or four operations. */
const MAX_DELAY_MS = 60;

/** @param {{ tier: "short" | "long", log: (text: string) => void, rounds?: number, minutes?: number }} options */
export async function run({ tier, log, rounds = TIERS[tier].rounds, minutes = TIERS[tier].minutes }) {
  const result = newResult("kill at random times");
  if (process.platform === "win32") {
    result.skipped.push("process groups are not killed on Windows");
    return result;
  }
  const seed = seedOf(1);
  const deadline = performance.now() + minutes * 60_000;
  log(`seed ${seed}`);
  const { folder: root, remove } = scratchFolder("c2");
  const dist = copyDist(root);
  const observer = new ObserverProcess(dist);
  try {
    const available = await availableOperations(observer);
    for (let script = 0; result.rounds < rounds && performance.now() < deadline; script++) {
      const operations = randomScript(seed + script, TIERS[tier].operations, available);
      const states = await undisturbed(newPlace(join(root, "undisturbed"), null), operations, observer);
      const random = new Random(seed + script);
      const place = newPlace(join(root, "attacked"), null);
      // The generation that the operation at `from` finds.
      let generation;
      for (let from = 0; from < operations.length && result.rounds < rounds; ) {
        if (performance.now() >= deadline) break;
        const delay = random.float() * MAX_DELAY_MS;
        const next = await killOnce(
          { place, dist, operations, states, from, generation, delay, seed: seed + script },
          observer,
          result,
        );
        if (next === undefined) break;
        ({ from, generation } = next);
      }
    }
    return result;
  } finally {
    observer.end();
    remove();
  }
}

/** Runs the script from `from` and kills it; returns where to go on from, or undefined after a finding. */
async function killOnce(
  { place, dist, operations, states, from, generation, delay, seed },
  observer,
  result,
) {
  const job = { ...place, dist, operations, from };
  const onLine = (line, child) => {
    if (line === "READY") setTimeout(() => killGroup(child), delay);
  };
  const run = await runDriver(job, { ownGroup: true, onLine });
  result.rounds++;
  result.points += run.signal === "SIGKILL" ? 1 : 0;
  const last = run.acknowledged.at(-1) ?? { position: from - 1, generation };
  const acknowledged = last.position + 1;
  const where = `seed ${seed}, operation ${acknowledged} (${JSON.stringify(operations[acknowledged])}) killed after ${delay.toFixed(1)} ms`;
  if (run.hung || run.failures.length > 0 || (run.signal !== "SIGKILL" && !run.done)) {
    addFinding(
      result,
      "wrong",
      `${where}: the writer said ${run.lines.slice(-3).join(" | ")} ${run.stderr}`,
      place.scratch,
    );
    return undefined;
  }
  let observation;
  try {
    observation = await observer.observe(place);
  } catch (error) {
    addFinding(result, "unopenable", `${where}: ${error.message}`, place.scratch);
    return undefined;
  }
  const after = states[acknowledged + 1] ?? states[acknowledged];
  const before = { ...states[acknowledged], generation: last.generation };
  const verdict = judge(observation, { before, after, acknowledged: undefined });
  if (verdict.kind !== undefined) {
    addFinding(result, verdict.kind, `${where}: ${verdict.what}`, place.scratch);
    return undefined;
  }
  return {
    from: verdict.state === "after" ? acknowledged + 1 : acknowledged,
    generation: observation.generation,
  };
}

function killGroup(child) {
  // One that is gone already has finished the script.
  if (child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, "SIGKILL");
}
