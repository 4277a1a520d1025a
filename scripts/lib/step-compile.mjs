// Compiles src/ to dist/ when sources, options or the compiler changed, or when outputs are missing.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { BootstrapError, runNode } from "./project.mjs";
import { fingerprint, listFiles, readStamp, removeStamp, writeStamp } from "./stamp.mjs";

const STAMP = "compile";

export const compileStep = {
  /** @param {string} root @returns {string | undefined} */
  stale(root) {
    if (readStamp(root, STAMP) !== state(root)) return "compiling src to dist (tsc)";
    return missingOutputs(root).length > 0 ? "compiling src to dist (tsc; files are missing)" : undefined;
  },

  /** @param {string} root */
  run(root) {
    removeStamp(root, STAMP);
    // Taken before compiling: a file edited meanwhile makes the next run compile again.
    const before = state(root);
    // The incremental compiler believes its notes and not the folder, so lost files need a full run.
    if (missingOutputs(root).length > 0) rmSync(join(root, "dist", ".tsbuildinfo"), { force: true });
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const status = runNode(root, compiler, ["-p", "tsconfig.json"], { stdio: ["ignore", 2, "inherit"] });
    if (status !== 0) throw new BootstrapError("src does not compile (the compiler's output is above)");
    removeOrphans(root);
    writeStamp(root, STAMP, before);
  },
};

/** @param {string} root */
function state(root) {
  const files = [
    "tsconfig.json",
    "node_modules/typescript/package.json",
    ...sources(root).map((file) => `src/${file}`),
  ];
  return fingerprint(root, files);
}

/** @param {string} root @returns {string[]} TypeScript files below src */
function sources(root) {
  return listFiles(join(root, "src")).filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
}

/** @param {string} root @returns {string[]} the modules in dist that should be there and are not */
function missingOutputs(root) {
  const present = new Set(listFiles(join(root, "dist")));
  return sources(root)
    .map((file) => file.replace(/\.ts$/, ".js"))
    .filter((file) => !present.has(file));
}

/** Removes the outputs of modules that are gone, so that nothing can import them. @param {string} root */
function removeOrphans(root) {
  const modules = new Set(sources(root).map((file) => file.slice(0, -".ts".length)));
  for (const file of listFiles(join(root, "dist"))) {
    const module = /^(.*?)(?:\.js|\.js\.map|\.d\.ts)$/.exec(file)?.[1];
    if (module !== undefined && !modules.has(module)) rmSync(join(root, "dist", file));
  }
}
