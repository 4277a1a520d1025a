/** WebAssembly with relaxed SIMD in the process that runs a test. */
import { setFlagsFromString } from "node:v8";
import { takesModule } from "../../src/kernels/wasm-exports.js";

/**
 * Node.js 20 has relaxed SIMD behind a flag, which counts for modules that are compiled from then on, and with a baseline
 * compiler that adds up dot products wrongly: the optimizing one takes its place. Returns why there is no relaxed SIMD.
 */
export function enableRelaxedSimd(): string | undefined {
  if (takesModule("relaxedsimd")) return undefined;
  const major = Number(process.versions.node.split(".", 1)[0]);
  // A newer V8 does not know the flag any more and would write so to stderr.
  if (major <= 20) {
    setFlagsFromString("--experimental-wasm-relaxed-simd");
    setFlagsFromString("--no-liftoff");
  }
  return takesModule("relaxedsimd")
    ? undefined
    : `Node.js ${process.version} has no relaxed SIMD for this processor`;
}
