#!/usr/bin/env node
/**
 * Attacks indexes with every rig and says what held.
 *
 *   node test/faults/run.mjs [--only name,name] [--short] [--minutes n] [--rounds n] [--list]
 *
 * A line a rig, what it found below it, and as the last line the sums. Exit status 1 when anything was lost, wrong or
 * unopenable, or when a rig itself failed; 2 for wrong usage. What this machine cannot run is counted as skipped, with
 * the reason. --minutes bounds every rig that is open-ended (not the enumerations). The seed is printed;
 * MAXSIM_FAULTS_SEED sets it.
 */
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
  return { ...values, only, minutes: number("minutes"), rounds: number("rounds") };
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
const results = [];
for (const rig of RIGS) {
  if (options.only !== undefined && !options.only.includes(rig.name)) continue;
  const start = performance.now();
  const log = (text) => console.error(`${rig.name}: ${text}`);
  let result;
  try {
    const module = await rig.load();
    const limits = {
      ...(options.minutes && { minutes: options.minutes }),
      ...(options.rounds && { rounds: options.rounds }),
    };
    result = await module.run({ tier, log, ...limits });
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    result = {
      rounds: 0,
      points: 0,
      lost: 0,
      wrong: 1,
      unopenable: 0,
      findings: [`the rig failed: ${why}`],
      skipped: [],
    };
  }
  const named = { ...result, name: rig.name };
  results.push(named);
  console.log(formatResult(named, (performance.now() - start) / 1000));
}
console.log(formatSummary(results));
process.exitCode = results.some(failed) ? 1 : 0;
