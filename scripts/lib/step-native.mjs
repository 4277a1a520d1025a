// Builds the native kernels through scripts/build-native.mjs when their sources changed. Without a compiler, or when
// the build fails, everything works on the WASM kernels.

import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runNode, say } from "./project.mjs";
import { fingerprint, listFiles, readStamp, removeStamp, writeStamp } from "./stamp.mjs";

const STAMP = "native";
const BUILDER = "scripts/build-native.mjs";
const TOOLS = ["c++", "g++", "clang++", "cl.exe", "make", "python3", "python"];

export const nativeStep = {
  /** @param {string} root @returns {string | undefined} */
  stale(root) {
    if (!existsSync(join(root, BUILDER)) || !existsSync(join(root, "native-bindings", "binding.gyp")))
      return undefined;
    return readStamp(root, STAMP) === state(root) ? undefined : "building the native kernels";
  },

  /** @param {string} root */
  run(root) {
    removeStamp(root, STAMP);
    const status = runNode(root, join(root, BUILDER), [], { stdio: ["ignore", 2, "inherit"] });
    if (status === 0) writeStamp(root, STAMP, state(root));
    else say(`the native kernels did not build (status ${status}); going on with the WASM kernels`);
  },
};

/**
 * What the outcome depends on. Without an addon that includes the tools in PATH, so that a compiler installed
 * later is noticed, and a machine without one is asked once.
 *
 * @param {string} root
 */
function state(root) {
  const sources = listFiles(join(root, "native-bindings"), ["build", "prebuilds", "wasm"]);
  const files = [BUILDER, ...sources.map((file) => `native-bindings/${file}`)];
  const facts = [process.platform, process.arch];
  const built = hasAddon(root);
  return `${built ? "built" : "absent"} ${fingerprint(root, files, built ? facts : [...facts, ...toolsInPath()])}`;
}

/** @param {string} root */
function hasAddon(root) {
  const folder = join(root, "native-bindings", "build", "Release");
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".node"));
}

function toolsInPath() {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = TOOLS.flatMap((tool) => folders.map((folder) => join(folder, tool)).find(existsSync) ?? []);
  return [`CXX=${process.env.CXX ?? ""}`, ...found];
}
