// Copies the addon that was built here to where an installed package looks for it: native-bindings/prebuilds/<target>.
// Part of `npm pack`. Without an addon nothing is copied, and the package computes with its WASM kernels.
// Addons of other platforms that were put beside it stay: a release gathers them there.

import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { addonCandidates } from "../dist/kernels/native.js";

const root = join(import.meta.dirname, "..");
const [built = "", prebuilt = ""] = addonCandidates();
// What lies there may come from older sources.
rmSync(dirname(prebuilt), { recursive: true, force: true });
if (existsSync(built)) {
  mkdirSync(dirname(prebuilt), { recursive: true });
  copyFileSync(built, prebuilt);
  console.error(`packing ${relative(root, prebuilt)}`);
} else {
  console.error("packing without an addon for this platform: none was built");
}
