/**
 * E1: the n-th call of a kind fails, once or from then on. The operation must fail with a typed error or succeed, the last
 * acknowledged state must stand, and the next attempt must succeed: after one failed call by the same objects, after a
 * lasting one by the next process. E4: nothing is acknowledged because a second
 * sync of a descriptor succeeded after the first one failed.
 */
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { faultEnvironment, interposer, readLog } from "../lib/interpose.mjs";
import { copyDist } from "../lib/project.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";
import { contradiction, judge } from "./judge.mjs";
import { leftovers, spread } from "./kill-points.mjs";
import { ObserverProcess } from "./observer-process.mjs";
import { runDriver } from "./run-driver.mjs";
import { copyPlace, prepareScenarios } from "./scenarios.mjs";

/** Errors that calls of a kind have in practice. */
const ERRORS = {
  open: ["EMFILE", "EIO", "ENOSPC", "EROFS"],
  write: ["ENOSPC", "EIO", "EDQUOT"],
  sync: ["EIO", "ENOSPC"],
  link: ["EIO", "ENOSPC", "EDQUOT"],
  unlink: ["EIO", "EROFS"],
  truncate: ["EIO", "ENOSPC"],
  mkdir: ["ENOSPC", "EROFS", "EDQUOT"],
};
/** What an error of the file system may be called. */
const CODES = new Set(["IO", "DISK_FULL"]);

const SHORT_SCENARIOS = ["add", "compact", "sync"];
const SHORT_POINTS = 10;

/** @param {{ tier: "short" | "long", log: (text: string) => void }} options */
export async function run({
  tier,
  log,
  wanted = (name) => tier === "long" || SHORT_SCENARIOS.includes(name),
}) {
  const result = newResult("failing calls");
  const interpose = interposer();
  if (interpose.reason !== undefined) {
    result.skipped.push(interpose.reason);
    return result;
  }
  const { folder: root, remove } = scratchFolder("e1");
  const dist = copyDist(root);
  const lanes = Array.from({ length: Math.min(2, availableParallelism()) }, (_, i) => ({
    folder: join(root, `lane-${i}`),
    observer: new ObserverProcess(dist),
  }));
  const context = { library: interpose.library, dist, result, codes: new Map(), unfired: 0, unknown: 0 };
  try {
    const { ready, skipped } = await prepareScenarios(root, lanes[0].observer, wanted);
    result.skipped.push(...skipped);
    let points = [];
    for (const scenario of ready) {
      const own = await enumerate(scenario, context, join(root, "dry-run"));
      log(`${scenario.name}: ${own.length} ways to fail`);
      points.push(...own);
      result.rounds++;
    }
    if (tier === "short") points = spread(points, SHORT_POINTS);
    await Promise.all(
      lanes.map(async (lane) => {
        for (let point = points.shift(); point !== undefined; point = points.shift()) {
          await failAt(point, lane, context);
        }
      }),
    );
    const codes = [...context.codes].map(([code, count]) => `${count} ${code}`).join(", ");
    result.notes.push(
      `${codes || "no"} errors; ${context.unknown} operations that failed were committed nevertheless`,
    );
    if (context.unfired > 0) result.notes.push(`${context.unfired} runs did not reach their call`);
    return result;
  } finally {
    for (const { observer } of lanes) observer.end();
    remove();
  }
}

async function enumerate(scenario, { library, dist }, to) {
  const place = copyPlace(scenario.place, to);
  const log = `${to}.log`;
  const env = faultEnvironment(library, place.folder, { log });
  const run = await runDriver(jobOf(scenario, place, dist, false), { env });
  if (!run.done) throw new Error(`${scenario.name}, undisturbed: ${run.lines.join(" | ")} ${run.stderr}`);
  const counts = {};
  for (const { phase, call } of readLog(log)) {
    if (phase === "begin" || phase === "look") counts[call] = (counts[call] ?? 0) + 1;
  }
  rmSync(log);
  return Object.entries(counts).flatMap(([call, count]) =>
    Array.from({ length: count }, (_, i) => i + 1).flatMap((at) =>
      // Every call gets one error for once and one that lasts; which ones goes round.
      [false, true].map((stays, j) => ({
        scenario,
        fail: { call, at, errno: ERRORS[call][(at + j) % ERRORS[call].length], stays },
      })),
    ),
  );
}

function jobOf(scenario, place, dist, retry) {
  return { ...place, dist, operations: [scenario.operation], retry };
}

async function failAt({ scenario, fail }, { folder, observer }, context) {
  const { library, dist, result } = context;
  const place = copyPlace(scenario.place, folder);
  const log = `${folder}.log`;
  const env = faultEnvironment(library, place.folder, { log, fail });
  const run = await runDriver(jobOf(scenario, place, dist, !fail.stays), { env });
  const calls = readLog(log);
  rmSync(log);
  const fault = calls.find(({ phase }) => phase === "fault");
  const where = `${scenario.name}, ${fail.call} ${fail.at} ${fail.stays ? "and later ones fail" : "fails"} with ${fail.errno} (${fault?.path.replace(place.scratch, "")})`;
  if (fault === undefined) {
    context.unfired++;
    return;
  }
  result.points++;
  const complain = (kind, what) => addFinding(result, kind, `${where}: ${what}`, place.scratch);
  if (run.hung || !run.done || run.status !== 0) {
    complain("wrong", `the writer ${run.hung ? "hung" : "died"}: ${run.lines.join(" | ")} ${run.stderr}`);
    return;
  }
  // A creation that failed behind its commit is not done twice.
  const exists = ({ code }, i) => i > 0 && scenario.operation.op === "create" && code === "INDEX_EXISTS";
  for (const [i, failure] of run.failures.entries()) {
    const { code, message } = failure;
    context.codes.set(code, (context.codes.get(code) ?? 0) + 1);
    if (!CODES.has(code) && !exists(failure, i)) complain("wrong", `the error is ${code}: ${message}`);
  }
  const acknowledged = run.acknowledged.at(-1)?.generation;
  // SQLite shares memory read-only in a process that could not open it once, until the last connection is closed.
  const readOnly = fail.call === "open" && fault.path.endsWith("-shm");
  if (!fail.stays && acknowledged === undefined && !readOnly && !run.failures.some(exists))
    complain("wrong", `the second attempt failed too: ${run.failures.at(-1)?.message}`);
  const again = syncedAgain(calls);
  if (again !== undefined)
    complain("wrong", `${again.replace(place.scratch, "")} was synced again after a sync that failed`);
  await checkState(
    { scenario, place, observer, acknowledged, retried: run.failures.length > 0 },
    context,
    complain,
  );
}

async function checkState({ scenario, place, observer, acknowledged, retried }, context, complain) {
  try {
    const observation = await observer.observe(place);
    if (acknowledged !== undefined && retried) {
      const problem = contradiction(observation, scenario.operations);
      if (problem !== undefined) complain("wrong", problem);
    } else {
      const verdict = judge(observation, { ...scenario, acknowledged });
      if (verdict.kind !== undefined) complain(verdict.kind, verdict.what);
      else if (verdict.state === "after" && acknowledged === undefined) context.unknown++;
    }
  } catch (error) {
    complain("unopenable", error.message);
    return;
  }
  if (scenario.operation.op === "create" && (await observer.observe(place)).missing !== true) return;
  try {
    await observer.perform(place, [scenario.operation]);
    const problem = contradiction(await observer.observe(place), scenario.operations);
    if (problem !== undefined) complain("wrong", `then again, ${problem}`);
    const strays = await leftovers(place, { observer, writer: observer });
    if (strays.length > 0)
      complain("wrong", `then again, files that nothing names stay: ${strays.join(", ")}`);
  } catch (error) {
    complain("wrong", `then again: ${error.message}`);
  }
}

/**
 * The path of a descriptor that was synced after a sync of it had failed, without having been written to again, in front of an
 * acknowledgement: the second sync says that all is well, and the bytes may be gone. Undefined when there is none.
 */
export function syncedAgain(calls) {
  const broken = new Set();
  let again;
  for (const { phase, call, result, fd, path } of calls) {
    if (phase === "mark" && path.endsWith(".ack") && again !== undefined) return again;
    if (phase === "mark") again = undefined;
    // A new file may get the number of an old descriptor.
    if (call === "open" && phase === "end") broken.delete(result);
    if (call === "write" && phase === "begin") broken.delete(fd);
    if (call !== "sync") continue;
    if (phase === "begin" && broken.has(fd)) again = path;
    if (phase === "fault") broken.add(fd);
  }
  return undefined;
}
