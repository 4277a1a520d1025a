import { describe, expect, it } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import type { KernelBackend } from "../../../src/kernels/backend.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { chooseKernels, selectKernels } from "../../../src/kernels/select.js";
import { selfCheck } from "../../../src/kernels/self-check.js";

/** The error that `choose` throws; fails when it throws none or another class. */
function refusal(environment: Parameters<typeof chooseKernels>[0]): { code: string; message: string } {
  try {
    chooseKernels(environment);
  } catch (error) {
    if (isMaxsimError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("chooseKernels", () => {
  it("always finds a backend and says what was tried", () => {
    const { backend, info } = chooseKernels({});
    expect(info.backend).toBe(backend.name);
    expect(info.isa).toBe(backend.isa);
    expect(info.tried.at(-1)).toMatchObject({ ok: true });
    for (const attempt of info.tried) expect(attempt.reason).not.toBe("");
    expect(info.path === undefined).toBe(backend.name !== "native");
  });

  it("takes plain TypeScript when told to", () => {
    const { backend, info } = chooseKernels({ MAXSIM_KERNELS: "js" });
    expect(backend).toBe(referenceBackend);
    expect(info).toMatchObject({ backend: "js", isa: "plain", path: undefined });
  });

  it("takes WebAssembly when told to", () => {
    for (const environment of [{ MAXSIM_KERNELS: "wasm" }, { MAXSIM_ISA: "simd128" }]) {
      const { backend, info } = chooseKernels(environment);
      expect(backend.name).toBe("wasm");
      expect(info).toMatchObject({ backend: "wasm", isa: backend.isa, path: undefined });
      expect(info.tried.at(-1)).toMatchObject({ candidate: `wasm ${backend.isa}`, ok: true });
    }
    expect(chooseKernels({ MAXSIM_ISA: "simd128" }).info.isa).toBe("simd128");
  });

  it("refuses an instruction set that the forced backend does not have", () => {
    const error = refusal({ MAXSIM_KERNELS: "wasm", MAXSIM_ISA: "avx2" });
    expect(error.code).toBe("KERNELS_UNAVAILABLE");
    expect(error.message).toContain("simd128, not avx2");
  });

  it("refuses a forced addon that does not exist, with the reason", () => {
    const error = refusal({ MAXSIM_KERNELS: "/nonexistent/maxsim.node" });
    expect(error.code).toBe("KERNELS_UNAVAILABLE");
    expect(error.message).toContain("MAXSIM_KERNELS=/nonexistent/maxsim.node");
    expect(error.message).toContain("Cannot find module");
  });

  it("refuses a forced instruction set that nothing has", () => {
    const error = refusal({ MAXSIM_ISA: "mmx" });
    expect(error.code).toBe("KERNELS_UNAVAILABLE");
    expect(error.message).toContain("MAXSIM_ISA=mmx");
  });

  it("takes empty variables for not set", () => {
    expect(chooseKernels({ MAXSIM_KERNELS: "", MAXSIM_ISA: "" }).info).toEqual(chooseKernels({}).info);
  });

  it("chooses once a process", () => {
    expect(selectKernels()).toBe(selectKernels());
  });
});

describe("selfCheck", () => {
  it("passes the reference itself", () => {
    selfCheck(referenceBackend);
  });

  const operations = [
    "centroidScores",
    "topCentroids",
    "assign",
    "compress",
    "approximate",
    "maxsim",
  ] as const satisfies readonly (keyof KernelBackend)[];

  it.each(operations)("names %s when that does nothing", (operation) => {
    const broken: KernelBackend = { ...referenceBackend, [operation]: () => {} };
    expect(() => selfCheck(broken)).toThrow("self-check failed");
  });
});
