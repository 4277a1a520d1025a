/**
 * The rigs, in the order in which they run. A module has `run({ tier, log, minutes?, rounds? })`, which resolves to a
 * RigResult (lib/rig-result.mjs); `tier` is "short" or "long". Modules are loaded when their turn comes. `minutes` is about
 * how long the long tier takes, for dealing the rigs to lanes.
 */
export const RIGS = [
  { name: "c1", minutes: 25, load: () => import("./crash/kill-points.mjs") },
  { name: "repair", minutes: 12, load: () => import("./crash/kill-repair.mjs") },
  { name: "c2", minutes: 60, load: () => import("./crash/random-kill.mjs") },
  { name: "c3", minutes: 10, load: () => import("./crash/power-loss.mjs") },
  { name: "c4", minutes: 8, load: () => import("./crash/mutants.mjs") },
  { name: "e1", minutes: 80, load: () => import("./crash/io-errors.mjs") },
  { name: "c8", minutes: 10, load: () => import("./crash/snapshots.mjs") },
  { name: "d1", minutes: 20, load: () => import("./damage/files.mjs") },
  { name: "d2", minutes: 30, load: () => import("./damage/bits.mjs") },
  { name: "d4", minutes: 10, load: () => import("./damage/forged.mjs") },
  { name: "c11", minutes: 15, load: () => import("./model/model.mjs") },
  { name: "hostile", minutes: 10, load: () => import("./hostile/hostile.mjs") },
  { name: "use", minutes: 6, load: () => import("./hostile/use.mjs") },
  { name: "fuzz", minutes: 11, load: () => import("./hostile/fuzz.mjs") },
  { name: "copies", minutes: 12, load: () => import("./copies/kill-points.mjs") },
];
