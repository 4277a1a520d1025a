/** Which ONNX graph of a model folder is used, and what it must look like. */
import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { ioError, systemCode } from "../common/errors.js";
import { invalidModel, type ModelFolder } from "./model-folder.js";
import { type GraphValue, inspectOnnxFile, type OnnxFile } from "./onnx-file.js";

/** "auto" takes int8 where the folder has it: about four times smaller and faster on processors. */
export type ModelPrecision = "auto" | "int8" | "float32";

const INT8_FILES = [
  "model_int8.onnx",
  "onnx/model_int8.onnx",
  "onnx/model_quantized.onnx",
  "model_quantized.onnx",
];
const FLOAT_FILES = ["model.onnx", "onnx/model.onnx"];

/** Inputs that this package feeds. */
export const GRAPH_INPUTS = ["input_ids", "attention_mask", "token_type_ids"] as const;
/** Known names of the output with one vector a token; the hidden ones come before a projection. */
const TOKEN_OUTPUTS = ["output", "token_embeddings", "contextual", "last_hidden_state"];
export const HIDDEN_OUTPUTS: ReadonlySet<string> = new Set(["token_embeddings", "last_hidden_state"]);

/** Names of the graph files that may be used, best first. */
export function graphFileNames(precision: ModelPrecision): readonly string[] {
  if (precision === "int8") return INT8_FILES;
  return precision === "float32" ? FLOAT_FILES : [...INT8_FILES, ...FLOAT_FILES];
}

export interface ModelGraph {
  readonly file: string;
  readonly output: GraphValue;
  readonly usesTokenTypeIds: boolean;
}

/** A graph file whose inputs are known and whose weights lie beside it. */
export interface FoundGraph {
  readonly file: string;
  readonly onnx: OnnxFile;
  readonly usesTokenTypeIds: boolean;
}

/** The graph of a ColBERT model. */
export async function readGraph(folder: ModelFolder, precision: ModelPrecision): Promise<ModelGraph> {
  const { file, onnx, usesTokenTypeIds } = await findGraph(folder, precision);
  return { file, output: pickOutput(file, onnx.outputs), usesTokenTypeIds };
}

/** The best graph of a folder; its outputs are the caller's to judge. @throws MaxsimError MODEL_INVALID. */
export async function findGraph(folder: ModelFolder, precision: ModelPrecision): Promise<FoundGraph> {
  const names = graphFileNames(precision);
  for (const name of names) {
    if (!(await folder.has(name))) continue;
    const file = folder.file(name);
    const onnx = inspectOnnxFile(file);
    await checkExternalData(folder, file, onnx);
    const inputs = onnx.inputs.map((input) => input.name);
    checkInputs(file, inputs);
    return { file, onnx, usesTokenTypeIds: inputs.includes("token_type_ids") };
  }
  throw invalidModel(
    folder.path,
    `must contain an ONNX graph (${names.join(", ")}), found none`,
    precision === "auto" ? "Export the model to ONNX first." : 'Use precision "auto" to take any graph.',
  );
}

/** @throws MaxsimError MODEL_INVALID when the graph lacks an input or wants one that is not known here. */
export function checkInputs(file: string, inputs: readonly string[]): void {
  const known: readonly string[] = GRAPH_INPUTS;
  const found = inputs.join(", ") || "none";
  for (const name of ["input_ids", "attention_mask"]) {
    if (!inputs.includes(name)) throw invalidModel(file, `must have an input ${name}, found ${found}`);
  }
  const unknown = inputs.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw invalidModel(file, `wants the input ${unknown}; expected only ${known.join(", ")}`);
  }
}

/** The output with one vector a token: by a known name, or the only one there is. */
export function pickOutput<T extends { readonly name: string }>(file: string, outputs: readonly T[]): T {
  for (const name of TOKEN_OUTPUTS) {
    const output = outputs.find((o) => o.name === name);
    if (output !== undefined) return output;
  }
  if (outputs.length === 1) return outputs[0]!;
  const found = outputs.map((o) => o.name).join(", ") || "none";
  throw invalidModel(file, `must have one output, or one called ${TOKEN_OUTPUTS.join(", ")}; found ${found}`);
}

/**
 * External tensor data must lie beside the graph. A symbolic link may lead to the blobs of the same download cache
 * (`models--org--name/blobs`), nowhere else.
 */
async function checkExternalData(folder: ModelFolder, file: string, graph: OnnxFile): Promise<void> {
  for (const location of graph.externalData) {
    const path = join(dirname(file), location);
    if (isAbsolute(location) || !contains(folder.path, path)) {
      throw invalidModel(
        file,
        `keeps weights in "${location}", outside of the model folder`,
        "Do not use this file: a model must not read other files of the machine.",
      );
    }
    const allowed = [await resolve(folder.path), await resolve(join(folder.path, "..", "..", "blobs"))];
    const target = await resolve(path);
    if (target === undefined || !(await stat(target)).isFile()) {
      throw invalidModel(
        file,
        `keeps weights in "${location}", which is missing`,
        "Download the model again.",
      );
    }
    if (!allowed.some((parent) => parent !== undefined && contains(parent, target))) {
      throw invalidModel(file, `keeps weights in "${location}", a link that leaves the model folder`);
    }
  }
}

function contains(parent: string, path: string): boolean {
  const way = relative(parent, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** undefined when nothing is there. */
async function resolve(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw ioError("resolve", path, error);
  }
}
