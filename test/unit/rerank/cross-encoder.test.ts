import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { loadCrossEncoderSettings } from "../../../src/models/cross-encoder-settings.js";
import { type CrossEncoderOptions, crossEncoderReranker } from "../../../src/rerank/cross-encoder.js";
import type { Reranker } from "../../../src/rerank/types.js";
import { PairPool } from "../../../src/workers/pair-pool.js";
import { describeReranker } from "../../support/reranker-conformance.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import {
  type TinyCrossEncoder,
  type TinyKind,
  tinyCrossGraph,
  writeTinyCrossEncoder,
} from "../../support/tiny-cross-encoder.js";
import { writeTinyModel } from "../../support/tiny-model.js";

const newFolder = temporaryFolders();
const WORDS = ["cat", "dog", "mat", "search", "index", "token", "fast", "run", "the", "on"];
const QUERY = "the cat sat";
/** Of 1 to 25 words. */
const TEXTS = Array.from({ length: 60 }, (_, i) => {
  return Array.from({ length: 1 + ((i * 7) % 25) }, (_, j) => WORDS[(i * 3 + j * j) % WORDS.length]).join(
    " ",
  );
});

async function tiny(options: TinyCrossEncoder = {}): Promise<string> {
  const folder = await newFolder();
  await writeTinyCrossEncoder(folder, options);
  return folder;
}

async function open(
  model: TinyCrossEncoder = {},
  options: Omit<CrossEncoderOptions, "model"> = {},
): Promise<Reranker> {
  return crossEncoderReranker({ threads: 1, ...options, model: await tiny(model) });
}

/** Scores in the order of the documents. */
async function scores(reranker: Reranker, documents: readonly string[], query = QUERY): Promise<number[]> {
  const results = await reranker.rerank(query, documents);
  return [...results].sort((a, b) => a.index - b.index).map(({ score }) => score);
}

async function scoresOf(
  model: TinyCrossEncoder,
  options: Omit<CrossEncoderOptions, "model">,
  documents: readonly string[],
): Promise<number[]> {
  await using reranker = await open(model, options);
  return await scores(reranker, documents);
}

describeReranker("a cross-encoder", () => open({}, { threads: 2 }));
describeReranker("a quantized cross-encoder with two labels", () => open({ quantized: true, labels: 2 }));
describeReranker("a cross-encoder in the manner of RoBERTa", () => open({ kind: "roberta" }));

describe("scores", () => {
  it.each<[string, TinyCrossEncoder]>([
    ["float", {}],
    ["quantized", { quantized: true }],
  ])("of a %s graph do not depend on the other documents, requests or threads", async (_, model) => {
    await using one = await open(model, { activation: "identity" });
    await using three = await open(model, { activation: "identity", threads: 3 });
    const together = await scores(one, TEXTS);
    expect(new Set(together).size).toBeGreaterThan(40);
    expect(await scores(three, TEXTS)).toEqual(together);
    const reversed = (await scores(one, [...TEXTS].reverse())).reverse();
    const alone: number[] = [];
    for (const text of TEXTS) alone.push(...(await scores(one, [text])));
    const [, outcome] = await one.rerankBatch([
      { query: "dog", documents: TEXTS.slice(0, 9) },
      { query: QUERY, documents: TEXTS },
    ]);
    const batched = [...outcome!.results].sort((a, b) => a.index - b.index).map(({ score }) => score);
    for (const found of [reversed, alone, batched]) {
      for (const [i, score] of together.entries()) {
        // Quantized pairs have runs of their own; sums of floats may be rounded differently in batches.
        if (model.quantized === true) expect(found[i]).toBe(score);
        else expect(Math.abs(found[i]! - score)).toBeLessThan(1e-5);
      }
    }
  });

  it("go through the activation of option or config", async () => {
    const logits = await scoresOf({}, { activation: "identity" }, TEXTS);
    const expected = logits.map((x) => 1 / (1 + Math.exp(-x)));
    expect(await scoresOf({}, {}, TEXTS)).toEqual(expected);
    const config = {
      sentence_transformers: { activation_fn: "torch.nn.modules.linear.Identity", version: "5" },
    };
    expect(await scoresOf({ config }, {}, TEXTS)).toEqual(logits);
    expect(await scoresOf({ config }, { activation: "sigmoid" }, TEXTS)).toEqual(expected);
    const legacy = { sbert_ce_default_activation_function: "torch.nn.modules.linear.Identity" };
    expect(await scoresOf({ config: legacy }, {}, TEXTS)).toEqual(logits);
  });

  it("of two labels are the softmax of the second", async () => {
    const differences = await scoresOf({ labels: 2 }, { activation: "identity" }, TEXTS);
    const soft = await scoresOf({ labels: 2 }, {}, TEXTS);
    expect(Math.min(...differences)).toBeLessThan(0);
    expect(soft).toEqual(differences.map((x) => 1 / (1 + Math.exp(-x))));
  });

  it.each<[string, TinyCrossEncoder]>([
    ["an open number of labels", { symbolic: true }],
    ["logits without a column", { flat: true }],
    ["int32 inputs", { int32: true }],
    ["an output of another name", { output: "score" }],
    ["one pair a run", { fixed: [1, undefined] }],
    ["runs of one length", { fixed: [1, 48] }],
  ])("are the same from a graph with %s", async (_, model) => {
    expect(await scoresOf(model, {}, TEXTS)).toEqual(await scoresOf({}, {}, TEXTS));
  });

  it.each<TinyKind>(["bert", "bert-processing", "distilbert", "roberta", "xlm-roberta"])(
    "of a long document take several parts (%s)",
    async (kind) => {
      await using reranker = await open({ kind });
      const documents = [`${"cat index ".repeat(30)}${"dog fast run ".repeat(40)}`];
      const [outcome] = await reranker.rerankBatch([{ query: QUERY, documents }]);
      expect(outcome!.usage.inputTokens).toBeGreaterThan(3 * 48);
      expect(outcome!.warnings).toEqual([]);
    },
  );

  it("count no more than maxTokensPerDocument, and say so", async () => {
    await using reranker = await open();
    const long = "cat ".repeat(20);
    const [cut] = await reranker.rerankBatch([{ query: QUERY, documents: [`${long}dog dog`, "cat"] }], {
      maxTokensPerDocument: 20,
    });
    expect(cut!.warnings).toEqual(["1 of 2 documents were cut to 20 tokens"]);
    const [whole] = await reranker.rerankBatch([{ query: QUERY, documents: [long] }], {
      maxTokensPerDocument: 20,
    });
    expect(whole!.warnings).toEqual([]);
    expect(cut!.results.find(({ index }) => index === 0)!.score).toBeCloseTo(whole!.results[0]!.score, 6);
  });

  it("cut a query that leaves no room, and say so", async () => {
    await using reranker = await open();
    const [outcome] = await reranker.rerankBatch([
      { query: "cat ".repeat(500), documents: ["dog", "dog ".repeat(200)] },
    ]);
    expect(outcome!.warnings).toEqual([
      "the query was cut to leave room for documents: the model takes 48 positions",
    ]);
  });
});

describe("a cross-encoder", () => {
  it("takes texts of any content", async () => {
    await using reranker = await open({ kind: "roberta" });
    const odd = [
      "\ud800 lone",
      "\0",
      "x".repeat(50_000),
      "\u200b",
      "[SEP] </s> <s>",
      "\u4f60\u597d \ud83d\ude00",
    ];
    for (const query of odd) {
      const [outcome] = await reranker.rerankBatch([{ query, documents: odd }]);
      expect(outcome!.results.map(({ score }) => Number.isFinite(score))).not.toContain(false);
    }
  });

  it("fails when a thread dies, and works the next time", async () => {
    const pool = PairPool.create(await loadCrossEncoderSettings(await tiny()), { threads: 1 });
    try {
      const threads = () =>
        (pool as unknown as { pool: { threads: Array<{ terminate(): Promise<number> }> } }).pool.threads;
      // Before the runtime is loaded: inside it, the process would end as well.
      const work = pool.score([{ query: QUERY, document: "dog" }], { maxTokens: 9 });
      const outcome = expect(work).rejects.toMatchObject({ code: "WORKER_FAILED" });
      await threads()[0]!.terminate();
      await outcome;
      expect(await pool.score([{ query: QUERY, document: "dog" }], { maxTokens: 9 })).toHaveLength(1);
    } finally {
      await pool.close();
    }
  });

  it("differs in its fingerprint by what changes scores", async () => {
    const model = await tiny();
    const fingerprint = async (options: Partial<CrossEncoderOptions>): Promise<string> => {
      await using reranker = await crossEncoderReranker({ model, ...options });
      return reranker.fingerprint();
    };
    const plain = await fingerprint({});
    expect(plain).toMatch(/^[0-9a-f]{64}$/);
    expect(await fingerprint({ threads: 3 })).toBe(plain);
    expect(await fingerprint({ activation: "identity" })).not.toBe(plain);
    expect(await fingerprint({ maxLength: 32 })).not.toBe(plain);
    await writeFile(join(model, "onnx", "model.onnx"), tinyCrossGraph({ vocabulary: 1_200 }));
    expect(await fingerprint({})).not.toBe(plain);
  });

  it("stops in the middle when it is told to, and goes on afterwards", async () => {
    await using reranker = await open({}, { threads: 2 });
    const controller = new AbortController();
    const many = Array.from({ length: 2_000 }, (_, i) => `${TEXTS[i % TEXTS.length]} ${i}`);
    const work = reranker.rerank(QUERY, many, { signal: controller.signal });
    controller.abort();
    await expect(work).rejects.toMatchObject({ code: "ABORTED" });
    expect(await reranker.rerank(QUERY, ["cat"])).toHaveLength(1);
  });

  it("ends work under way with CLOSED", async () => {
    const reranker = await open({}, { threads: 2 });
    const many = Array.from({ length: 2_000 }, (_, i) => `${TEXTS[i % TEXTS.length]} ${i}`);
    const work = expect(reranker.rerank(QUERY, many)).rejects.toMatchObject({ code: "CLOSED" });
    await reranker.close();
    await work;
  });

  it("lets the process exit while threads are at work", async () => {
    const model = await tiny();
    const script = `
      const { crossEncoderReranker } = await import(${JSON.stringify(new URL("../../../dist/rerank/cross-encoder.js", import.meta.url).href)});
      const reranker = await crossEncoderReranker({ model: ${JSON.stringify(model)}, threads: 2 });
      await reranker.rerank("cat", ["dog"]);
      const many = Array.from({ length: 3000 }, (_, i) => "cat dog " + i);
      reranker.rerank("cat", many).catch(() => undefined);
      setTimeout(() => process.exit(3), 20);
    `;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    await expect(run).rejects.toMatchObject({ code: 3 });
  });

  it("gives the order of the first stage where it may when the graph fails", async () => {
    const model = await tiny();
    await writeFile(join(model, "onnx", "model.onnx"), tinyCrossGraph({ vocabulary: 5 }));
    await using strict = await crossEncoderReranker({ model, threads: 1 });
    await expect(strict.rerank(QUERY, TEXTS)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringMatching(/model\.onnx does not run on \d+ pairs? of \d+ positions: /),
    });
    await using lenient = await crossEncoderReranker({ model, threads: 1, onFailure: "first-stage" });
    const [outcome] = await lenient.rerankBatch([{ query: QUERY, documents: TEXTS }]);
    expect(outcome!.reranked).toBe(false);
    expect(outcome!.results.map(({ index }) => index)).toEqual([...TEXTS.keys()]);
  });

  it.each<[string, Partial<CrossEncoderOptions>, RegExp]>([
    ["no model", { model: undefined as unknown as string }, /model must be a string, found undefined/],
    ["threads 0", { threads: 0 }, /threads must be an integer from 1 to 256, found 0/],
    [
      "an unknown activation",
      { activation: "tanh" as "sigmoid" },
      /activation must be one of sigmoid, identity/,
    ],
    [
      "a length beyond the model's",
      { maxLength: 49 },
      /maxLength must be an integer from 16 to 48, found 49/,
    ],
  ])("refuses %s", async (_, options, message) => {
    await expect(crossEncoderReranker({ model: await tiny(), ...options })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(message),
    });
  });

  it("refuses ColBERT models, the bundled one among them, and says what they are for", async () => {
    const folder = await newFolder();
    await writeTinyModel(folder, { "onnx_config.json": { query_length: 16 } });
    for (const model of [folder, "default"]) {
      await expect(crossEncoderReranker({ model })).rejects.toMatchObject({
        code: "MODEL_INVALID",
        hint: expect.stringMatching(/ColBERT model .*lateReranker/),
      });
    }
    await expect(crossEncoderReranker({ model: "./nowhere" })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
    });
  });

  it("says which file of a folder is missing", async () => {
    for (const [name, message] of [
      ["tokenizer.json", /must contain tokenizer\.json, found none/],
      ["config.json", /must contain config\.json of a cross-encoder, found none/],
      ["onnx/model.onnx", /must contain an ONNX graph \(.*onnx\/model\.onnx\), found none/],
    ] as const) {
      const model = await tiny();
      await rm(join(model, name));
      await expect(crossEncoderReranker({ model })).rejects.toMatchObject({
        code: "MODEL_INVALID",
        message: expect.stringMatching(message),
      });
    }
  });
});
