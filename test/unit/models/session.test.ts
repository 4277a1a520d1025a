import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/common/random.js";
import { loadModelSettings } from "../../../src/models/load-settings.js";
import { applyProjection } from "../../../src/models/projection.js";
import { resolveModel } from "../../../src/models/registry.js";
import { ModelSession } from "../../../src/models/session.js";
import type { ModelSettings } from "../../../src/models/settings.js";
import { TextTokenizer } from "../../../src/models/tokenizer.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import {
  f32,
  safetensors,
  type TinyGraphOptions,
  tinyEmbeddings,
  tinyGraph,
  tinyWeights,
  writeTinyModel,
} from "../../support/tiny-model.js";

const newFolder = temporaryFolders();
const CONFIG = { query_length: 16, document_length: 32, do_query_expansion: false };

async function tiny(graph: TinyGraphOptions = {}): Promise<ModelSettings> {
  const folder = await newFolder();
  const embedding_dim = graph.dim ?? graph.hidden ?? 16;
  await writeTinyModel(folder, { "onnx_config.json": { ...CONFIG, embedding_dim } }, graph);
  return loadModelSettings(folder);
}

async function encode(settings: ModelSettings, text: string, threads = 1) {
  const encoded = (await TextTokenizer.load(settings)).encodeDocument(text);
  const session = await ModelSession.load(settings, { threads });
  try {
    return { encoded, vectors: await session.run(encoded) };
  } finally {
    await session.close();
  }
}

function normalized(rows: Float32Array, dim: number): Float32Array {
  return rows.map((x, i) => {
    const row = rows.subarray(i - (i % dim), i - (i % dim) + dim);
    return x / Math.sqrt(row.reduce((sum, y) => sum + y * y, 0));
  });
}

function expectClose(found: Float32Array, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  for (const [i, x] of expected.entries()) expect(Math.abs(found[i]! - x)).toBeLessThan(1e-5);
}

describe("tiny graphs", () => {
  test("give the normalized rows of the kept positions", async () => {
    const { encoded, vectors } = await encode(await tiny(), "the cat sat");
    const rows = Array.from(encoded.kept, (p) =>
      tinyEmbeddings(16).slice(encoded.ids[p]! * 16, encoded.ids[p]! * 16 + 16),
    );
    expectClose(vectors, normalized(Float32Array.from(rows.flatMap((row) => [...row])), 16));
  });

  test("give the same with the projection inside the graph and outside", async () => {
    const inside = await tiny({ hidden: 24, dim: 16 });
    const folder = await newFolder();
    await writeTinyModel(
      folder,
      {
        "config_sentence_transformers.json": { query_prefix: "[Q] " },
        "modules.json": [{ path: "1_Dense", type: "x.Dense" }],
      },
      { hidden: 24, output: "last_hidden_state" },
    );
    await mkdir(join(folder, "1_Dense"));
    const dense = { in_features: 24, out_features: 16, bias: false };
    await writeFile(join(folder, "1_Dense", "config.json"), JSON.stringify(dense));
    const weights = safetensors({ "linear.weight": f32([16, 24], tinyWeights(16, 24)) });
    await writeFile(join(folder, "1_Dense", "model.safetensors"), weights);
    const outside = await loadModelSettings(folder);
    expect(inside.projection).toHaveLength(0);
    expect(outside.projection).toHaveLength(1);
    const text = "the dog sat on the mat";
    expectClose((await encode(outside, text)).vectors, (await encode(inside, text)).vectors);
    const probe = applyProjection(outside.projection, 1, tinyEmbeddings(24).slice(0, 24));
    expect(probe).toHaveLength(16);
  });

  test("get token types when they want them", async () => {
    const inputs = ["input_ids", "attention_mask", "token_type_ids"];
    const typed = await encode(await tiny({ inputs }), "cat");
    expect(typed.vectors).toEqual((await encode(await tiny(), "cat")).vectors);
  });

  test("zeros stay zeros", async () => {
    const { vectors } = await encode(await tiny({ fill: 0 }), "cat");
    expect(vectors.every((x) => x === 0)).toBe(true);
  });

  test("numbers that are not finite are refused", async () => {
    await expect(encode(await tiny({ fill: Number.NaN }), "cat")).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining("not finite"),
    });
  });

  test("a dimension that only shows when the graph runs is refused", async () => {
    const settings = await tiny({ symbolic: true });
    await expect(encode({ ...settings, dim: 24 }, "cat")).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining("24"),
    });
  });

  test("a token id beyond the graph's vocabulary is refused", async () => {
    const settings = await tiny();
    const wrong = { ...settings, documentMarker: { text: "[D]", id: 5_000 } };
    await expect(encode(wrong, "cat")).rejects.toMatchObject({ code: "MODEL_INVALID" });
  });
});

describe("hostile graph files", () => {
  async function refused(content: Uint8Array): Promise<string> {
    const folder = await newFolder();
    await writeTinyModel(folder, { "onnx_config.json": { ...CONFIG, embedding_dim: 16 } });
    const path = join(folder, "model.onnx");
    await writeFile(path, content);
    const outcome = await loadModelSettings(folder)
      .then((settings) => ModelSession.load(settings))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(outcome).toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining(path) });
    return (outcome as Error).message;
  }

  test("empty, truncated, random or something else", async () => {
    const good = tinyGraph();
    expect(await refused(Buffer.alloc(0))).toContain("empty");
    expect(await refused(good.subarray(0, good.length / 2))).toContain("runs past");
    expect(await refused(Buffer.from("<html>not found</html>"))).toContain("must be an ONNX model");
    const random = new Random(1);
    for (let i = 0; i < 20; i++)
      await refused(Buffer.from(Array.from({ length: 400 }, () => random.below(256))));
  });

  test("bytes changed anywhere never crash: they load, or are refused as a model", async () => {
    const good = tinyGraph();
    const random = new Random(2);
    const folder = await newFolder();
    await writeTinyModel(folder, { "onnx_config.json": { ...CONFIG, embedding_dim: 16 } });
    for (let i = 0; i < 60; i++) {
      const bad = Buffer.from(good);
      for (let j = 0; j < 3; j++) {
        // The structure is at both ends, the embeddings lie between.
        const at = random.below(150);
        bad[at < 75 ? at : bad.length - 150 + at] = random.below(256);
      }
      await writeFile(join(folder, "model.onnx"), bad);
      const outcome = await loadModelSettings(folder)
        .then((settings) => encode(settings, "cat"))
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      if (outcome !== undefined) expect(outcome).toMatchObject({ code: "MODEL_INVALID" });
    }
  });

  test.each(["../../../../etc/passwd", "/etc/passwd", "sub/../../outside.bin"])(
    "external data at %s",
    async (external) => {
      expect(await refused(tinyGraph({ external }))).toContain("outside of the model folder");
    },
  );

  test("external data that is missing, or a link that leaves the folder", async () => {
    expect(await refused(tinyGraph({ external: "weights.bin" }))).toContain("missing");
    const folder = await newFolder();
    const other = join(await newFolder(), "secret");
    await writeFile(other, new Uint8Array(10_000));
    await symlink(other, join(folder, "weights.bin"));
    await writeTinyModel(
      folder,
      { "onnx_config.json": { ...CONFIG, embedding_dim: 16 } },
      { external: "weights.bin" },
    );
    await expect(loadModelSettings(folder)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining("leaves the model folder"),
    });
  });

  test("external data beside the graph is fine", async () => {
    const folder = await newFolder();
    const embeddings = tinyEmbeddings(16);
    await writeFile(join(folder, "weights.bin"), Buffer.from(embeddings.buffer));
    await writeTinyModel(
      folder,
      { "onnx_config.json": { ...CONFIG, embedding_dim: 16 } },
      { external: "weights.bin" },
    );
    const settings = await loadModelSettings(folder);
    expect((await encode(settings, "cat")).vectors).toEqual((await encode(await tiny(), "cat")).vectors);
  });
});

describe("the bundled model", () => {
  test("gives the same bits whatever ran before and on any number of threads", async () => {
    const settings = await loadModelSettings(await resolveModel());
    const tokenizer = await TextTokenizer.load(settings);
    const texts = [
      "Late interaction keeps one vector for each token.",
      "x",
      "A reader never blocks a writer. ".repeat(30),
      "日本語 and 123, mixed; with — punctuation!",
    ].map((text) => tokenizer.encodeDocument(text));
    const runs: Float32Array[][] = [];
    for (const [threads, order] of [
      [1, [0, 1, 2, 3]],
      [1, [3, 2, 1, 0]],
      [2, [2, 0, 3, 1]],
      [4, [1, 3, 0, 2]],
    ] as const) {
      const session = await ModelSession.load(settings, { threads });
      const run: Float32Array[] = [];
      for (const i of order) run[i] = await session.run(texts[i]!);
      await session.close();
      runs.push(run);
    }
    for (const run of runs.slice(1)) {
      for (const [i, vectors] of run.entries())
        expect(Buffer.from(vectors.buffer).equals(Buffer.from(runs[0]![i]!.buffer))).toBe(true);
    }
  });
});
