/** What a folder with a cross-encoder comes down to: an ONNX graph for sequence classification, read and checked. */
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import * as z from "zod/mini";
import { checkInteger, checkOneOf, describe } from "../common/check.js";
import { ioError } from "../common/errors.js";
import { readLabels, refuseOthers } from "./cross-encoder-kind.js";
import { findGraph, type ModelPrecision } from "./graph.js";
import { checkFolder, folderName } from "./load-settings.js";
import { invalidModel, ModelFolder } from "./model-folder.js";
import type { GraphValue } from "./onnx-file.js";
import { type PairTemplate, readPairTemplate, specialPositions } from "./pair-template.js";

export const ACTIVATIONS = ["sigmoid", "identity"] as const;
/** What a logit goes through. "identity" gives it as it is. */
export type Activation = (typeof ACTIVATIONS)[number];

export interface CrossEncoderSettings {
  readonly name: string;
  /** Absolute path of the model folder. */
  readonly folder: string;
  /** Logits of a pair. Of two, the second's lead over the first is the score: its sigmoid is the softmax of the second. */
  readonly labels: 1 | 2;
  readonly activation: Activation;
  /** Positions of a pair at most, special tokens included. */
  readonly maxLength: number;
  readonly template: PairTemplate;
  readonly padTokenId: number;
  readonly output: string;
  /** Whether the graph quantizes activations: then pairs that share a run change each other's scores. */
  readonly quantized: boolean;
  /** Whether each run takes one pair: where runs would change scores, or the graph takes no more. */
  readonly oneByOne: boolean;
  /** Positions that each run must have, in graphs that were exported for one length; null: any. */
  readonly fixedLength: number | null;
  /** Bytes of the graph and its weights: what each thread holds. */
  readonly weightBytes: number;
  /** Absolute paths. */
  readonly graphFile: string;
  readonly tokenizerFile: string;
  /** Warnings worth showing. */
  readonly notes: readonly string[];
}

export interface CrossEncoderSettingsOptions {
  /** Which graph of the folder to use. Default "auto": int8 where the folder has it. */
  readonly precision?: ModelPrecision;
  /** Default: what the model's config says, else "sigmoid". */
  readonly activation?: Activation;
  /** Positions of a pair at most, 16 or more. Default: the model's limit, at most 1,024. */
  readonly maxLength?: number;
}

/** Attention takes memory with the square of the length; most models were trained on pairs of 512 positions. */
const DEFAULT_MAX_LENGTH = 1024;
const MIN_MAX_LENGTH = 16;
/** Where a model states no limit. */
const USUAL_LENGTH = 512;
/** Tokenizers without a limit state an astronomical one. */
const NO_LIMIT = 1e6;
/** Models whose positions are numbered from the padding id + 1, so that many are never used. */
const OFFSET_POSITIONS = /roberta|camembert|mpnet|longformer|data2vec-text|xmod/;
/** Operators of graphs that quantize: most take the scale of activations from all of a run, and none is hurt by a run of its own. */
const QUANTIZING = /Quantize|Integer|^QAttention$|^QGemm$/;

const configShape = z.looseObject({
  architectures: z.optional(z.nullable(z.array(z.string()))),
  model_type: z.optional(z.string()),
  num_labels: z.optional(z.nullable(z.number())),
  id2label: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
  max_position_embeddings: z.optional(z.nullable(z.number())),
  pad_token_id: z.optional(z.nullable(z.number())),
  sentence_transformers: z.optional(z.nullable(z.looseObject({ activation_fn: z.optional(z.string()) }))),
  sbert_ce_default_activation_function: z.optional(z.nullable(z.string())),
});
export type CrossEncoderConfig = z.infer<typeof configShape>;

const tokenizerConfigShape = z.looseObject({
  model_max_length: z.optional(z.nullable(z.number())),
  pad_token: z.optional(z.nullable(z.union([z.string(), z.looseObject({ content: z.string() })]))),
});

const tokenizerShape = z.looseObject({
  model: z.looseObject({}),
  post_processor: z.optional(z.unknown()),
  padding: z.optional(z.nullable(z.looseObject({ pad_id: z.optional(z.number()) }))),
  added_tokens: z.optional(z.array(z.looseObject({ id: z.number(), content: z.string() }))),
});

/**
 * @throws MaxsimError MODEL_NOT_FOUND when there is no such folder; MODEL_INVALID, naming the file, what was expected and what was
 * found, for a folder that holds something else; INVALID_ARGUMENT for a wrong option.
 */
export async function loadCrossEncoderSettings(
  path: string,
  options: CrossEncoderSettingsOptions = {},
): Promise<CrossEncoderSettings> {
  const folder = new ModelFolder(resolve(path));
  await checkFolder(folder);
  const config = await folder.readJson("config.json", configShape);
  await refuseOthers(folder, config);
  const tokenizerFile = folder.file("tokenizer.json");
  const tokenizer = await folder.readJson("tokenizer.json", tokenizerShape);
  if (tokenizer === undefined) {
    throw invalidModel(
      folder.path,
      "must contain tokenizer.json, found none",
      "Export the tokenizer in the format of the tokenizers library (a fast tokenizer's save_pretrained writes it).",
    );
  }
  const tokenizerConfig = (await folder.readJson("tokenizer_config.json", tokenizerConfigShape)) ?? {};
  const template = readPairTemplate(tokenizerFile, tokenizer.post_processor);
  const { file, onnx } = await findGraph(folder, options.precision ?? "auto");
  const { output, labels, notes } = readLabels(folder, config ?? {}, file, onnx.outputs);
  const { batch, length } = fixedSizes(file, onnx.inputs);
  const limit = Math.min(
    lengthLimit(config ?? {}, tokenizerConfig.model_max_length ?? undefined),
    length ?? Number.POSITIVE_INFINITY,
  );
  const room = limit - specialPositions(template);
  if (room < 2) {
    throw invalidModel(
      folder.path,
      `must leave room for a query and a document, but of its ${limit} positions ${room} are left after special tokens`,
    );
  }
  const quantized = onnx.operators.some((operator) => QUANTIZING.test(operator));
  const { pad_token } = tokenizerConfig;
  const padToken = typeof pad_token === "string" ? pad_token : pad_token?.content;
  const padId = tokenizer.added_tokens?.find(({ content }) => content === (padToken ?? "[PAD]"))?.id;
  return {
    name: folderName(folder.path),
    folder: folder.path,
    labels,
    activation: readActivation(folder, config ?? {}, options.activation),
    maxLength:
      options.maxLength === undefined
        ? Math.min(limit, DEFAULT_MAX_LENGTH)
        : checkInteger("maxLength", options.maxLength, Math.min(MIN_MAX_LENGTH, limit), limit),
    template,
    padTokenId: padId ?? tokenizer.padding?.pad_id ?? config?.pad_token_id ?? 0,
    output,
    quantized,
    oneByOne: quantized || batch === 1,
    fixedLength: length ?? null,
    weightBytes: await totalBytes([file, ...onnx.externalData.map((name) => join(dirname(file), name))]),
    graphFile: file,
    tokenizerFile,
    notes,
  };
}

/** What the graph's first input states of pairs and positions; undefined for what it leaves open. */
function fixedSizes(
  file: string,
  inputs: readonly GraphValue[],
): { readonly batch: number | undefined; readonly length: number | undefined } {
  const [batch, length] = inputs.find(({ name }) => name === "input_ids")?.shape ?? [];
  if (batch === undefined || batch === 1) return { batch, length };
  throw invalidModel(
    file,
    `must take any number of pairs a run, or one, found exactly ${batch}`,
    "Export the model again, with a batch size that is left open.",
  );
}

/** The smaller of what the graph and the tokenizer take, as Sentence Transformers has it. */
function lengthLimit(config: CrossEncoderConfig, tokenizerLimit: number | undefined): number {
  const { max_position_embeddings: positions, model_type = "", pad_token_id } = config;
  const limits = tokenizerLimit === undefined || tokenizerLimit > NO_LIMIT ? [] : [tokenizerLimit];
  if (positions !== undefined && positions !== null && positions > 0) {
    limits.push(OFFSET_POSITIONS.test(model_type) ? positions - (pad_token_id ?? 1) - 1 : positions);
  }
  return Math.floor(limits.length === 0 ? USUAL_LENGTH : Math.min(...limits));
}

/** The option, else the config's (with the name that older versions of Sentence Transformers wrote), else sigmoid. */
function readActivation(
  folder: ModelFolder,
  config: CrossEncoderConfig,
  wanted: Activation | undefined,
): Activation {
  if (wanted !== undefined) return checkOneOf("activation", wanted, ACTIVATIONS);
  const stated = config.sentence_transformers?.activation_fn ?? config.sbert_ce_default_activation_function;
  if (stated === undefined || stated === null) return "sigmoid";
  const found = ACTIVATIONS.find((name) => name === stated.split(".").at(-1)?.toLowerCase());
  if (found !== undefined) return found;
  throw invalidModel(
    folder.file("config.json"),
    `must name the activation Sigmoid or Identity, found ${describe(stated)}`,
    'Choose with the option activation: "sigmoid" or "identity". Both give the same order.',
  );
}

async function totalBytes(files: readonly string[]): Promise<number> {
  let sum = 0;
  for (const file of files) {
    try {
      sum += (await stat(file)).size;
    } catch (error) {
      throw ioError("look at", file, error);
    }
  }
  return sum;
}
