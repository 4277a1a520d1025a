/** Makes small real models on the spot: an ONNX graph of some hundred bytes and a WordPiece tokenizer. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Random } from "../../src/common/random.js";

const WORDS = [
  "the",
  "cat",
  "sat",
  "on",
  "mat",
  "dog",
  "run",
  "##ning",
  "##s",
  "fast",
  "search",
  "index",
  "token",
];
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz0123456789"];
const PUNCTUATION = [..."!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"];

export const TINY_TOKENS: readonly string[] = [
  ...["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[Q] ", "[D] ", "[unused0]", "[unused1]"],
  ...WORDS,
  ...LETTERS,
  ...LETTERS.map((letter) => `##${letter}`),
  ...PUNCTUATION,
];

/** Id of a token of the tiny tokenizer. */
export function tinyId(token: string): number {
  const id = TINY_TOKENS.indexOf(token);
  if (id < 0) throw new Error(`the tiny vocabulary has no ${token}`);
  return id;
}

/** `tokenizer.json` in the shape of bert-base-uncased; tokens of `without` are left out. */
export function tinyTokenizer(without: readonly string[] = []): object {
  const vocab = Object.fromEntries(
    TINY_TOKENS.map((token, id) => [token, id]).filter(([t]) => !without.includes(String(t))),
  );
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[Q] ", "[D] "].filter(
    (t) => !without.includes(t),
  );
  const part = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({
      id: tinyId(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [part("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, part("[SEP]")],
      pair: [],
      special_tokens: Object.fromEntries(
        ["[CLS]", "[SEP]"].map((t) => [t, { id: t, ids: [tinyId(t)], tokens: [t] }]),
      ),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

export interface TinyGraphOptions {
  /** Size of the embeddings. Default 16. */
  readonly hidden?: number;
  /** With a projection inside the graph, its output size. */
  readonly dim?: number;
  /** Default "output". */
  readonly output?: string;
  readonly inputs?: readonly string[];
  /** Leaves the output's last dimension open. */
  readonly symbolic?: boolean;
  /** Location of the embeddings in another file. */
  readonly external?: string;
  /** Value of every embedding component, instead of random ones. */
  readonly fill?: number;
}

/** Random embeddings f32 `[TINY_TOKENS.length][hidden]`, the same for the same size. */
export function tinyEmbeddings(hidden: number): Float32Array {
  const random = new Random(hidden);
  return Float32Array.from({ length: TINY_TOKENS.length * hidden }, () => random.normal());
}

/** Random weights f32 `[outFeatures][inFeatures]`. */
export function tinyWeights(outFeatures: number, inFeatures: number): Float32Array {
  const random = new Random(outFeatures * 1000 + inFeatures);
  return Float32Array.from({ length: outFeatures * inFeatures }, () => random.normal());
}

/** An ONNX model: output = Gather(embeddings, input_ids) [x W^T]. */
export function tinyGraph(options: TinyGraphOptions = {}): Buffer {
  const { hidden = 16, dim, output = "output", inputs = ["input_ids", "attention_mask"] } = options;
  const embeddings =
    options.fill === undefined
      ? tinyEmbeddings(hidden)
      : new Float32Array(TINY_TOKENS.length * hidden).fill(options.fill);
  const last = dim ?? hidden;
  const gather = node("Gather", ["embeddings", "input_ids"], dim === undefined ? output : "hidden");
  const nodes = dim === undefined ? [gather] : [gather, node("MatMul", ["hidden", "weights"], output)];
  const tensors = [tensor("embeddings", [TINY_TOKENS.length, hidden], embeddings, options.external)];
  if (dim !== undefined)
    tensors.push(tensor("weights", [hidden, dim], transpose(tinyWeights(dim, hidden), dim, hidden)));
  const graph = [
    ...nodes.map((n) => field(1, n)),
    field(2, "tiny"),
    ...tensors.map((t) => field(5, t)),
    ...inputs.map((name) => field(11, valueInfo(name, 7, ["batch", "sequence"]))),
    field(12, valueInfo(output, 1, ["batch", "sequence", options.symbolic ? "width" : last])),
  ];
  return Buffer.concat([
    number(1, 8),
    field(7, Buffer.concat(graph)),
    field(8, Buffer.concat([field(1, ""), number(2, 13)])),
  ]);
}

/** A folder with `model.onnx` and `tokenizer.json`, and the JSON files given by name. */
export async function writeTinyModel(
  folder: string,
  files: Readonly<Record<string, unknown>> = {},
  graph: TinyGraphOptions = {},
): Promise<void> {
  await writeFile(join(folder, "model.onnx"), tinyGraph(graph));
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tinyTokenizer()));
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), JSON.stringify(content));
}

export type SafetensorsDtype = "F32" | "F16" | "BF16" | "I64";

export interface SafetensorsEntry {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export function safetensors(entries: Readonly<Record<string, SafetensorsEntry>>): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let offset = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(entries)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.length] };
    offset += data.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...Object.values(entries).map((entry) => entry.data)]);
}

export function f32(shape: readonly number[], values: Float32Array): SafetensorsEntry {
  return { dtype: "F32", shape, data: bytes(values) };
}

function bytes(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

// The protobuf wire format: tag = field number * 8 + type, 0 for numbers and 2 for anything with a length.

function varint(value: number): Buffer {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...out, rest]);
    out.push((rest % 128) + 128);
  }
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function field(field: number, content: Buffer | string): Buffer {
  const body = Buffer.from(content as string);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

function node(operator: string, inputs: readonly string[], output: string): Buffer {
  return Buffer.concat([...inputs.map((name) => field(1, name)), field(2, output), field(4, operator)]);
}

function tensor(name: string, shape: readonly number[], values: Float32Array, external?: string): Buffer {
  const head = [...shape.map((size) => number(1, size)), number(2, 1), field(8, name)];
  if (external === undefined) return Buffer.concat([...head, field(9, bytes(values))]);
  const location = Buffer.concat([field(1, "location"), field(2, external)]);
  return Buffer.concat([...head, field(13, location), number(14, 1)]);
}

function valueInfo(name: string, elementType: number, shape: ReadonlyArray<number | string>): Buffer {
  const dims = shape.map((size) => field(1, typeof size === "number" ? number(1, size) : field(2, size)));
  const tensorType = Buffer.concat([number(1, elementType), field(2, Buffer.concat(dims))]);
  return Buffer.concat([field(1, name), field(2, field(1, tensorType))]);
}
