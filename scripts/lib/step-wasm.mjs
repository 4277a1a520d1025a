// Builds the module with the WASM kernels through scripts/build-wasm.mjs when it does not fit its sources. It is
// checked in, so a fresh clone has nothing to do here.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { BootstrapError, runNode } from "./project.mjs";
import { moduleFingerprint, sourceFingerprint, WASM_SOURCES } from "./wasm-module.mjs";

export const wasmStep = {
  /** @param {string} root @returns {string | undefined} */
  stale(root) {
    if (!existsSync(join(root, WASM_SOURCES))) return undefined;
    return moduleFingerprint(root) === sourceFingerprint(root)
      ? undefined
      : "building the WASM kernels (asc)";
  },

  /** @param {string} root */
  run(root) {
    const builder = join(root, "scripts", "build-wasm.mjs");
    const status = runNode(root, builder, [], { stdio: ["ignore", 2, "inherit"] });
    if (status !== 0) {
      throw new BootstrapError("the WASM kernels do not compile (the compiler's output is above)");
    }
  },
};
