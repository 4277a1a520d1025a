/**
 * C1: `kill -9` in front of every call that changes a file, of every operation. Afterwards the index must open, pass its
 * checks and be, to the last score, in the state before the operation, or behind it (only that once it was acknowledged);
 * then the operation is performed once more, which must succeed and leave no file behind that nothing names.
 */
import { mkdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { faultEnvironment, interposer, readCalls } from "../lib/interpose.mjs";
import { copyDist } from "../lib/project.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";
import { contradiction, judge, sameContent } from "./judge.mjs";
import { ObserverProcess } from "./observer-process.mjs";
import { runDriver } from "./run-driver.mjs";
import { copyPlace, prepareScenarios } from "./scenarios.mjs";

/** Points of one scenario in the short tier, evenly spread; all in the long one. */
const SHORT_POINTS = 2;

/**
 * @param {{ tier: "short" | "long", log: (text: string) => void, patches?: object[], wanted?: (scenario: string) => boolean,
 *   pointsOf?: (calls: object[]) => object[], enough?: (result: object) => boolean }} options `patches` damage the copy of the
 *   package that writes (never the one that looks at the result); `enough` ends the rig early.
 */
export async function run({ tier, log, patches = [], wanted, pointsOf, enough = () => false }) {
  const result = { ...newResult("kill at every call", patches.length === 0), missed: 0 };
  const interpose = interposer();
  if (interpose.reason !== undefined) {
    result.skipped.push(interpose.reason);
    return result;
  }
  const choose = pointsOf ?? (tier === "short" ? (calls) => spread(calls, SHORT_POINTS) : (calls) => calls);
  const { folder: root, remove } = scratchFolder("c1");
  const healthyDist = copyDist(root);
  const dist = patches.length === 0 ? healthyDist : copyDist(newFolder(join(root, "patched")), patches);
  const lanes = Array.from({ length: Math.min(2, availableParallelism()) }, (_, i) => {
    const observer = new ObserverProcess(healthyDist);
    return {
      folder: join(root, `lane-${i}`),
      observer,
      writer: patches.length === 0 ? observer : new ObserverProcess(dist),
    };
  });
  try {
    const { ready, skipped } = await prepareScenarios(root, lanes[0].observer, wanted);
    result.skipped.push(...skipped);
    const points = [];
    for (const scenario of ready) {
      const calls = await enumerate(scenario, interpose.library, dist, join(root, "dry-run"));
      const chosen = choose(calls);
      log(`${scenario.name}: ${calls.length} calls change a file, ${chosen.length} of them are killed`);
      points.push(...chosen.map((call) => ({ scenario, call })));
      result.rounds++;
    }
    await Promise.all(
      lanes.map(async (lane) => {
        for (let point = points.shift(); point !== undefined; point = points.shift()) {
          if (enough(result)) return;
          await killAt(point, lane, interpose.library, dist, result);
        }
      }),
    );
    if (result.missed > 0)
      result.notes.push(`${result.missed} runs ended before the call at which they were to be killed`);
    return result;
  } finally {
    for (const { observer, writer } of lanes) {
      observer.end();
      writer.end();
    }
    remove();
  }
}

function newFolder(path) {
  mkdirSync(path);
  return path;
}

/** The calls of an undisturbed run, in their order. */
async function enumerate(scenario, library, dist, to) {
  const place = copyPlace(scenario.place, to);
  const log = `${to}.log`;
  const env = faultEnvironment(library, place.folder, { log });
  const run = await runDriver(jobOf(scenario, place, dist), { env });
  if (!run.done) throw new Error(`${scenario.name}, undisturbed: ${run.lines.join(" | ")} ${run.stderr}`);
  const calls = readCalls(log);
  rmSync(log);
  return calls;
}

function jobOf(scenario, place, dist) {
  return { ...place, dist, operations: [scenario.operation] };
}

async function killAt({ scenario, call }, { folder, observer, writer }, library, dist, result) {
  const place = copyPlace(scenario.place, folder);
  const env = faultEnvironment(library, place.folder, { kill: call.n });
  const run = await runDriver(jobOf(scenario, place, dist), { env });
  const where = `${scenario.name}, killed before call ${call.n} (${call.call} ${relativePath(call.path)})`;
  const acknowledged = run.acknowledged.at(-1)?.generation;
  if (run.done) {
    // Threads take turns: now and then a run makes a call less than the one that was counted.
    result.missed++;
    return;
  }
  result.points++;
  if (run.hung || run.signal !== "SIGKILL") {
    const end = run.hung ? "hung" : `ended with ${run.signal ?? run.status}`;
    addFinding(
      result,
      "wrong",
      `${where}: the writer ${end}: ${run.lines.join(" | ")} ${run.stderr}`,
      place.scratch,
    );
    return;
  }
  let verdict;
  try {
    verdict = judge(await observer.observe(place), { ...scenario, acknowledged });
  } catch (error) {
    addFinding(result, "unopenable", `${where}: ${error.message}`, place.scratch);
    return;
  }
  if (verdict.kind !== undefined) {
    addFinding(result, verdict.kind, `${where}: ${verdict.what}`, place.scratch);
    return;
  }
  // An index that exists is not made a second time.
  if (verdict.state === "after" && scenario.operation.op === "create") return;
  const problem = await repeat(scenario, place, { observer, writer }, verdict.state);
  if (problem !== undefined) addFinding(result, "wrong", `${where}, then again: ${problem}`, place.scratch);
}

/** Performs the operation once more; undefined when everything is as it must be. */
async function repeat(scenario, place, { observer, writer }, state) {
  try {
    await writer.perform(place, [scenario.operation]);
    const observation = await observer.observe(place);
    const problem = contradiction(observation, scenario.operations);
    if (problem !== undefined) return problem;
    if (state === "before" && !sameContent(observation, scenario.after))
      return "another state than that of an undisturbed run";
    const strays = await leftovers(place, { observer, writer });
    if (strays.length > 0) return `files that nothing names stay: ${strays.join(", ")}`;
    return undefined;
  } catch (error) {
    return error.message;
  }
}

/**
 * Files that nothing names. The journal of encoded passages waits for the next addition when there was nothing to add any
 * more.
 */
export async function leftovers(place, { observer, writer }) {
  const strays = await observer.strays(place);
  if (!strays.includes("encode.journal")) return strays;
  await writer.perform(place, [{ op: "add", ids: ["d99"], version: 1 }]);
  return observer.strays(place);
}

/** The path of a call, as it is below the index of the dry run. */
function relativePath(path) {
  return path.slice(path.lastIndexOf("/dry-run/") + "/dry-run/".length);
}

/** `count` of `items` in even distances, the first and the last among them. */
export function spread(items, count) {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))]);
}
