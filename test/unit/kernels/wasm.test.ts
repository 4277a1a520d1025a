import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { loadWasm, wasmBackend } from "../../../src/kernels/wasm.js";
import { compileKernels } from "../../../src/kernels/wasm-exports.js";
import { WasmMemory } from "../../../src/kernels/wasm-memory.js";
import { WASM_BASE64 } from "../../../src/kernels/wasm-module.js";
import { outcomes, randomCase, standardShape } from "../../conformance/kernels/cases.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

function reasonWithoutWasm(): string | undefined {
  try {
    compileKernels()(4);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

function reasonWithoutCompiler(): string | undefined {
  try {
    createRequire(import.meta.url).resolve("assemblyscript/package.json");
    return undefined;
  } catch (error) {
    return String(error);
  }
}

const reason = reasonWithoutWasm();
const titled = (title: string, why: string | undefined): string =>
  why === undefined ? title : `${title} (skipped: ${why})`;

describe.skipIf(reason !== undefined)(titled("WASM memory", reason), () => {
  it("hands out addresses that do not overlap, and makes room for them", () => {
    const memory = new WasmMemory();
    memory.begin();
    const first = memory.take(100);
    const second = memory.take(3_000_000);
    const third = memory.take(0);
    expect([first % 64, second % 64, third % 64]).toEqual([0, 0, 0]);
    expect(second - first).toBeGreaterThanOrEqual(100);
    expect(third - second).toBeGreaterThanOrEqual(3_000_000);
    expect(memory.fits()).toBe(true);
    expect(memory.views.u8.length).toBeGreaterThan(third);
  });

  it("stays within its limit, and keeps its room", () => {
    const memory = new WasmMemory(16);
    memory.begin();
    memory.take(2_000_000);
    expect(memory.fits()).toBe(false);
    memory.begin();
    memory.take(500_000);
    expect(memory.fits()).toBe(true);
    const { views } = memory;
    expect(views.u8.length).toBe(16 * 65_536);
    memory.begin();
    memory.take(1);
    expect(memory.fits()).toBe(true);
    expect(memory.views).toBe(views);
  });

  it("computes in plain TypeScript what does not fit", () => {
    const input = randomCase({ ...standardShape, centroids: 300, passages: [40, 0, 2000] });
    const small = wasmBackend(new WasmMemory(4));
    expect(outcomes(small, input)).toEqual(outcomes(referenceBackend, input));
  });
});

describe.skipIf(reason !== undefined)(titled("WASM backend", reason), () => {
  it("proves itself before it is handed out", () => {
    expect(loadWasm(undefined)).toMatchObject({ name: "wasm", isa: "simd128" });
    expect(() => loadWasm("avx2")).toThrow("simd128, not avx2");
  });

  it("runs in several threads at a time", async () => {
    const program = `
      const { parentPort, workerData } = require("node:worker_threads");
      const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
      const module = new WebAssembly.Module(Buffer.from(workerData, "base64"));
      const { exports } = new WebAssembly.Instance(module, { env: { memory } });
      const start = exports.staging.value;
      // One centroid of 8 dimensions, 66 each, and a query token with a 3 in front; (66 - 64) * 3 * 0.5
      new Int8Array(memory.buffer)[start] = 3;
      new Uint8Array(memory.buffer).fill(66, start + 1024, start + 1032);
      new Float32Array(memory.buffer)[(start + 2048) / 4] = 0.5;
      exports.widenQuery(start, 16, 8);
      for (let i = 0; i < 1000; i++) exports.scores(start + 1024, start + 2048, 1, 16, 8, start + 4096, 0, 0);
      parentPort.postMessage(new Float32Array(memory.buffer)[(start + 4096) / 4]);
    `;
    const answers = Array.from({ length: 3 }, () => {
      const worker = new Worker(program, { eval: true, workerData: WASM_BASE64 });
      return new Promise((resolve, reject) => {
        worker.on("message", resolve);
        worker.on("error", reject);
      });
    });
    expect(await Promise.all(answers)).toEqual([3, 3, 3]);
  });
});

const compiler = reasonWithoutCompiler();
describe.skipIf(compiler !== undefined)(titled("WASM module", compiler), () => {
  it("is what its sources compile to", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/build-wasm.mjs", "--check"], {
      cwd: root,
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toMatchObject({ status: 0, stderr: "" });
  });
});
