#!/usr/bin/env node
/**
 * Attacks indexes with every rig and says what held.
 *
 *   node test/faults/run.mjs [--only name,name] [--short] [--minutes n] [--rounds n] [--lanes n] [--list]
 *
 * A line a rig, what it found below it, and as the last line the sums. Exit status 1 when anything was lost, wrong or
 * unopenable, or when a rig itself failed; 2 for wrong usage. What this machine cannot run is counted as skipped, with
 * the reason. --minutes bounds every rig that is open-ended (not the enumerations). The seed is printed;
 * MAXSIM_FAULTS_SEED sets it. --lanes runs that many rigs side by side, each in a process of its own (default: 2 where
 * there are two processors, since the rigs mostly wait for processes that they start).
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { failed, formatResult, formatSummary } from "./lib/rig-result.mjs";
import { RIGS } from "./rigs.mjs";

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      short: { type: "boolean", default: false },
      minutes: { type: "string" },
      rounds: { type: "string" },
      lanes: { type: "string" },
      list: { type: "boolean", default: false },
    },
  });
  const number = (name) => {
    if (values[name] === undefined) return undefined;
    const value = Number(values[name]);
    if (!(value > 0)) throw new Error(`--${name} must be a number above 0, found ${values[name]}`);
    return value;
  };
  const only = values.only?.split(",");
  for (const name of only ?? []) {
    if (!RIGS.some((rig) => rig.name === name)) {
      throw new Error(`there is no rig ${name}; there are ${RIGS.map((rig) => rig.name).join(", ")}`);
    }
  }
  const lanes = number("lanes") ?? (values.short ? 1 : Math.min(2, availableParallelism()));
  if (!Number.isInteger(lanes)) throw new Error(`--lanes must be a whole number, found ${values.lanes}`);
  return { ...values, only, minutes: number("minutes"), rounds: number("rounds"), lanes };
}

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(error.message);
  process.exit(2);
}
if (options.list) {
  for (const rig of RIGS) console.log(rig.name);
  process.exit(0);
}

// Folders and mounts are removed when the process exits.
for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
]) {
  process.once(signal, () => process.exit(status));
}

const tier = options.short ? "short" : "long";
const chosen = RIGS.filter(({ name }) => options.only?.includes(name) ?? true);

function failedRig(why) {
  const findings = [`the rig failed: ${why}`];
  return { rounds: 0, points: 0, lost: 0, wrong: 1, unopenable: 0, findings, skipped: [] };
}

async function runHere(rig) {
  const limits = {
    ...(options.minutes && { minutes: options.minutes }),
    ...(options.rounds && { rounds: options.rounds }),
  };
  try {
    const module = await rig.load();
    return await module.run({ tier, log: (text) => console.error(`${rig.name}: ${text}`), ...limits });
  } catch (error) {
    return failedRig(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/** A process that runs one rig sends its result to its parent and prints nothing else on its standard output. */
function runInProcess(rig) {
  const settings = ["short", "minutes", "rounds"].flatMap((name) => {
    const value = options[name];
    return value === undefined || value === false
      ? []
      : value === true
        ? [`--${name}`]
        : [`--${name}`, String(value)];
  });
  const args = ["--only", rig.name, "--lanes", "1", ...settings];
  const child = fork(fileURLToPath(import.meta.url), args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const stop = () => child.kill("SIGTERM");
  process.once("exit", stop);
  return new Promise((resolve) => {
    let result;
    child.once("message", (message) => {
      result = message;
    });
    child.once("error", (error) => resolve(failedRig(error.message)));
    child.once("close", (status, signal) => {
      process.off("exit", stop);
      resolve(result ?? failedRig(`its process ended with ${signal ?? `status ${status}`} and no result`));
    });
  });
}

const results = [];
const waiting = [...chosen];
async function runLane(runRig) {
  for (let rig = waiting.shift(); rig !== undefined; rig = waiting.shift()) {
    const start = performance.now();
    const result = { ...(await runRig(rig)), name: rig.name };
    results.push(result);
    process.send?.(result);
    console.log(formatResult(result, (performance.now() - start) / 1000));
  }
}

if (options.lanes === 1) {
  await runLane(runHere);
} else {
  // The longest first, so that no lane ends long before the others.
  waiting.sort((a, b) => (b.minutes ?? 0) - (a.minutes ?? 0));
  await Promise.all(Array.from({ length: options.lanes }, () => runLane(runInProcess)));
}
console.log(formatSummary(results));
process.exitCode = results.some(failed) ? 1 : 0;
