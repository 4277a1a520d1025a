/**
 * The rigs, in the order in which they run. A module has `run({ tier, log, minutes?, rounds? })`, which resolves to a
 * RigResult (lib/rig-result.mjs); `tier` is "short" or "long". Modules are loaded when their turn comes.
 */
export const RIGS = [
  { name: "c1", load: () => import("./crash/kill-points.mjs") },
  { name: "repair", load: () => import("./crash/kill-repair.mjs") },
  { name: "c2", load: () => import("./crash/random-kill.mjs") },
  { name: "c3", load: () => import("./crash/power-loss.mjs") },
  { name: "c4", load: () => import("./crash/mutants.mjs") },
  { name: "e1", load: () => import("./crash/io-errors.mjs") },
  { name: "c8", load: () => import("./crash/snapshots.mjs") },
  { name: "d1", load: () => import("./damage/files.mjs") },
  { name: "d2", load: () => import("./damage/bits.mjs") },
  { name: "d4", load: () => import("./damage/forged.mjs") },
  { name: "c11", load: () => import("./model/model.mjs") },
  { name: "hostile", load: () => import("./hostile/hostile.mjs") },
  { name: "use", load: () => import("./hostile/use.mjs") },
  { name: "fuzz", load: () => import("./hostile/fuzz.mjs") },
  { name: "copies", load: () => import("./copies/kill-points.mjs") },
];
