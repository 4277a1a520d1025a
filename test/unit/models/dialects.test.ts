/** Every dialect comes down to the same settings; what is missing or contradicts itself is refused by name. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import { loadModelSettings } from "../../../src/models/load-settings.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import {
  f32,
  safetensors,
  type TinyGraphOptions,
  tinyGraph,
  tinyId,
  tinyTokenizer,
  tinyWeights,
  writeTinyModel,
} from "../../support/tiny-model.js";

const newFolder = temporaryFolders();

const NEXT_PLAID = {
  query_prefix: "[Q] ",
  document_prefix: "[D] ",
  query_length: 16,
  document_length: 32,
  embedding_dim: 16,
};

async function model(files: Record<string, unknown>, graph: TinyGraphOptions = {}): Promise<string> {
  const folder = await newFolder();
  await writeTinyModel(folder, files, graph);
  return folder;
}

async function writeDense(
  folder: string,
  path: string,
  inFeatures: number,
  outFeatures: number,
  config: object = {},
) {
  await mkdir(join(folder, path));
  const json = { in_features: inFeatures, out_features: outFeatures, bias: false, ...config };
  await writeFile(join(folder, path, "config.json"), JSON.stringify(json));
  const weight = f32([outFeatures, inFeatures], tinyWeights(outFeatures, inFeatures));
  await writeFile(join(folder, path, "model.safetensors"), safetensors({ "linear.weight": weight }));
}

const PYLATE_MODULES = [
  { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" },
  { idx: 1, name: "1", path: "1_Dense", type: "pylate.models.Dense.Dense" },
];
const ST6_MODULES = [
  { idx: 0, name: "0", path: "", type: "sentence_transformers.base.modules.transformer.Transformer" },
  { idx: 1, name: "1", path: "1_Dense", type: "sentence_transformers.base.modules.dense.Dense" },
  {
    idx: 2,
    name: "2",
    path: "2_Mask",
    type: "sentence_transformers.multi_vec_encoder.modules.MultiVectorMask",
  },
];

describe("next-plaid", () => {
  test("reads every key", async () => {
    const settings = await loadModelSettings(
      await model({
        "onnx_config.json": {
          ...NEXT_PLAID,
          model_name: "tiny",
          do_query_expansion: false,
          skiplist_words: [".", ","],
          query_prefix_id: tinyId("[Q] "),
          mask_token_id: tinyId("[MASK]"),
          do_lower_case: true,
        },
      }),
    );
    expect(settings).toMatchObject({
      name: "tiny",
      dialect: "next-plaid",
      dim: 16,
      queryLength: 16,
      documentLength: 32,
      queryMarker: { text: "[Q]", id: tinyId("[Q] ") },
      documentMarker: { text: "[D]", id: tinyId("[D] ") },
      expansion: null,
      lowercase: true,
      usesTokenTypeIds: false,
      projection: [],
      notes: [],
    });
    expect([...settings.skiplist]).toEqual([tinyId("."), tinyId(",")]);
  });

  test("expands when the key is absent, and follows the attention flag", async () => {
    const config = { ...NEXT_PLAID, mask_token_id: tinyId("[MASK]"), attend_to_expansion_tokens: true };
    const { expansion } = await loadModelSettings(await model({ "onnx_config.json": config }));
    expect(expansion).toEqual({ strategy: "fixed", length: 16, attend: true, tokenId: tinyId("[MASK]") });
  });

  test("doubts the expansion flag of an exported repository", async () => {
    const config = { ...NEXT_PLAID, model_name: "organization/model", do_query_expansion: false };
    const { notes } = await loadModelSettings(await model({ "onnx_config.json": config }));
    expect(notes.join()).toContain("turns query expansion off");
  });

  test("yields to the trained model's own files beside it", async () => {
    const folder = await model({
      "onnx_config.json": {
        ...NEXT_PLAID,
        do_query_expansion: false,
        pad_token_id: 4,
        skiplist_words: ["a"],
      },
      "config_sentence_transformers.json": {
        query_prefix: "[Q] ",
        document_prefix: "[D] ",
        query_length: 20,
      },
    });
    const settings = await loadModelSettings(folder);
    expect(settings).toMatchObject({ dialect: "pylate", queryLength: 20, padTokenId: 4 });
    expect(settings.expansion).toMatchObject({ length: 20, attend: false });
    expect(settings.skiplist.has(tinyId("a"))).toBe(false);
    expect(settings.skiplist.size).toBe(32);
    expect(settings.notes.join()).toContain("theirs is used");
  });

  test("caps queries at 64 positions with a note", async () => {
    const config = { ...NEXT_PLAID, query_length: 100, mask_token_id: tinyId("[MASK]") };
    const settings = await loadModelSettings(await model({ "onnx_config.json": config }));
    expect(settings.queryLength).toBe(64);
    expect(settings.expansion?.length).toBe(64);
    expect(settings.notes).toHaveLength(2);
  });

  test("drops skiplist words that are unknown, with a note", async () => {
    const config = { ...NEXT_PLAID, do_query_expansion: false, skiplist_words: [".", "absent", "[UNK]"] };
    const settings = await loadModelSettings(await model({ "onnx_config.json": config }));
    expect([...settings.skiplist]).toEqual([tinyId(".")]);
    expect(settings.notes.join()).toContain("2 of 3 skiplist words");
  });
});

describe("pylate", () => {
  test("has its defaults and projects through the Dense modules", async () => {
    const folder = await model(
      {
        "modules.json": PYLATE_MODULES,
        "config_sentence_transformers.json": { query_prefix: "[Q] ", document_prefix: "[D] " },
        "tokenizer_config.json": { mask_token: { content: "[MASK]" }, pad_token: "[PAD]" },
      },
      { hidden: 24, output: "last_hidden_state" },
    );
    await writeDense(folder, "1_Dense", 24, 16, { activation_function: "torch.nn.modules.linear.Identity" });
    const settings = await loadModelSettings(folder);
    expect(settings).toMatchObject({ dialect: "pylate", dim: 16, queryLength: 32, documentLength: 180 });
    expect(settings.expansion).toEqual({
      strategy: "fixed",
      length: 32,
      attend: false,
      tokenId: tinyId("[MASK]"),
    });
    expect(settings.skiplist.size).toBe(32);
    expect(settings.projection).toHaveLength(1);
    expect(settings.projection[0]).toMatchObject({ inFeatures: 24, outFeatures: 16, activation: "identity" });
    expect(settings.projection[0]!.weight).toEqual(tinyWeights(16, 24));
  });

  test("does not project twice when the graph has the projection", async () => {
    const files = {
      "modules.json": PYLATE_MODULES,
      "config_sentence_transformers.json": { query_prefix: "[Q] " },
    };
    const folder = await model(files, { hidden: 24, dim: 16 });
    await writeDense(folder, "1_Dense", 24, 16);
    await rm(join(folder, "1_Dense", "model.safetensors"));
    expect(await loadModelSettings(folder)).toMatchObject({ dim: 16, projection: [] });
  });

  test("reads prefix and prompt together, without expansion and with attention", async () => {
    const config = {
      query_prefix: "[Q] ",
      document_prefix: "",
      do_query_expansion: false,
      attend_to_expansion_tokens: true,
      skiplist_words: [],
      prompts: { query: "[Q] search: ", document: "passage: " },
    };
    expect(
      await loadModelSettings(await model({ "config_sentence_transformers.json": config })),
    ).toMatchObject({
      queryMarker: { id: tinyId("[Q] ") },
      documentMarker: null,
      queryPrompt: "search: ",
      documentPrompt: "passage: ",
      expansion: null,
      skiplist: new Set(),
    });
  });

  test("takes the Stanford spelling of the attention flag", async () => {
    const config = { query_prefix: "[Q] ", attend_to_mask_tokens: true };
    const settings = await loadModelSettings(await model({ "config_sentence_transformers.json": config }));
    expect(settings.expansion?.attend).toBe(true);
  });
});

describe("sentence-transformers", () => {
  async function st6(
    transformer: object,
    mask: object = {},
    prompts: object = { query: "[Q] ", document: "[D] " },
  ) {
    const folder = await model(
      {
        "modules.json": ST6_MODULES,
        "sentence_bert_config.json": transformer,
        "config_sentence_transformers.json": { prompts, query_length: 7 },
      },
      { hidden: 24, output: "token_embeddings", symbolic: true },
    );
    await writeDense(folder, "1_Dense", 24, 16);
    await mkdir(join(folder, "2_Mask"));
    await writeFile(join(folder, "2_Mask", "config.json"), JSON.stringify(mask));
    return folder;
  }

  test("takes markers from prompts, lengths from the Transformer, the skiplist from the mask", async () => {
    const query_expansion = { strategy: "fixed", length: 12, attend: true };
    const folder = await st6(
      { max_seq_length: 40, query_length: 20, query_expansion },
      { skiplist_words: ["."] },
      { query: "[Q] find: ", document: "[D] " },
    );
    const settings = await loadModelSettings(folder);
    expect(settings).toMatchObject({
      dialect: "sentence-transformers",
      dim: 16,
      queryLength: 12,
      documentLength: 40,
      queryMarker: { text: "[Q] ", id: tinyId("[Q] ") },
      documentMarker: { id: tinyId("[D] ") },
      queryPrompt: "find: ",
      documentPrompt: "",
      expansion: { strategy: "fixed", length: 12, attend: true, tokenId: tinyId("[MASK]") },
      skiplist: new Set([tinyId(".")]),
    });
    expect(settings.projection).toHaveLength(1);
  });

  test("does not expand when nothing is stated; skiplist is empty by default", async () => {
    const settings = await loadModelSettings(await st6({ document_length: 30 }));
    expect(settings).toMatchObject({ expansion: null, documentLength: 30, skiplist: new Set() });
  });

  test("reads the minimum strategy with a token of its own", async () => {
    const query_expansion = { strategy: "min", length: 8, token: "[PAD]" };
    const settings = await loadModelSettings(await st6({ query_length: 20, query_expansion }));
    expect(settings.queryLength).toBe(20);
    expect(settings.expansion).toEqual({
      strategy: "min",
      length: 8,
      attend: false,
      tokenId: tinyId("[PAD]"),
    });
  });

  test.each([
    [
      "an unknown key in query_expansion",
      { query_expansion: { strategy: "min", length: 8, colour: 1 } },
      {},
      "query_expansion",
    ],
    ["an allow-list of ids", {}, { keep_only_token_ids: [5] }, "keep_only_token_ids"],
    ["a skiplist for queries", {}, { skiplist_words: ["."], skiplist_tasks: ["query"] }, "skiplist"],
  ])("refuses %s", async (_, transformer, mask, expected) => {
    await expect(loadModelSettings(await st6(transformer, mask))).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining(expected),
    });
  });
});

describe("stanford", () => {
  const weights = (dim = 16) => safetensors({ "linear.weight": f32([dim, 24], tinyWeights(dim, 24)) });

  test("reads artifact.metadata and the projection", async () => {
    const metadata = {
      query_token_id: "[unused0]",
      doc_token_id: "[unused1]",
      query_maxlen: 20,
      doc_maxlen: 50,
      dim: 16,
    };
    const folder = await model(
      { "artifact.metadata": { ...metadata, attend_to_mask_tokens: true } },
      { hidden: 24, output: "last_hidden_state" },
    );
    await writeFile(join(folder, "model.safetensors"), weights());
    const settings = await loadModelSettings(folder);
    expect(settings).toMatchObject({
      dialect: "stanford",
      dim: 16,
      queryLength: 20,
      documentLength: 50,
      queryMarker: { id: tinyId("[unused0]") },
      documentMarker: { id: tinyId("[unused1]") },
      expansion: { strategy: "fixed", length: 20, attend: true },
    });
    expect(settings.projection[0]).toMatchObject({ inFeatures: 24, outFeatures: 16, bias: undefined });
    expect(settings.skiplist.size).toBe(32);
  });

  test("has its defaults without artifact.metadata", async () => {
    const folder = await model({ "config.json": { architectures: ["HF_ColBERT"] } }, { hidden: 24, dim: 16 });
    expect(await loadModelSettings(folder)).toMatchObject({
      dim: 16,
      queryLength: 32,
      documentLength: 180,
      expansion: { length: 32, attend: false },
      projection: [],
    });
  });

  test("keeps punctuation when told so", async () => {
    const folder = await model({ "artifact.metadata": { mask_punctuation: false } });
    expect((await loadModelSettings(folder)).skiplist.size).toBe(0);
  });
});

describe("graphs", () => {
  test("int8 comes first, and precision chooses", async () => {
    const folder = await model({ "onnx_config.json": { ...NEXT_PLAID, do_query_expansion: false } });
    await mkdir(join(folder, "onnx"));
    await writeFile(join(folder, "onnx", "model_quantized.onnx"), tinyGraph());
    expect((await loadModelSettings(folder)).graphFile).toBe(join(folder, "onnx", "model_quantized.onnx"));
    expect((await loadModelSettings(folder, { precision: "float32" })).graphFile).toBe(
      join(folder, "model.onnx"),
    );
    await writeFile(join(folder, "model_int8.onnx"), tinyGraph());
    expect((await loadModelSettings(folder)).graphFile).toBe(join(folder, "model_int8.onnx"));
  });

  test("the graph decides about token types", async () => {
    const config = { ...NEXT_PLAID, do_query_expansion: false, uses_token_type_ids: false };
    const inputs = ["input_ids", "attention_mask", "token_type_ids"];
    const settings = await loadModelSettings(await model({ "onnx_config.json": config }, { inputs }));
    expect(settings.usesTokenTypeIds).toBe(true);
  });
});

/** Each row: what is wrong, how the folder comes to be, and words that the message must have. */
const plain = { ...NEXT_PLAID, do_query_expansion: false };
const contradictions: ReadonlyArray<readonly [string, () => Promise<string>, readonly string[]]> = [
  ["no configuration", () => model({}), ["must be a ColBERT model", "onnx_config.json"]],
  [
    "JSON cut short",
    async () => {
      const folder = await model({});
      await writeFile(join(folder, "onnx_config.json"), '{"query_length": 1');
      return folder;
    },
    ["onnx_config.json", "must be JSON"],
  ],
  [
    "a number as text",
    () => model({ "onnx_config.json": { ...plain, query_length: "16" } }),
    ["onnx_config.json", "query_length"],
  ],
  [
    "a negative length",
    () => model({ "onnx_config.json": { ...plain, document_length: -1 } }),
    ["document_length"],
  ],
  [
    "no tokenizer",
    async () => {
      const folder = await model({ "onnx_config.json": plain });
      await rm(join(folder, "tokenizer.json"));
      return folder;
    },
    ["tokenizer.json", "found none"],
  ],
  [
    "a tokenizer without vocabulary",
    () => model({ "onnx_config.json": plain, "tokenizer.json": { model: { vocab: {} } } }),
    ["tokenizer.json", "vocab"],
  ],
  [
    "a vocabulary of texts",
    () => model({ "onnx_config.json": plain, "tokenizer.json": { model: { vocab: { a: "b" } } } }),
    ["tokenizer.json", "must map tokens to ids"],
  ],
  [
    "a marker outside of the vocabulary",
    () => model({ "onnx_config.json": { ...plain, query_prefix: "[query]" } }),
    ["[query]", "tokenizer.json"],
  ],
  [
    "a marker with another id",
    () => model({ "onnx_config.json": { ...plain, document_prefix_id: 3 } }),
    ['"[D] "', "id 3"],
  ],
  [
    "a PyLate marker that the tokenizer lost",
    () =>
      model({
        "config_sentence_transformers.json": { query_prefix: "[Q] " },
        "tokenizer.json": tinyTokenizer(["[D] "]),
      }),
    ["[D] ", "config_sentence_transformers.json"],
  ],
  [
    "an expansion token outside of the vocabulary",
    () => model({ "onnx_config.json": { ...NEXT_PLAID, mask_token_id: 99999 } }),
    ["99999"],
  ],
  [
    "another dimension than the graph's",
    () => model({ "onnx_config.json": { ...plain, embedding_dim: 48 } }),
    ["model.onnx", "48", "16"],
  ],
  [
    "a dimension that kernels do not take",
    () => model({ "onnx_config.json": { ...plain, embedding_dim: 20 } }, { hidden: 20 }),
    ["model.onnx", "multiple of 8", "20"],
  ],
  [
    "no graph",
    async () => {
      const folder = await model({ "onnx_config.json": plain });
      await rm(join(folder, "model.onnx"));
      return folder;
    },
    ["model_int8.onnx", "found none"],
  ],
  [
    "a graph with an unknown input",
    () => model({ "onnx_config.json": plain }, { inputs: ["input_ids", "attention_mask", "pixels"] }),
    ["pixels"],
  ],
  [
    "a graph without attention",
    () => model({ "onnx_config.json": plain }, { inputs: ["input_ids"] }),
    ["attention_mask"],
  ],
  [
    "a projection that does not fit the graph",
    async () => {
      const files = {
        "modules.json": PYLATE_MODULES,
        "config_sentence_transformers.json": { query_prefix: "[Q] " },
      };
      const folder = await model(files, { hidden: 20, output: "last_hidden_state" });
      await writeDense(folder, "1_Dense", 24, 16);
      return folder;
    },
    ["20", "24", "16"],
  ],
  [
    "Dense modules that do not fit each other",
    async () => {
      const modules = [...PYLATE_MODULES, { path: "2_Dense", type: "x.Dense" }];
      const files = {
        "modules.json": modules,
        "config_sentence_transformers.json": { query_prefix: "[Q] " },
      };
      const folder = await model(files);
      await writeDense(folder, "1_Dense", 24, 20);
      await writeDense(folder, "2_Dense", 24, 16);
      return folder;
    },
    ["2_Dense", "20", "24"],
  ],
  [
    "a missing Dense folder",
    () =>
      model({
        "modules.json": PYLATE_MODULES,
        "config_sentence_transformers.json": { query_prefix: "[Q] " },
      }),
    ["1_Dense", "must exist"],
  ],
  [
    "missing Dense weights",
    async () => {
      const files = {
        "modules.json": PYLATE_MODULES,
        "config_sentence_transformers.json": { query_prefix: "[Q] " },
      };
      const folder = await model(files, { hidden: 24, output: "last_hidden_state" });
      await writeDense(folder, "1_Dense", 24, 16);
      await rm(join(folder, "1_Dense", "model.safetensors"));
      return folder;
    },
    ["model.safetensors", "must exist"],
  ],
  [
    "an unknown activation",
    async () => {
      const files = {
        "modules.json": PYLATE_MODULES,
        "config_sentence_transformers.json": { query_prefix: "[Q] " },
      };
      const folder = await model(files, { hidden: 24, output: "last_hidden_state" });
      await writeDense(folder, "1_Dense", 24, 16, { activation_function: "torch.nn.Softplus" });
      return folder;
    },
    ["Softplus"],
  ],
  [
    "modules outside of the folder",
    () => model({ "modules.json": [{ path: "../../etc", type: "x.MultiVectorMask" }] }),
    ["modules.json", "../../etc"],
  ],
  [
    "documents longer than the model's positions",
    () => model({ "onnx_config.json": plain, "config.json": { max_position_embeddings: 31 } }),
    ["config.json", "31", "32"],
  ],
];

test.each(contradictions)("refuses %s", async (_, make, words) => {
  const error = await loadModelSettings(await make()).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(isMaxsimError(error) && error.code).toBe("MODEL_INVALID");
  for (const word of words) expect((error as Error).message).toContain(word);
});

test("says that a folder does not exist", async () => {
  await expect(loadModelSettings(join(await newFolder(), "absent"))).rejects.toMatchObject({
    code: "MODEL_NOT_FOUND",
  });
});
