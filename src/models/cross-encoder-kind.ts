/** Tells cross-encoders from the other models that come in the same files, and reads what their logits mean. */
import * as z from "zod/mini";
import type { CrossEncoderConfig } from "./cross-encoder-settings.js";
import { invalidModel, type ModelFolder } from "./model-folder.js";
import type { GraphValue } from "./onnx-file.js";

const CLASSIFIER = /ForSequenceClassification$/;
const COLBERT_HINT =
  'This is a ColBERT model (late interaction): rerank with lateReranker, or "late:" and its name.';
const EMBEDDING_HINT =
  "Embedding models give one vector a text: take a cross-encoder, a model for sequence classification with one or two labels.";
const OTHER_HINT = "Take a cross-encoder, a model for sequence classification with one or two labels.";

const modulesShape = z.array(z.looseObject({ type: z.optional(z.string()) }));

/** @throws MaxsimError MODEL_INVALID for a ColBERT or embedding model, or a folder without config.json. */
export async function refuseOthers(
  folder: ModelFolder,
  config: CrossEncoderConfig | undefined,
): Promise<void> {
  const architectures = config?.architectures ?? [];
  if (architectures.some((name) => CLASSIFIER.test(name))) return;
  const hint = await otherKind(folder, architectures);
  if (config === undefined) {
    throw invalidModel(
      folder.path,
      "must contain config.json of a cross-encoder, found none",
      hint ?? OTHER_HINT,
    );
  }
  if (hint === undefined) return;
  throw invalidModel(
    folder.file("config.json"),
    `must be that of a cross-encoder (an architecture called ...ForSequenceClassification), found ${architectures.join(", ") || "none"}`,
    hint,
  );
}

/** A hint for what is surely no cross-encoder. */
async function otherKind(folder: ModelFolder, architectures: readonly string[]): Promise<string | undefined> {
  if ((await folder.has("onnx_config.json")) || (await folder.has("artifact.metadata"))) return COLBERT_HINT;
  if (architectures.some((name) => /ColBERT/i.test(name))) return COLBERT_HINT;
  const trained = await folder.readJson("config_sentence_transformers.json", z.looseObject({}));
  if (trained !== undefined && ("query_prefix" in trained || "do_query_expansion" in trained))
    return COLBERT_HINT;
  const modules = (await folder.readJson("modules.json", modulesShape)) ?? [];
  const types = modules.map(({ type = "" }) => type.split(".").at(-1));
  if (types.includes("MultiVectorMask")) return COLBERT_HINT;
  return types.includes("Pooling") ? EMBEDDING_HINT : undefined;
}

export interface Labels {
  /** Name of the graph's output. */
  readonly output: string;
  readonly labels: 1 | 2;
  readonly notes: readonly string[];
}

/**
 * The logits of a graph: `[batch, labels]`, or `[batch]` for one label. A config that states no labels means two, as in the
 * transformers library; the graph may say otherwise.
 * @throws MaxsimError MODEL_INVALID for other outputs, other numbers of labels, or a contradiction.
 */
export function readLabels(
  folder: ModelFolder,
  config: CrossEncoderConfig,
  file: string,
  outputs: readonly GraphValue[],
): Labels {
  const output =
    outputs.find(({ name }) => name === "logits") ?? (outputs.length === 1 ? outputs[0] : undefined);
  if (output === undefined) {
    const found = outputs.map(({ name }) => name).join(", ") || "none";
    throw invalidModel(file, `must have an output logits, or only one, found ${found}`, OTHER_HINT);
  }
  const { name, shape } = output;
  // No shape at all is one that the file does not state.
  if (shape.length > 2) {
    const sizes = shape.map((size) => size ?? "any").join(", ");
    throw invalidModel(
      file,
      `must give logits [batch, 1] or [batch, 2], but its output "${name}" is [${sizes}]`,
      shape.length === 3
        ? "This graph gives one vector a token, as embedding and ColBERT models do; take a cross-encoder."
        : OTHER_HINT,
    );
  }
  const ofGraph = shape.length === 1 ? 1 : shape[1];
  const names = Object.values(config.id2label ?? {});
  const ofConfig = config.num_labels ?? (names.length > 0 ? names.length : undefined);
  const configFile = folder.file("config.json");
  if (ofGraph !== undefined && ofConfig !== undefined && ofGraph !== ofConfig) {
    throw invalidModel(
      configFile,
      `states ${ofConfig} labels, but the output "${name}" of ${file} has ${ofGraph}`,
      "Export the model again: config and graph are not of the same model.",
    );
  }
  const labels = ofGraph ?? ofConfig ?? 2;
  if (labels !== 1 && labels !== 2) {
    throw invalidModel(
      ofGraph === undefined ? configFile : file,
      `must have one or two labels (not relevant, relevant), found ${labels}`,
      labels > 32 ? EMBEDDING_HINT : OTHER_HINT,
    );
  }
  const own = names.filter((label) => typeof label === "string" && !/^label_\d+$/i.test(label));
  const notes =
    labels === 2 && own.length > 0
      ? [`of the labels ${own.join(" and ")}, the second is taken for "relevant"`]
      : [];
  return { output: name, labels, notes };
}
