/** Decides whether a graph still needs the Dense modules, and reads their weights if so. */
import type { DenseReading } from "./dialects/reading.js";
import { HIDDEN_OUTPUTS, type ModelGraph } from "./graph.js";
import { invalidModel, type ModelFolder } from "./model-folder.js";
import { type FloatTensor, readSafetensors } from "./safetensors.js";
import type { DenseLayer } from "./settings.js";

const ACTIVATIONS: Readonly<Record<string, DenseLayer["activation"]>> = {
  Identity: "identity",
  Tanh: "tanh",
  ReLU: "relu",
  GELU: "gelu",
  SiLU: "silu",
  Sigmoid: "sigmoid",
};

/** The layers that come after the graph; none where the graph's output is already projected. */
export async function readProjection(
  folder: ModelFolder,
  graph: ModelGraph,
  dense: readonly DenseReading[],
  declaredDim: number | undefined,
): Promise<readonly DenseLayer[]> {
  const graphDim = graph.output.shape.at(-1);
  const first = dense[0];
  const last = dense.at(-1);
  if (first === undefined || last === undefined) return [];
  const outFeatures = last.outFeatures ?? declaredDim;
  if (graphDim !== undefined && graphDim === outFeatures && graphDim !== first.inFeatures) {
    // Also right for a Stanford layer, whose input size only its weights tell: hidden sizes are larger than dim.
    return [];
  }
  const hidden = HIDDEN_OUTPUTS.has(graph.output.name);
  if (!hidden && (graphDim === undefined || (graphDim === first.inFeatures && graphDim === outFeatures)))
    return [];

  const layers: DenseLayer[] = [];
  for (const reading of dense) layers.push(await readLayer(folder, reading));
  const { inFeatures } = layers[0]!;
  if (graphDim !== undefined && graphDim !== inFeatures) {
    throw invalidModel(
      graph.file,
      `gives vectors of ${graphDim} dimensions; expected ${inFeatures} (before the projection in ${first.file}) ` +
        `or ${outFeatures ?? "the model's"} (after it)`,
    );
  }
  return layers;
}

async function readLayer(folder: ModelFolder, reading: DenseReading): Promise<DenseLayer> {
  const path = folder.file(reading.file);
  const tensors = await readSafetensors(path, ["linear.weight", "linear.bias", "residual.weight"]);
  const linear = tensors.get("linear.weight");
  if (linear === undefined)
    throw invalidModel(path, "must hold the tensor linear.weight, found none of that name");
  if (linear.shape.length !== 2) {
    throw invalidModel(path, `must hold linear.weight as a matrix, found shape [${linear.shape.join(", ")}]`);
  }
  const inFeatures = reading.inFeatures ?? linear.shape[1]!;
  const outFeatures = reading.outFeatures ?? linear.shape[0]!;
  const matrix = (name: string): Float32Array => tensor(path, tensors, name, [outFeatures, inFeatures]);
  return {
    inFeatures,
    outFeatures,
    weight: matrix("linear.weight"),
    bias: reading.bias ? tensor(path, tensors, "linear.bias", [outFeatures]) : undefined,
    activation: activation(path, reading.activation),
    residual: !reading.residual
      ? undefined
      : inFeatures === outFeatures
        ? "identity"
        : matrix("residual.weight"),
  };
}

function tensor(
  path: string,
  tensors: ReadonlyMap<string, FloatTensor>,
  name: string,
  shape: readonly number[],
): Float32Array {
  const found = tensors.get(name);
  if (found === undefined || found.shape.join() !== shape.join()) {
    const what = found === undefined ? "none" : `[${found.shape.join(", ")}]`;
    throw invalidModel(path, `must hold ${name} of shape [${shape.join(", ")}], found ${what}`);
  }
  return found.values;
}

function activation(path: string, name: string | undefined): DenseLayer["activation"] {
  if (name === undefined) return "identity";
  const known = ACTIVATIONS[name.split(".").at(-1) ?? name];
  if (known === undefined) {
    throw invalidModel(
      path,
      `belongs to a Dense module with the activation ${name}; expected one of ${Object.keys(ACTIVATIONS).join(", ")}`,
    );
  }
  return known;
}
