/**
 * C3: a power cut, on ext4 and on XFS. A writer works on a loop device, which is shut down without a flush at a random time; after
 * a new mount the index must be in the state behind the last acknowledged operation, or behind the one that was running,
 * and must take the next operation.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FILE_SYSTEM_NAMES, PowerDisk } from "../lib/power.mjs";
import { copyDist } from "../lib/project.mjs";
import { Random, seedOf } from "../lib/random.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";
import { contradiction, judge } from "./judge.mjs";
import { ObserverProcess } from "./observer-process.mjs";
import { runDriver } from "./run-driver.mjs";
import { newPlace } from "./scenarios.mjs";
import { availableOperations, randomScript, undisturbed } from "./script.mjs";

const ROUNDS = { short: 2, long: 30 };
const SCRIPTS = { short: 1, long: 5 };
const OPERATIONS = 40;
/** The power is cut after this time behind the writer's start, plus up to as much again. */
const MIN_DELAY_MS = 20;
const MAX_DELAY_MS = 700;

/**
 * @param {{ tier: "short" | "long", log: (text: string) => void, rounds?: number, patches?: object[], preload?: string,
 *   kinds?: string[], enough?: (result: object) => boolean }} options `patches` and `preload` (a library for LD_PRELOAD) make a
 *   writer that must be caught.
 */
export async function run(options) {
  const { tier, log, rounds = ROUNDS[tier], patches = [], preload, kinds = FILE_SYSTEM_NAMES } = options;
  const result = newResult("power loss", patches.length === 0 && preload === undefined);
  const seed = seedOf(1);
  log(`seed ${seed}`);
  const { folder: root, remove } = scratchFolder("power");
  const healthyDist = copyDist(root);
  const observer = new ObserverProcess(healthyDist);
  try {
    let scripts;
    for (const kind of kinds) {
      const disk = new PowerDisk(kind, root);
      try {
        const reason = disk.prepare();
        if (reason !== undefined) {
          result.skipped.push(`${kind}: ${reason}`);
          continue;
        }
        const dist =
          patches.length === 0 ? healthyDist : copyDist(mkdtempSync(join(root, "patched-")), patches);
        scripts ??= await makeScripts(seed, SCRIPTS[tier], observer, root);
        const random = new Random(seed);
        for (let round = 0; round < rounds; round++) {
          const script = scripts[round % scripts.length];
          const delay = MIN_DELAY_MS + random.float() * MAX_DELAY_MS;
          await cutOnce({ ...options, disk, dist, script, delay, root, round }, observer, result);
          if (options.enough?.(result)) break;
        }
      } finally {
        observer.end();
        disk.remove();
      }
    }
    return result;
  } finally {
    observer.end();
    remove();
  }
}

async function makeScripts(seed, count, observer, root) {
  const available = await availableOperations(observer);
  const scripts = [];
  for (let i = 0; i < count; i++) {
    const operations = randomScript(seed + i, OPERATIONS, available);
    scripts.push({
      seed: seed + i,
      operations,
      states: await undisturbed(newPlace(join(root, "undisturbed"), null), operations, observer),
    });
  }
  return scripts;
}

async function cutOnce({ disk, dist, script, delay, root, round, preload }, observer, result) {
  const { operations, states, seed } = script;
  // The job, and what it prints, is on another file system.
  const job = newPlace(join(root, "job"), null);
  const folder = join(disk.folder, `round-${round}`, "index");
  for (const name of readdirSync(disk.folder)) {
    if (name.startsWith("round-")) rmSync(join(disk.folder, name), { recursive: true });
  }
  newPlace(join(folder, ".."), null);
  const onLine = (line) => {
    if (line === "READY") setTimeout(() => disk.cutPower(), delay);
  };
  const env = preload === undefined ? process.env : { ...process.env, LD_PRELOAD: preload };
  const run = await runDriver({ ...job, folder, dist, operations }, { onLine, env });
  if (run.done && run.failures.length === 0) await new Promise((resolve) => setTimeout(resolve, delay));
  result.rounds++;
  const acknowledged = run.acknowledged.length;
  const where = `${disk.kind}, seed ${seed}, round ${round}, cut after ${delay.toFixed(0)} ms and ${acknowledged} acknowledged operations`;
  disk.unmount();
  const problem = disk.mount();
  if (problem !== undefined) {
    addFinding(result, "unopenable", `${where}: ${problem}`);
    disk.prepare();
    return;
  }
  result.points += acknowledged;
  for (const { code, message } of run.failures) {
    if (code === "UNTYPED") addFinding(result, "wrong", `${where}: ${message}`);
  }
  if (run.hung || run.failures.length > 1)
    addFinding(result, "wrong", `${where}: the writer said ${run.lines.slice(-3).join(" | ")}`);
  const { generation } = run.acknowledged.at(-1) ?? {};
  await checkRound({ folder, where, operations, states, acknowledged, generation }, observer, result);
}

async function checkRound({ folder, where, operations, states, acknowledged, generation }, observer, result) {
  const place = { folder, scratch: join(folder, ".."), model: null };
  const keep = existsSync(folder) ? folder : undefined;
  let next = acknowledged;
  try {
    const after = states[acknowledged + 1] ?? states[acknowledged];
    const observation = await observer.observe(place);
    const before = { ...states[acknowledged], generation };
    const verdict = judge(observation, { before, after, acknowledged: undefined });
    if (verdict.kind !== undefined) {
      addFinding(result, verdict.kind, `${where}: ${verdict.what}`, keep);
      return;
    }
    if (verdict.state === "after") next++;
  } catch (error) {
    addFinding(result, "unopenable", `${where}: ${error.message}`, keep);
    return;
  }
  if (next >= operations.length) return;
  try {
    await observer.perform(place, [operations[next]]);
    const problem = contradiction(await observer.observe(place), operations.slice(0, next + 1));
    const strays = await observer.strays(place);
    if (problem !== undefined) addFinding(result, "wrong", `${where}, then on: ${problem}`, keep);
    if (strays.length > 0)
      addFinding(result, "wrong", `${where}, then on: unnamed files stay: ${strays.join(", ")}`, keep);
  } catch (error) {
    addFinding(result, "wrong", `${where}, then on: ${error.message}`, keep);
  }
}
