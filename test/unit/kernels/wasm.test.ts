import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { loadWasm, wasmBackend } from "../../../src/kernels/wasm.js";
import { compileKernels, type WasmIsa } from "../../../src/kernels/wasm-exports.js";
import { WasmMemory } from "../../../src/kernels/wasm-memory.js";
import { WASM_RELAXED_SIMD, WASM_SIMD128 } from "../../../src/kernels/wasm-module.js";
import { outcomes, randomCase, standardShape } from "../../conformance/kernels/cases.js";
import { enableRelaxedSimd } from "../../support/relaxed-simd.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

function reasonWithoutWasm(): string | undefined {
  try {
    compileKernels("simd128")(4);
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
    const memory = new WasmMemory("simd128");
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
    const memory = new WasmMemory("simd128", 16);
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
    const small = wasmBackend(new WasmMemory("simd128", 4));
    expect(outcomes(small, input)).toEqual(outcomes(referenceBackend, input));
  });
});

const relaxedReason = reason ?? enableRelaxedSimd();
const modules: { isa: WasmIsa; base64: string; why: string | undefined }[] = [
  { isa: "simd128", base64: WASM_SIMD128, why: reason },
  { isa: "relaxedsimd", base64: WASM_RELAXED_SIMD, why: relaxedReason },
];
describe.each(modules)("WASM backend", ({ isa, base64, why }) => {
  const here = it.skipIf(why !== undefined);

  here(titled(`proves itself with ${isa} before it is handed out`, why), () => {
    expect(loadWasm(isa)).toMatchObject({ name: "wasm", isa });
  });

  here(titled(`runs ${isa} in several threads at a time`, why), async () => {
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
      exports.putQuery(start, 16, 8);
      for (let i = 0; i < 1000; i++) exports.scores(start + 1024, start + 2048, 1, 16, 8, start + 4096, 0, 0);
      parentPort.postMessage(new Float32Array(memory.buffer)[(start + 4096) / 4]);
    `;
    const answers = Array.from({ length: 3 }, () => {
      const worker = new Worker(program, { eval: true, workerData: base64 });
      return new Promise((resolve, reject) => {
        worker.on("message", resolve);
        worker.on("error", reject);
      });
    });
    expect(await Promise.all(answers)).toEqual([3, 3, 3]);
  });

  // The first operand of the relaxed dot product is signed, the second has 7 bits: with the two the wrong way round, or
  // with sums of pairs that saturate, these come out wrong, while random vectors may not show it.
  here.each([1, 63, 64, 65, 127])(
    titled(`computes dot products at the limits with ${isa}, document %i`, why),
    (document) => {
      const dim = 256;
      const lanes = 16;
      const patterns = [
        () => 127,
        () => -127,
        (d: number) => (d % 2 === 0 ? 127 : -127),
        (d: number) => (d < 128 ? -127 : 127),
      ];
      const values = new Int8Array(dim * lanes);
      const sums = patterns.map(() => 0);
      patterns.forEach((pattern, token) => {
        for (let d = 0; d < dim; d++) {
          values[((d >> 2) * lanes + token) * 4 + (d & 3)] = pattern(d);
          sums[token]! += pattern(d);
        }
      });
      const bias = Int32Array.from({ length: lanes }, (_, q) => 64 * (sums[q] ?? 0));
      const query = { tokens: 4, lanes, dim, values, scales: new Float32Array(lanes).fill(1), bias };
      // The third centroid is at the opposite limit in every second dimension.
      const rows = new Uint8Array(3 * dim).fill(document);
      for (let d = 2 * dim; d < 3 * dim; d += 2) rows[d] = 128 - document;
      const codebook = { size: 3, dim, values: rows, scales: Float32Array.of(1, 1, 1) };
      const table = new Float32Array(3 * lanes);
      loadWasm(isa).centroidScores(query, codebook, table, null);
      const expected = [0, 1, 2].flatMap((k) =>
        Array.from({ length: lanes }, (_, q) => {
          let sum = 0;
          for (let d = 0; d < dim; d++) sum += (patterns[q]?.(d) ?? 0) * (rows[k * dim + d]! - 64);
          return sum;
        }),
      );
      expect([...table]).toEqual(expected);
    },
  );
});

describe("loadWasm", () => {
  it("refuses instruction sets that it does not have", () => {
    expect(() => loadWasm("avx2")).toThrow("relaxedsimd and simd128, not avx2");
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
