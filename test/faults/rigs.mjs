/**
 * The rigs, in the order in which they run. A module has `run({ tier, log, minutes?, rounds? })`, which resolves to a
 * RigResult (lib/rig-result.mjs); `tier` is "short" or "long". Modules are loaded when their turn comes.
 */
export const RIGS = [{ name: "c1", load: () => import("./crash/kill-points.mjs") }];
