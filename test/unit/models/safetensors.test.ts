import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toFloat16 } from "../../../src/common/float16.js";
import { applyProjection } from "../../../src/models/projection.js";
import { readSafetensors } from "../../../src/models/safetensors.js";
import type { DenseLayer } from "../../../src/models/settings.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import { f32, safetensors, tinyWeights } from "../../support/tiny-model.js";

const newFolder = temporaryFolders();

async function write(content: Uint8Array): Promise<string> {
  const path = join(await newFolder(), "model.safetensors");
  await writeFile(path, content);
  return path;
}

const half = (values: readonly number[]) => new Uint8Array(Uint16Array.from(values, toFloat16).buffer);

describe("safetensors", () => {
  test("reads f32, f16 and bf16 tensors and leaves others alone", async () => {
    const values = [0, 1, -2.5, 0.15625, 1e-5, 65504];
    const bf16 = new Uint8Array(Uint16Array.from([0x3f80, 0xc020]).buffer);
    const path = await write(
      safetensors({
        ignored: { dtype: "I64", shape: [1], data: new Uint8Array(8) },
        full: f32([2, 3], Float32Array.from(values)),
        half: { dtype: "F16", shape: [6], data: half(values) },
        brain: { dtype: "BF16", shape: [2], data: bf16 },
      }),
    );
    const tensors = await readSafetensors(path, ["full", "half", "brain", "absent"]);
    expect(tensors.get("full")).toEqual({ shape: [2, 3], values: Float32Array.from(values) });
    expect(tensors.get("half")!.values[3]).toBe(0.15625);
    expect(tensors.get("brain")!.values).toEqual(Float32Array.from([1, -2.5]));
    expect(tensors.has("absent")).toBe(false);
  });

  const good = safetensors({ w: f32([2, 2], Float32Array.from([1, 2, 3, 4])) });
  const withHeader = (json: string, data = 16): Buffer => {
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([head, Buffer.from(json), Buffer.alloc(data)]);
  };
  const entry = (shape: string, offsets: string, dtype = "F32") =>
    withHeader(`{"w":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}}`);
  test.each([
    ["an empty file", Buffer.alloc(0), "must have 8 bytes"],
    [
      "a header beyond the file",
      Buffer.concat([Buffer.from([255, 255, 255, 255, 255, 255, 255, 127]), good]),
      "header claims",
    ],
    ["a file cut in its data", good.subarray(0, good.length - 4), "places it at"],
    ["a header that is no JSON", withHeader("{nonsense"), "not JSON"],
    ["a header that is a list", withHeader("[1]"), "not an object"],
    ["an entry without a shape", withHeader('{"w":{"dtype":"F32"}}'), "malformed"],
    ["a negative size", entry("[-2,2]", "[0,16]"), "malformed"],
    ["offsets in reverse", entry("[2,2]", "[16,0]"), "places it at"],
    ["offsets beyond the file", entry("[2,2]", "[16,32]"), "places it at"],
    ["a shape that does not fit", entry("[2,3]", "[0,16]"), "places it at"],
    ["a shape beyond all memory", entry("[9007199254740991,9007199254740991]", "[0,16]"), "places it at"],
    ["integers", entry("[2]", "[0,16]", "I64"), "F32, F16 or BF16"],
    ["a weight that is not finite", safetensors({ w: f32([1], Float32Array.of(Number.NaN)) }), "not finite"],
  ])("refuses %s", async (_, content, reason) => {
    const path = await write(content);
    await expect(readSafetensors(path, ["w"])).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringMatching(new RegExp(`${path}.*${reason}`)),
    });
  });
});

describe("projection", () => {
  const layer = (changes: Partial<DenseLayer> = {}): DenseLayer => ({
    inFeatures: 2,
    outFeatures: 2,
    weight: Float32Array.of(1, 2, -3, 4),
    bias: undefined,
    activation: "identity",
    residual: undefined,
    ...changes,
  });
  const run = (changes: Partial<DenseLayer>) => [
    ...applyProjection([layer(changes)], 1, Float32Array.of(0.5, 1)),
  ];

  test("no layers change nothing", () => {
    expect([...applyProjection([], 1, Float32Array.of(3, 4))]).toEqual([3, 4]);
  });

  test("weights, bias and residuals", () => {
    expect(run({})).toEqual([2.5, 2.5]);
    expect(run({ bias: Float32Array.of(1, -1) })).toEqual([3.5, 1.5]);
    expect(run({ residual: "identity" })).toEqual([3, 3.5]);
    expect(run({ residual: Float32Array.of(2, 0, 0, 2) })).toEqual([3.5, 4.5]);
  });

  test.each([
    ["tanh", -1, -0.7615942],
    ["relu", -1, 0],
    ["relu", 2, 2],
    ["gelu", 1, 0.8413447],
    ["gelu", -0.5, -0.1542688],
    ["silu", 1, 0.7310586],
    ["sigmoid", 1, 0.7310586],
  ] as const)("%s(%d) = %d", (activation, x, y) => {
    const single = layer({ inFeatures: 1, outFeatures: 1, weight: Float32Array.of(1), activation });
    expect(applyProjection([single], 1, Float32Array.of(x))[0]).toBeCloseTo(y, 6);
  });

  test("layers chain, and rows do not touch each other", () => {
    const wide = layer({ inFeatures: 5, outFeatures: 3, weight: tinyWeights(3, 5) });
    const narrow = layer({ inFeatures: 3, outFeatures: 2, weight: tinyWeights(2, 3) });
    const rows = tinyWeights(4, 5);
    const together = applyProjection([wide, narrow], 4, rows);
    for (let row = 0; row < 4; row++) {
      const alone = applyProjection([wide, narrow], 1, rows.slice(row * 5, row * 5 + 5));
      expect([...together.subarray(row * 2, row * 2 + 2)]).toEqual([...alone]);
    }
  });
});
