/** Makes small real cross-encoders on the spot: one layer of attention over random embeddings, in ONNX. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Random } from "../../src/common/random.js";
import { tinyId, tinyTokenizer } from "./tiny-model.js";
import { byteLevelTokenizer, unigramTokenizer } from "./tokenizer-kinds.js";

export interface CrossGraphOptions {
  /** Logits of a pair. Default 1. */
  readonly labels?: number;
  /** Default input_ids, attention_mask, token_type_ids. */
  readonly inputs?: readonly string[];
  /** Quantizes activations by the range of each run, as quantized exports do. */
  readonly quantized?: boolean;
  /** Type of the inputs. Default int64. */
  readonly int32?: boolean;
  /** Leaves the number of labels open. */
  readonly symbolic?: boolean;
  /** Gives `[batch]` instead of `[batch, 1]`. */
  readonly flat?: boolean;
  /** Default "logits". */
  readonly output?: string;
  /** Sizes that the inputs state: pairs and positions. */
  readonly fixed?: readonly [batch: number | undefined, sequence: number | undefined];
  /** Number of token ids. Default: all of the tiny tokenizers. */
  readonly vocabulary?: number;
  /** Positions that it has embeddings for. Default 64. */
  readonly positions?: number;
}

const HIDDEN = 16;
const VOCABULARY = 1_100;
const INT32 = 6;
const INT64 = 7;
const FLOAT = 1;

/** Logits = tanh(attention(embeddings) at the first position) x W, the same bytes for the same options. */
export function tinyCrossGraph(options: CrossGraphOptions = {}): Buffer {
  const {
    labels = 1,
    inputs = ["input_ids", "attention_mask", "token_type_ids"],
    output = "logits",
  } = options;
  const { vocabulary = VOCABULARY, positions = 64, quantized = false, int32 = false } = options;
  const random = new Random(7);
  const floats = (name: string, shape: readonly number[], scale: number): Buffer => {
    const count = shape.reduce((a, b) => a * b, 1);
    return tensor(
      name,
      FLOAT,
      shape,
      Float32Array.from({ length: count }, () => random.normal() * scale),
    );
  };
  const types = inputs.includes("token_type_ids");
  const tensors = [
    floats("tokens", [vocabulary, HIDDEN], 1),
    floats("positions", [positions, HIDDEN], 0.2),
    floats("types", [2, HIDDEN], 0.5),
    floats("scores", [HIDDEN, labels], 1.5),
    tensor("zero", INT64, [], BigInt64Array.of(0n)),
    tensor("one", INT64, [], BigInt64Array.of(1n)),
    tensor("middle", INT64, [1], BigInt64Array.of(1n)),
    tensor("onef", FLOAT, [], Float32Array.of(1)),
    tensor("low", FLOAT, [], Float32Array.of(-1e9)),
    tensor("half", FLOAT, [], Float32Array.of(0.5)),
  ];
  const nodes = [
    node("Shape", ["input_ids"], ["shape"]),
    node("Gather", ["shape", "one"], ["length"]),
    node("Range", ["zero", "length", "one"], ["places"]),
    node("Gather", ["tokens", "input_ids"], ["e0"]),
    node("Gather", ["positions", "places"], ["e1"]),
    node("Add", ["e0", "e1"], types ? ["e2"] : ["e"]),
    ...(types ? [node("Gather", ["types", "token_type_ids"], ["e3"]), node("Add", ["e2", "e3"], ["e"])] : []),
    node("Cast", ["attention_mask"], ["maskf"], [integer("to", FLOAT)]),
    node("Sub", ["onef", "maskf"], ["hidden"]),
    node("Mul", ["hidden", "low"], ["bias"]),
    node("Unsqueeze", ["bias", "middle"], ["bias3"]),
    node("Transpose", ["e"], ["et"], [integers("perm", [0, 2, 1])]),
    node("MatMul", ["e", "et"], ["s"]),
    node("Mul", ["s", "half"], ["sh"]),
    node("Add", ["sh", "bias3"], ["sb"]),
    node("Softmax", ["sb"], ["weights"], [integer("axis", 2)]),
    node("MatMul", ["weights", "e"], ["mixed"]),
    node("Gather", ["mixed", "zero"], ["first"], [integer("axis", 1)]),
    node("Tanh", ["first"], ["state"]),
  ];
  const last = options.flat === true ? "column" : output;
  if (quantized) {
    const weights = Int8Array.from({ length: HIDDEN * labels }, () => Math.round(random.normal() * 50));
    tensors.push(tensor("scores8", 3, [HIDDEN, labels], weights));
    tensors.push(tensor("scale8", FLOAT, [], Float32Array.of(1.5 / 50)));
    nodes.push(
      node("DynamicQuantizeLinear", ["state"], ["q", "qscale", "qzero"]),
      node("MatMulInteger", ["q", "scores8", "qzero"], ["sum"]),
      node("Cast", ["sum"], ["sumf"], [integer("to", FLOAT)]),
      node("Mul", ["qscale", "scale8"], ["scale"]),
      node("Mul", ["sumf", "scale"], [last]),
    );
  } else {
    nodes.push(node("MatMul", ["state", "scores"], [last]));
  }
  if (options.flat === true) nodes.push(node("Squeeze", ["column", "middle"], [output]));
  const outputShape = options.flat === true ? ["batch"] : ["batch", options.symbolic ? "labels" : labels];
  const inputShape = [options.fixed?.[0] ?? "batch", options.fixed?.[1] ?? "sequence"];
  const graph = [
    ...nodes.map((n) => field(1, n)),
    field(2, "tiny"),
    ...tensors.map((t) => field(5, t)),
    ...inputs.map((name) => field(11, valueInfo(name, int32 ? INT32 : INT64, inputShape))),
    field(12, valueInfo(output, FLOAT, outputShape)),
  ];
  return Buffer.concat([
    number(1, 8),
    field(7, Buffer.concat(graph)),
    field(8, Buffer.concat([field(1, ""), number(2, 13)])),
  ]);
}

export type TinyKind = "bert" | "bert-processing" | "distilbert" | "roberta" | "xlm-roberta";

const special = (id: string, type_id = 0) => ({ SpecialToken: { id, type_id } });
const sequence = (id: "A" | "B", type_id = 0) => ({ Sequence: { id, type_id } });

/** `tokenizer.json` that joins pairs as models of the kind do. */
export function tinyPairTokenizer(kind: TinyKind): object {
  const cls = tinyId("[CLS]");
  const sep = tinyId("[SEP]");
  const angled = ["<s>", "<pad>", "</s>"].map((content) => ({ content }));
  const template = (pair: object[], ids: Readonly<Record<string, number>>) => ({
    type: "TemplateProcessing",
    single: [special(Object.keys(ids)[0]!), sequence("A"), special(Object.keys(ids)[1]!)],
    pair,
    special_tokens: Object.fromEntries(
      Object.entries(ids).map(([token, id]) => [token, { id: token, ids: [id], tokens: [token] }]),
    ),
  });
  switch (kind) {
    case "bert":
    case "distilbert": {
      const pair = [special("[CLS]"), sequence("A"), special("[SEP]"), sequence("B", 1), special("[SEP]", 1)];
      return { ...tinyTokenizer(), post_processor: template(pair, { "[CLS]": cls, "[SEP]": sep }) };
    }
    case "bert-processing":
      return {
        ...tinyTokenizer(),
        post_processor: { type: "BertProcessing", sep: ["[SEP]", sep], cls: ["[CLS]", cls] },
      };
    case "roberta":
      return {
        ...byteLevelTokenizer({
          added: angled,
          preTokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
        }),
        post_processor: {
          type: "RobertaProcessing",
          sep: ["</s>", 1002],
          cls: ["<s>", 1000],
          trim_offsets: true,
          add_prefix_space: false,
        },
      };
    case "xlm-roberta": {
      const pair = [
        ...[special("<s>"), sequence("A"), special("</s>")],
        ...[special("</s>"), sequence("B"), special("</s>")],
      ];
      return {
        ...unigramTokenizer({
          added: angled,
          normalizer: { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
        }),
        post_processor: template(pair, { "<s>": 1000, "</s>": 1002 }),
      };
    }
  }
}

const MODEL_TYPES: Readonly<Record<TinyKind, readonly [type: string, architecture: string]>> = {
  bert: ["bert", "BertForSequenceClassification"],
  "bert-processing": ["bert", "BertForSequenceClassification"],
  distilbert: ["distilbert", "DistilBertForSequenceClassification"],
  roberta: ["roberta", "RobertaForSequenceClassification"],
  "xlm-roberta": ["xlm-roberta", "XLMRobertaForSequenceClassification"],
};

export interface TinyCrossEncoder extends CrossGraphOptions {
  /** Default "bert". */
  readonly kind?: TinyKind;
  /** Merged into config.json. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Merged into tokenizer_config.json. Default: a limit of 48 positions. */
  readonly tokenizerConfig?: Readonly<Record<string, unknown>>;
}

/** A folder as Sentence Transformers and optimum write it, with the graph in `onnx/`. */
export async function writeTinyCrossEncoder(folder: string, options: TinyCrossEncoder = {}): Promise<void> {
  const { kind = "bert", labels = 1, config, tokenizerConfig } = options;
  const [model_type, architecture] = MODEL_TYPES[kind];
  const angled = kind === "roberta" || kind === "xlm-roberta";
  const inputs = ["input_ids", "attention_mask", ...(kind.startsWith("bert") ? ["token_type_ids"] : [])];
  const id2label = Object.fromEntries(Array.from({ length: labels }, (_, i) => [String(i), `LABEL_${i}`]));
  await mkdir(join(folder, "onnx"), { recursive: true });
  const write = (name: string, value: object): Promise<void> => {
    return writeFile(join(folder, name), JSON.stringify(value));
  };
  await writeFile(join(folder, "onnx", "model.onnx"), tinyCrossGraph({ inputs, ...options }));
  await write("tokenizer.json", tinyPairTokenizer(kind));
  await write("config.json", {
    architectures: [architecture],
    model_type,
    max_position_embeddings: angled ? 66 : 64,
    pad_token_id: angled ? 1 : 0,
    id2label,
    ...config,
  });
  await write("tokenizer_config.json", {
    model_max_length: 48,
    pad_token: angled ? "<pad>" : "[PAD]",
    ...tokenizerConfig,
  });
}

// The protobuf wire format of onnx.proto: tag = field number * 8 + type, 0 for numbers and 2 for anything with a length.

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

function number(at: number, value: number): Buffer {
  return Buffer.concat([varint(at * 8), varint(value)]);
}

function field(at: number, content: Buffer | string): Buffer {
  const body = Buffer.from(content as string);
  return Buffer.concat([varint(at * 8 + 2), varint(body.length), body]);
}

function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Buffer[] = [],
): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => field(1, name)),
    ...outputs.map((name) => field(2, name)),
    field(4, operator),
    ...attributes.map((attribute) => field(5, attribute)),
  ]);
}

function integer(name: string, value: number): Buffer {
  return Buffer.concat([field(1, name), number(3, value), number(20, 2)]);
}

function integers(name: string, values: readonly number[]): Buffer {
  return Buffer.concat([field(1, name), ...values.map((value) => number(8, value)), number(20, 7)]);
}

function tensor(name: string, type: number, shape: readonly number[], values: NodeJS.TypedArray): Buffer {
  const data = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([
    ...shape.map((size) => number(1, size)),
    number(2, type),
    field(8, name),
    field(9, data),
  ]);
}

function valueInfo(name: string, type: number, shape: ReadonlyArray<number | string>): Buffer {
  const dims = shape.map((size) => field(1, typeof size === "number" ? number(1, size) : field(2, size)));
  const tensorType = Buffer.concat([number(1, type), field(2, Buffer.concat(dims))]);
  return Buffer.concat([field(1, name), field(2, field(1, tensorType))]);
}
