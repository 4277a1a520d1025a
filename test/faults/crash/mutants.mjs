/**
 * C4: the rigs can fail. The order of calls of the package itself is sound; every mutant is reported by the audit of that
 * order, or by C1.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { interposer } from "../lib/interpose.mjs";
import { FILE_SYSTEM_NAMES } from "../lib/power.mjs";
import { copyDist } from "../lib/project.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";
import { straceProblem } from "../lib/strace.mjs";
import { run as killAtPoints, spread } from "./kill-points.mjs";
import { MUTANTS } from "./mutant-list.mjs";
import { ObserverProcess } from "./observer-process.mjs";
import { auditOrder, traceOperations } from "./order-audit.mjs";
import { run as cutPower } from "./power-loss.mjs";
import { copyPlace, newPlace, prepareScenarios } from "./scenarios.mjs";

const OPERATIONS = [{ op: "create" }, { op: "add", ids: ["d0", "d1", "d2", "d3"], version: 1 }];
/** Power cuts that a mutant gets, at most. */
const POWER_ROUNDS = 12;
/** Calls that C1 tries on a mutant before it is said to survive. */
const KILLS = { short: 12, long: 400 };

/** @param {{ tier: "short" | "long", log: (text: string) => void }} options */
export async function run({ tier, log }) {
  const result = newResult("mutants");
  const problem = straceProblem();
  if (problem !== undefined) {
    result.skipped.push(problem);
    return result;
  }
  const { library } = interposer();
  const { folder: root, remove } = scratchFolder("c4");
  try {
    await auditHealthy({ tier, root, library, result });
    for (const [i, mutant] of MUTANTS.entries()) {
      const own = join(root, `mutant-${i}`);
      mkdirSync(own);
      const caught = (await auditMutant(mutant, own)) ?? (await killMutant(mutant, tier, library, result));
      result.rounds++;
      log(`${mutant.name}: ${caught ?? "NOT CAUGHT"}`);
      if (caught === undefined) addFinding(result, "wrong", `the mutant survives: ${mutant.name}`);
    }
    if (tier === "long") await cutMutants(result, log);
    return result;
  } finally {
    remove();
  }
}

/** The package as it is passes the audit, in every operation; the counting library sees every call that the kernel sees. */
async function auditHealthy({ tier, root, library, result }) {
  const dist = copyDist(root);
  const observer = new ObserverProcess(dist);
  try {
    const wanted = (name) => tier === "long" || ["compact", "update"].includes(name);
    const { ready, skipped } = await prepareScenarios(root, observer, wanted);
    result.skipped.push(...skipped);
    const traced = [
      { name: "what mutants do", place: newPlace(join(root, "empty"), null), todo: OPERATIONS },
      ...ready.map(({ name, place, operation }) => ({ name, place, todo: [operation] })),
    ];
    for (const { name, place: base, todo } of traced) {
      const place = copyPlace(base, join(root, "traced"));
      const { events, counted } = await traceOperations({ place, dist, operations: todo, library });
      for (const broken of auditOrder(events, place.folder))
        addFinding(result, "wrong", `${name}, undamaged: ${broken}`);
      if (counted !== undefined) compareCounts(name, events, counted, place.folder, result);
      result.points += events.length;
    }
  } finally {
    observer.end();
  }
}

function compareCounts(name, events, counted, folder, result) {
  const start = events.findIndex(({ path }) => path === `${folder}.go`);
  const kernel = new Map();
  for (const { phase, call, path, creates } of events.slice(start)) {
    if (phase !== "begin" || path === undefined || (path !== folder && !path.startsWith(`${folder}/`)))
      continue;
    if (call === "open" && !creates) continue;
    kernel.set(`${call} ${path}`, (kernel.get(`${call} ${path}`) ?? 0) + 1);
  }
  for (const { call, path } of counted)
    kernel.set(`${call} ${path}`, (kernel.get(`${call} ${path}`) ?? 0) - 1);
  for (const [what, left] of kernel) {
    if (left === 0) continue;
    const seen = left > 0 ? "did not go through the counting library" : "were counted, and never made";
    addFinding(result, "wrong", `${name}: ${Math.abs(left)} calls (${what.replace(folder, "")}) ${seen}`);
  }
}

async function auditMutant({ patches, rule }, root) {
  const dist = copyDist(root, patches);
  if (rule === undefined) return undefined;
  const place = newPlace(join(root, "traced"), null);
  const { events } = await traceOperations({ place, dist, operations: OPERATIONS });
  const broken = auditOrder(events, place.folder).find((problem) => problem.includes(rule));
  return broken === undefined ? undefined : `the order of calls: ${broken}`;
}

async function killMutant({ patches, kill, says }, tier, library, result) {
  if (kill === undefined || library === undefined) return undefined;
  const found = await killAtPoints({
    tier,
    log: () => undefined,
    patches,
    wanted: (name) => name === kill,
    pointsOf: (calls) => spread(calls, KILLS[tier]),
    enough: ({ findings }) => findings.some((finding) => finding.includes(says)),
  });
  result.points += found.points;
  const finding = found.findings.find((text) => text.includes(says));
  return finding === undefined ? undefined : `a kill: ${finding}`;
}

/**
 * Power cuts find what is not durable: for certain when nothing is synced at all, and often when a single precaution is
 * missing, which is said and not required.
 */
async function cutMutants(result, log) {
  const enough = ({ lost, wrong, unopenable }) => lost + wrong + unopenable > 0;
  const quiet = { tier: "short", log: () => undefined, rounds: POWER_ROUNDS, enough };
  if (spawnSync("eatmydata", ["true"]).status === 0) {
    for (const kind of FILE_SYSTEM_NAMES) {
      const found = await cutPower({ ...quiet, kinds: [kind], preload: "libeatmydata.so" });
      result.skipped.push(...found.skipped);
      if (found.rounds === 0) continue;
      result.rounds++;
      log(`nothing is synced, ${kind}: ${found.findings[0] ?? "NOT CAUGHT"}`);
      if (!enough(found))
        addFinding(result, "wrong", `power cuts on ${kind} do not notice that nothing is synced`);
    }
  } else {
    result.skipped.push("there is no eatmydata (apt-get install eatmydata)");
  }
  for (const { name, patches, power } of MUTANTS) {
    if (!power) continue;
    for (const kind of FILE_SYSTEM_NAMES) {
      const found = await cutPower({ ...quiet, kinds: [kind], patches });
      if (found.rounds === 0) continue;
      result.notes.push(
        `${name}: ${enough(found) ? `noticed by power cut ${found.rounds}` : `${found.rounds} power cuts notice nothing`} on ${kind}`,
      );
    }
  }
}
