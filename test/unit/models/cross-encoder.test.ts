import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  type CrossEncoderSettings,
  type CrossEncoderSettingsOptions,
  loadCrossEncoderSettings,
} from "../../../src/models/cross-encoder-settings.js";
import { cutRuns, PairSession } from "../../../src/models/pair-session.js";
import { readPairTemplate } from "../../../src/models/pair-template.js";
import { longestFirst, PairTokenizer } from "../../../src/models/pair-tokenizer.js";
import { crossEncoderReranker } from "../../../src/rerank/cross-encoder.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import {
  type TinyCrossEncoder,
  tinyCrossGraph,
  tinyPairTokenizer,
  writeTinyCrossEncoder,
} from "../../support/tiny-cross-encoder.js";
import { tinyGraph, tinyId } from "../../support/tiny-model.js";

const newFolder = temporaryFolders();
const CLS = tinyId("[CLS]");
const SEP = tinyId("[SEP]");

async function tinyFolder(options: TinyCrossEncoder = {}): Promise<string> {
  const folder = await newFolder();
  await writeTinyCrossEncoder(folder, options);
  return folder;
}

async function settingsOf(
  model: TinyCrossEncoder = {},
  options: CrossEncoderSettingsOptions = {},
): Promise<CrossEncoderSettings> {
  return loadCrossEncoderSettings(await tinyFolder(model), options);
}

describe("settings", () => {
  test("of a folder as Sentence Transformers writes it", async () => {
    const settings = await settingsOf({ labels: 2, config: { id2label: { 0: "LABEL_0", 1: "LABEL_1" } } });
    expect(settings).toMatchObject({
      labels: 2,
      activation: "sigmoid",
      maxLength: 48,
      padTokenId: tinyId("[PAD]"),
      output: "logits",
      quantized: false,
      oneByOne: false,
      fixedLength: null,
      graphFile: join(settings.folder, "onnx", "model.onnx"),
      tokenizerFile: join(settings.folder, "tokenizer.json"),
      notes: [],
    });
    expect(settings.weightBytes).toBeGreaterThan(1_000);
  });

  test("know graphs that quantize activations, and prefer them", async () => {
    const folder = await tinyFolder();
    await writeFile(join(folder, "onnx", "model_quantized.onnx"), tinyCrossGraph({ quantized: true }));
    const auto = await loadCrossEncoderSettings(folder);
    expect(auto).toMatchObject({ quantized: true, graphFile: join(folder, "onnx", "model_quantized.onnx") });
    const float = await loadCrossEncoderSettings(folder, { precision: "float32" });
    expect(float).toMatchObject({ quantized: false, graphFile: join(folder, "onnx", "model.onnx") });
  });

  test("say which label is taken for the relevant one", async () => {
    const { notes } = await settingsOf({ labels: 2, config: { id2label: { 0: "no", 1: "yes" } } });
    expect(notes).toEqual(['of the labels no and yes, the second is taken for "relevant"']);
  });

  test.each<[string, TinyCrossEncoder, number]>([
    ["the tokenizer's limit", {}, 48],
    ["the graph's positions", { config: { max_position_embeddings: 40 } }, 40],
    ["the graph's alone", { tokenizerConfig: { model_max_length: 1e30 } }, 64],
    [
      "positions from the padding id + 1 on",
      { kind: "roberta", tokenizerConfig: { model_max_length: null } },
      64,
    ],
    [
      "512 where nothing is stated",
      { config: { max_position_embeddings: null }, tokenizerConfig: { model_max_length: 1e30 } },
      512,
    ],
    [
      "1,024 where more is possible",
      { config: { max_position_embeddings: 8192 }, tokenizerConfig: { model_max_length: 8192 } },
      1024,
    ],
  ])("have the length: %s", async (_, model, maxLength) => {
    expect(await settingsOf(model)).toMatchObject({ maxLength });
  });

  test("have no more than the length that the graph was exported for", async () => {
    expect(await settingsOf({ fixed: [1, 32] })).toMatchObject({
      maxLength: 32,
      fixedLength: 32,
      oneByOne: true,
    });
  });

  test("have the length that is asked for", async () => {
    expect(await settingsOf({}, { maxLength: 20 })).toMatchObject({ maxLength: 20 });
    await expect(settingsOf({}, { maxLength: 8 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("without labels in the config take them from the graph", async () => {
    for (const labels of [1, 2] as const) {
      expect(await settingsOf({ labels, config: { id2label: null } })).toMatchObject({ labels });
    }
    expect(await settingsOf({ symbolic: true, labels: 2, config: { id2label: null } })).toMatchObject({
      labels: 2,
    });
  });
});

describe("refusals name the file, what was expected and what was found", () => {
  const refused = async (folder: string, message: RegExp, hint?: RegExp): Promise<void> => {
    await expect(loadCrossEncoderSettings(folder)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringMatching(message),
      ...(hint === undefined ? {} : { hint: expect.stringMatching(hint) }),
    });
  };

  test("three labels, and more", async () => {
    await refused(
      await tinyFolder({ labels: 3 }),
      /onnx\/model\.onnx must have one or two labels \(not relevant, relevant\), found 3$/,
      /cross-encoder/,
    );
    await refused(
      await tinyFolder({ symbolic: true, config: { num_labels: 384 } }),
      /config\.json must have one or two labels .* found 384$/,
      /Embedding models/,
    );
  });

  test("config and graph that contradict each other", async () => {
    await refused(
      await tinyFolder({ labels: 2, config: { num_labels: 1 } }),
      /config\.json states 1 labels, but the output "logits" of .*model\.onnx has 2$/,
      /Export the model again/,
    );
  });

  test("a graph with a vector a token", async () => {
    const folder = await tinyFolder();
    await writeFile(join(folder, "onnx", "model.onnx"), tinyGraph());
    await refused(
      folder,
      /model\.onnx must give logits \[batch, 1\] or \[batch, 2\], but its output "output" is \[any, any, 16\]$/,
      /embedding and ColBERT/,
    );
  });

  test.each<[string, unknown, RegExp]>([
    ["modules.json", [{ type: "sentence_transformers.models.Pooling" }], /Embedding models/],
    ["modules.json", [{ type: "pylate.models.MultiVectorMask" }], /ColBERT/],
    ["config_sentence_transformers.json", { query_prefix: "[Q] " }, /ColBERT/],
    ["artifact.metadata", {}, /ColBERT/],
  ])("other models: %s", async (name, content, hint) => {
    const folder = await tinyFolder({ config: { architectures: ["BertModel"] } });
    await writeFile(join(folder, name), JSON.stringify(content));
    await refused(
      folder,
      /config\.json must be that of a cross-encoder .*ForSequenceClassification\), found BertModel$/,
      hint,
    );
  });

  test("an activation that is neither sigmoid nor identity, unless one is given", async () => {
    const config = { sentence_transformers: { activation_fn: "torch.nn.modules.activation.Tanh" } };
    const folder = await tinyFolder({ config });
    await refused(
      folder,
      /config\.json must name the activation Sigmoid or Identity, found "torch\.nn/,
      /option activation/,
    );
    expect(await loadCrossEncoderSettings(folder, { activation: "identity" })).toMatchObject({
      activation: "identity",
    });
  });

  test("inputs that nobody feeds, and damaged files", async () => {
    await refused(
      await tinyFolder({ inputs: ["input_ids", "attention_mask", "pixel_values"] }),
      /model\.onnx wants the input pixel_values/,
    );
    const folder = await tinyFolder();
    await writeFile(join(folder, "config.json"), "{");
    await refused(folder, /config\.json must be JSON/);
    await rm(join(folder, "config.json"));
    await refused(folder, /must contain config\.json of a cross-encoder, found none/);
  });

  test("a graph for several pairs at a time", async () => {
    await refused(
      await tinyFolder({ fixed: [4, undefined] }),
      /model\.onnx must take any number of pairs a run, or one, found exactly 4$/,
    );
  });

  test("a length without room", async () => {
    await refused(
      await tinyFolder({ tokenizerConfig: { model_max_length: 4 } }),
      /must leave room for a query and a document, but of its 4 positions 1 are left/,
    );
  });
});

describe("templates of pairs", () => {
  const read = (kind: Parameters<typeof tinyPairTokenizer>[0]) => {
    const { post_processor } = tinyPairTokenizer(kind) as { post_processor: unknown };
    return readPairTemplate("tokenizer.json", post_processor);
  };
  const bert = [
    { kind: "special", ids: [CLS], type: 0 },
    { kind: "query", type: 0 },
    { kind: "special", ids: [SEP], type: 0 },
    { kind: "document", type: 1 },
    { kind: "special", ids: [SEP], type: 1 },
  ];

  test("are read from every kind of processor", () => {
    expect(read("bert")).toEqual(bert);
    expect(read("bert-processing")).toEqual(bert);
    const roberta = [
      { kind: "special", ids: [1000], type: 0 },
      { kind: "query", type: 0 },
      { kind: "special", ids: [1002, 1002], type: 0 },
      { kind: "document", type: 0 },
      { kind: "special", ids: [1002], type: 0 },
    ];
    expect(read("roberta")).toEqual(roberta);
    const joined = (template: ReturnType<typeof read>) =>
      template.flatMap((piece): ReadonlyArray<number | string> => {
        return piece.kind === "special" ? piece.ids : [piece.kind];
      });
    expect(joined(read("xlm-roberta"))).toEqual(joined(roberta as ReturnType<typeof read>));
    const { post_processor } = tinyPairTokenizer("bert") as { post_processor: object };
    const sequence = { type: "Sequence", processors: [{ type: "ByteLevel" }, post_processor] };
    expect(readPairTemplate("tokenizer.json", sequence)).toEqual(bert);
  });

  test.each<[string, unknown, RegExp]>([
    ["nothing", null, /tokenizer\.json must have a post_processor that joins two texts .* found none$/],
    ["offsets only", { type: "ByteLevel" }, /found ByteLevel$/],
    [
      "no pair",
      { type: "TemplateProcessing", pair: [], special_tokens: {} },
      /the first 0 and the second 0 times/,
    ],
    [
      "an unknown token",
      {
        type: "TemplateProcessing",
        pair: [{ SpecialToken: { id: "[X]", type_id: 0 } }],
        special_tokens: {},
      },
      /the unknown special token "\[X\]"/,
    ],
    ["the wrong shape", { type: "BertProcessing", cls: 3 }, /unexpected value at post_processor\.\w+/],
    ["a negative id", { type: "RobertaProcessing", cls: ["<s>", -1], sep: ["</s>", 2] }, /unexpected value/],
  ])("with %s are refused", (_, processor, message) => {
    expect(() => readPairTemplate("tokenizer.json", processor)).toThrow(message);
  });
});

describe("pairs", () => {
  test("that fit are one part, in the words of the tokenizer", async () => {
    const tokenizer = await PairTokenizer.load(await settingsOf());
    const query = tokenizer.tokenizeQuery("The cat.", 100);
    const document = tokenizer.tokenizeDocument("dog running", 100);
    const { parts, queryCut } = tokenizer.encode(query, document);
    const ids = ["[CLS]", "the", "cat", ".", "[SEP]", "dog", "run", "##ning", "[SEP]"].map(tinyId);
    expect(parts.map((part) => [...part.ids])).toEqual([ids]);
    expect([...parts[0]!.types]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1]);
    expect(queryCut).toBe(false);
  });

  it("lose of the longer text first", () => {
    const lengths = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(lengths, lengths, fc.integer({ min: 2, max: 100 }), (first, second, room) => {
        // One token after the other, as the rule is stated; of equal lengths, the second keeps more.
        let [a, b] = [first, second];
        while (a + b > room) {
          if (a > b || (a === b && first <= second)) a--;
          else b--;
        }
        expect(longestFirst(first, second, room)).toEqual([a, b]);
      }),
    );
  });

  it("of long documents have parts of one length that cover all of it", async () => {
    const settings = await settingsOf();
    const tokenizer = await PairTokenizer.load(settings);
    const size = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(size, size, (queryLength, documentLength) => {
        const tokens = (length: number, from: number) => ({
          ids: Array.from({ length }, (_, i) => from + i),
          truncated: false,
        });
        const { parts, queryCut } = tokenizer.encode(
          tokens(queryLength, 1_000),
          tokens(documentLength, 2_000),
        );
        const documents = parts.map(({ ids }) => ids.filter((id) => id >= 2_000));
        const queries = parts.map(({ ids }) => ids.filter((id) => id >= 1_000 && id < 2_000).length);
        expect(new Set([...documents.flatMap((ids) => [...ids])]).size).toBe(documentLength);
        expect(new Set(documents.map((ids) => ids.length)).size).toBe(1);
        expect(documents[0]![0]).toBe(2_000);
        for (const ids of documents) expect(ids.at(-1)! - ids[0]!).toBe(ids.length - 1);
        for (const { ids, types } of parts) {
          expect(ids.length).toBeLessThanOrEqual(settings.maxLength);
          expect(types).toHaveLength(ids.length);
          if (parts.length > 1) expect(ids.length).toBe(settings.maxLength);
        }
        expect(new Set(queries).size).toBe(1);
        expect(queryCut).toBe(queries[0]! < queryLength);
      }),
    );
  });

  test("of a long document give its score by the best part", async () => {
    for (const kind of ["bert", "roberta"] as const) {
      const folder = await tinyFolder({ kind });
      const settings = await loadCrossEncoderSettings(folder);
      const tokenizer = await PairTokenizer.load(settings);
      const session = await PairSession.load(settings);
      const text = `${"cat index ".repeat(30)}${"dog fast run ".repeat(40)}`;
      const { parts } = tokenizer.encode(
        tokenizer.tokenizeQuery("the cat", 999),
        tokenizer.tokenizeDocument(text, 999),
      );
      const logits: number[] = [];
      for (const part of parts) logits.push((await session.run([part]))[0]!);
      await session.close();
      expect(parts.length).toBeGreaterThan(3);
      expect(new Set(logits).size).toBeGreaterThan(1);
      await using reranker = await crossEncoderReranker({
        model: folder,
        threads: 1,
        activation: "identity",
      });
      const [result] = await reranker.rerank("the cat", [text]);
      expect(result!.score).toBeCloseTo(Math.max(...logits), 5);
    }
  });
});

describe("runs", () => {
  const pairs = (...lengths: number[]) =>
    lengths.map((length) => ({ ids: new Int32Array(length), types: new Uint8Array(length) }));

  test("hold pairs of like length, up to a number of positions", () => {
    expect(cutRuns(pairs(10, 300, 11, 600, 200, 9), false)).toEqual([[5, 0, 2], [4], [1], [3]]);
    expect(cutRuns(pairs(128, 128, 128, 128, 128), false)).toEqual([[0, 1, 2, 3], [4]]);
    expect(cutRuns(pairs(10, 300, 11), true)).toEqual([[0], [2], [1]]);
    expect(cutRuns([], false)).toEqual([]);
    expect(cutRuns(pairs(10, 9, 11), false, 256)).toEqual([[1, 0], [2]]);
  });

  test("of a quantized graph would change the scores of the pairs that share them", async () => {
    for (const quantized of [false, true]) {
      const settings = await settingsOf({ quantized });
      const tokenizer = await PairTokenizer.load(settings);
      const session = await PairSession.load(settings);
      const texts = ["cat", "dog fast run index token", "the mat sat on search", "0 1 2 3 4 5 6 7 8 9"];
      const query = tokenizer.tokenizeQuery("the cat", 999);
      const encoded = texts.flatMap(
        (text) => tokenizer.encode(query, tokenizer.tokenizeDocument(text, 99)).parts,
      );
      const together = await session.run(encoded);
      let difference = 0;
      for (const [i, pair] of encoded.entries()) {
        difference = Math.max(difference, Math.abs((await session.run([pair]))[0]! - together[i]!));
      }
      await session.close();
      if (quantized) expect(difference).toBeGreaterThan(1e-4);
      else expect(difference).toBeLessThan(1e-5);
    }
  });
});
