/** The backend in WebAssembly with 128-bit SIMD: runs wherever Node.js does, without a compiler or an addon. */
import type { KernelBackend } from "./backend.js";
import { referenceBackend } from "./reference.js";
import { selfCheck } from "./self-check.js";
import { assign, centroidScores, topCentroids } from "./wasm-centroid.js";
import { approximate, maxsim } from "./wasm-maxsim.js";
import { WasmMemory } from "./wasm-memory.js";
import { compress } from "./wasm-residual.js";

/** The only instruction set of this backend. */
export const WASM_ISA = "simd128";

/**
 * Compiles the kernels for the calling thread and compares them with the plain TypeScript backend on a small query.
 * @throws Error of any kind when they do not compile, `isa` is another one, or they compute something else.
 */
export function loadWasm(isa: string | undefined): KernelBackend {
  if (isa !== undefined && isa !== WASM_ISA) throw new Error(`the WASM kernels have ${WASM_ISA}, not ${isa}`);
  const backend = wasmBackend(new WasmMemory());
  selfCheck(backend);
  return backend;
}

/**
 * The kernels on one linear memory as a `KernelBackend`. Inputs are copied into that memory and results out of it. A
 * call whose data do not fit (a score table of more than 256 MiB, say) is computed in plain TypeScript instead, with
 * the same bits as result.
 */
export function wasmBackend(memory: WasmMemory): KernelBackend {
  return {
    name: "wasm",
    isa: WASM_ISA,
    centroidScores(...call) {
      if (!centroidScores(memory, ...call)) referenceBackend.centroidScores(...call);
    },
    gather: referenceBackend.gather,
    selectTop: referenceBackend.selectTop,
    topCentroids(...call) {
      if (!topCentroids(memory, ...call)) referenceBackend.topCentroids(...call);
    },
    approximate(...call) {
      if (!approximate(memory, ...call)) referenceBackend.approximate(...call);
    },
    maxsim(...call) {
      if (!maxsim(memory, ...call)) referenceBackend.maxsim(...call);
    },
    assign(...call) {
      if (!assign(memory, ...call)) referenceBackend.assign(...call);
    },
    compress(...call) {
      if (!compress(memory, ...call)) referenceBackend.compress(...call);
    },
  };
}
