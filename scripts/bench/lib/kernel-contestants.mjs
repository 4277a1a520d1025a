// Kernel backends side by side: every instruction set of the addon, WASM and plain JavaScript, in interleaved rounds.

import { createRequire } from "node:module";
import { addonCandidates, nativeBackend } from "../../../dist/kernels/native.js";
import { referenceBackend } from "../../../dist/kernels/reference.js";
import { loadWasm } from "../../../dist/kernels/wasm.js";
import { WASM_ISAS } from "../../../dist/kernels/wasm-exports.js";
import { median, spread } from "./statistics.mjs";

/** A turn lasts about this long, or one call. */
const TURN_NANOSECONDS = 20e6;
const MAX_REPEATS = 2000;
/** Three rounds are enough for a call that takes more than half a second. */
const SLOW_NANOSECONDS = 5e8;
const SLOW_ROUNDS = 3;

/**
 * @typedef {object} Entrant
 * @property {string} name
 * @property {import("../../../dist/kernels/backend.js").KernelBackend} backend
 * @property {() => void} activate to be called before the backend is used
 */

/** @param {(message: string) => void} say is told what cannot be measured @returns {Entrant[]} */
export function entrants(say) {
  const addon = loadAddon(say);
  const native = (addon?.isas() ?? []).map((isa) => ({
    name: isa,
    backend: nativeBackend(addon),
    activate: () => addon.forceIsa(isa),
  }));
  return [...native, ...wasm(say), { name: "js", backend: referenceBackend, activate: () => {} }];
}

function loadAddon(say) {
  const reasons = [];
  for (const path of addonCandidates()) {
    try {
      return createRequire(import.meta.url)(path);
    } catch (error) {
      reasons.push(error.message.split("\n", 1)[0]);
    }
  }
  say(`no addon is measured: ${reasons.join("; ")}`);
  return undefined;
}

function wasm(say) {
  return WASM_ISAS.flatMap((isa) => {
    try {
      return [{ name: `wasm ${isa}`, backend: loadWasm(isa), activate: () => {} }];
    } catch (error) {
      say(`${isa} is not measured: ${error.message}`);
      return [];
    }
  });
}

/**
 * Nanoseconds of processor time a unit, of each entrant.
 *
 * @param {readonly Entrant[]} compared
 * @param {(backend: Entrant["backend"]) => void} call
 * @param {number} units that one call works off
 * @param {number} rounds
 */
export function measureKernels(compared, call, units, rounds) {
  const runs = compared.map(({ backend, activate }) => () => {
    activate();
    call(backend);
  });
  const times = runs.map(() => []);
  const repeats = runs.map((run) => {
    run();
    const started = processorTime();
    run();
    const turn = Math.round(TURN_NANOSECONDS / (processorTime() - started + 1000));
    return Math.max(1, Math.min(MAX_REPEATS, turn));
  });
  for (let round = 0; round < rounds; round++) {
    runs.forEach((run, i) => {
      if (round >= SLOW_ROUNDS && median(times[i]) * units > SLOW_NANOSECONDS) return;
      const started = processorTime();
      for (let n = 0; n < repeats[i]; n++) run();
      times[i].push((processorTime() - started) / (repeats[i] * units));
    });
  }
  return times.map(spread);
}

/** Of this process, in nanoseconds: unlike the clock, it does not count what neighbours take. */
function processorTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}
