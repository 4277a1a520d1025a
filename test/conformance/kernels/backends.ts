/** Every kernel backend and instruction set of which this platform could have one, with why it is missing. */
import { createRequire } from "node:module";
import type { KernelBackend } from "../../../src/kernels/backend.js";
import { addonCandidates, type KernelAddon, nativeBackend } from "../../../src/kernels/native.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { loadWasm } from "../../../src/kernels/wasm.js";
import { WASM_ISAS, type WasmIsa } from "../../../src/kernels/wasm-exports.js";
import { enableRelaxedSimd } from "../../support/relaxed-simd.js";

export interface BackendUnderTest {
  readonly name: string;
  /** Undefined when `reason` says why not. */
  readonly backend: KernelBackend | undefined;
  readonly reason: string | undefined;
  /** Makes the backend use its instruction set; call it before each test. */
  readonly activate: () => void;
}

function loadAddon(): { addon: KernelAddon | undefined; reason: string } {
  const reasons: string[] = [];
  for (const path of addonCandidates()) {
    try {
      const addon: KernelAddon = createRequire(import.meta.url)(path);
      return { addon, reason: "" };
    } catch (error) {
      reasons.push(error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error));
    }
  }
  return { addon: undefined, reason: reasons.join("; ") };
}

const INSTRUCTION_SETS =
  process.arch === "arm64" ? ["scalar", "neon", "neondot"] : ["scalar", "avx2", "avx512vnni"];

function wasmUnderTest(isa: WasmIsa): BackendUnderTest {
  const name = `wasm ${isa}`;
  const activate = (): void => {};
  try {
    if (isa === "relaxedsimd") {
      const reason = enableRelaxedSimd();
      if (reason !== undefined) return { name, backend: undefined, reason, activate };
    }
    return { name, backend: loadWasm(isa), reason: undefined, activate };
  } catch (error) {
    return { name, backend: undefined, reason: String(error), activate };
  }
}

export function backendsUnderTest(): BackendUnderTest[] {
  const { addon, reason } = loadAddon();
  const available = addon?.isas() ?? [];
  const native = INSTRUCTION_SETS.map((isa): BackendUnderTest => {
    const missing = addon === undefined ? `no addon: ${reason}` : `this processor has no ${isa}`;
    const here = addon !== undefined && available.includes(isa);
    return {
      name: `native ${isa}`,
      backend: here ? nativeBackend(addon) : undefined,
      reason: here ? undefined : missing,
      activate: () => addon?.forceIsa(isa),
    };
  });
  const plain: BackendUnderTest = {
    name: "js plain",
    backend: referenceBackend,
    reason: undefined,
    activate: () => {},
  };
  return [plain, ...WASM_ISAS.map(wasmUnderTest), ...native];
}
