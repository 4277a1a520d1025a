/**
 * The backend in plain TypeScript: the fallback where no addon loads, and the oracle of the conformance suite.
 * It favours being evidently right; an expression on float32 numbers is computed in float64 and rounded once,
 * which for one +, - or * gives what float32 hardware gives.
 */
import type { KernelBackend } from "./backend.js";
import { assign, centroidScores, topCentroids } from "./plain/centroid.js";
import { gather } from "./plain/gather.js";
import { approximate, maxsim } from "./plain/maxsim.js";
import { compress } from "./plain/residual.js";
import { selectTop } from "./plain/select-top.js";

/** Runs everywhere that JavaScript runs. */
export const referenceBackend: KernelBackend = {
  name: "js",
  isa: "plain",
  centroidScores,
  topCentroids,
  gather,
  selectTop,
  approximate,
  maxsim,
  assign,
  compress,
};
