import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { chooseKernels } from "../../../src/kernels/select.js";

const { info } = chooseKernels({});
const reason = info.path === undefined ? `no addon: ${info.tried[0]?.reason}` : undefined;

/** Loads the addon in a thread and reports its instruction set and a centroid score. */
const program = `
const { parentPort, workerData } = require("node:worker_threads");
const addon = require(workerData);
const out = new Float32Array(16);
const values = new Int8Array(8 * 16);
values[0] = 3;
const scales = new Float32Array(16);
const bias = new Int32Array(16);
bias[0] = 64 * 3;
const centroid = new Uint8Array(8).fill(66);
for (let i = 0; i < 1000; i++) {
  addon.centroidScores(1, 16, 8, values, scales, bias, 1, 8, centroid, Float32Array.of(0.5), out, null);
}
parentPort.postMessage([addon.isa(), out[0]]);
`;

describe.skipIf(reason !== undefined)(
  reason === undefined ? "addon in threads" : `addon in threads (skipped: ${reason})`,
  () => {
    it("loads and runs in several threads at a time, and again after they end", async () => {
      for (let round = 0; round < 2; round++) {
        const answers = Array.from({ length: 3 }, () => {
          const worker = new Worker(program, { eval: true, workerData: info.path });
          return new Promise((resolve, reject) => {
            let answer: unknown;
            worker.on("message", (message) => {
              answer = message;
            });
            worker.on("error", reject);
            worker.on("exit", () => resolve(answer));
          });
        });
        // (66 - 64) * 3 * 0.5
        for (const answer of await Promise.all(answers)) expect(answer).toEqual([info.isa, 3]);
      }
    });
  },
);
