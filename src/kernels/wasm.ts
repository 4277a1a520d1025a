/** The backend in WebAssembly with 128-bit SIMD, relaxed where there is that: runs wherever Node.js does, without a compiler or an addon. */
import type { KernelBackend } from "./backend.js";
import { referenceBackend } from "./reference.js";
import { selfCheck } from "./self-check.js";
import { assign, centroidScores, topCentroids } from "./wasm-centroid.js";
import { takesModule, WASM_ISAS } from "./wasm-exports.js";
import { gather } from "./wasm-gather.js";
import { approximate, maxsim } from "./wasm-maxsim.js";
import { WasmMemory } from "./wasm-memory.js";
import { compress } from "./wasm-residual.js";
import { selectTop } from "./wasm-select-top.js";

/**
 * Compiles the kernels for the calling thread and compares them with the plain TypeScript backend on a small query: of
 * relaxed SIMD, which Node.js 20 has behind a flag, the baseline compiler of its V8 adds up dot products wrongly.
 * @param isa one of WASM_ISAS.
 * @throws Error of any kind when they do not compile, `isa` is another one, or they compute something else.
 */
export function loadWasm(isa: string): KernelBackend {
  const found = WASM_ISAS.find((name) => name === isa);
  if (found === undefined) throw new Error(`the WASM kernels have ${WASM_ISAS.join(" and ")}, not ${isa}`);
  if (!takesModule(found))
    throw new Error(`Node.js ${process.version} does not take WebAssembly with ${isa}`);
  const backend = wasmBackend(new WasmMemory(found));
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
    isa: memory.isa,
    centroidScores(...call) {
      if (!centroidScores(memory, ...call)) referenceBackend.centroidScores(...call);
    },
    gather(...call) {
      return gather(memory, ...call) ?? referenceBackend.gather(...call);
    },
    selectTop(...call) {
      return selectTop(memory, ...call) ?? referenceBackend.selectTop(...call);
    },
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
