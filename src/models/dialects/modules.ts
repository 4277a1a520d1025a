/** `modules.json` and the Dense modules that it lists; shared by the Sentence Transformers and PyLate dialects. */
import { posix } from "node:path";
import * as z from "zod/mini";
import { invalidModel, type ModelFolder } from "../model-folder.js";
import type { DenseReading } from "./reading.js";

export interface ModuleEntry {
  /** Last part of the class path, such as "Dense". */
  readonly type: string;
  /** Folder of the module inside the model folder; "" is the model folder itself. */
  readonly path: string;
}

const modulesShape = z.array(z.looseObject({ path: z.string(), type: z.string() }));

const size = z.number().check(z.int(), z.positive());
const denseShape = z.looseObject({
  in_features: size,
  out_features: size,
  bias: z._default(z.boolean(), true),
  activation_function: z.optional(z.nullable(z.string())),
  use_residual: z._default(z.boolean(), false),
});

/** undefined when there is no `modules.json`. */
export async function readModules(folder: ModelFolder): Promise<readonly ModuleEntry[] | undefined> {
  const modules = await folder.readJson("modules.json", modulesShape);
  return modules?.map(({ path, type }) => {
    const normal = posix.normalize(path === "" ? "." : path);
    if (posix.isAbsolute(normal) || normal.split("/").includes("..")) {
      throw invalidModel(
        folder.file("modules.json"),
        `must name modules inside the model folder, found "${path}"`,
      );
    }
    return { type: type.split(".").at(-1) ?? type, path: normal === "." ? "" : normal };
  });
}

/** The Dense modules in their order; the chain must fit together. */
export async function readDense(
  folder: ModelFolder,
  modules: readonly ModuleEntry[],
): Promise<DenseReading[]> {
  const dense: DenseReading[] = [];
  for (const module of modules.filter((m) => m.type === "Dense")) {
    const name = posix.join(module.path, "config.json");
    const config = await folder.readJson(name, denseShape);
    if (config === undefined)
      throw invalidModel(folder.file(name), "must exist: modules.json lists a Dense module there");
    const previous = dense.at(-1)?.outFeatures;
    if (previous !== undefined && previous !== config.in_features) {
      throw invalidModel(
        folder.file(name),
        `must take the ${previous} features that the Dense module before it gives, found in_features ${config.in_features}`,
      );
    }
    dense.push({
      file: posix.join(module.path, "model.safetensors"),
      inFeatures: config.in_features,
      outFeatures: config.out_features,
      bias: config.bias,
      activation: config.activation_function ?? undefined,
      residual: config.use_residual,
    });
  }
  return dense;
}

const transformerShape = z.looseObject({
  max_seq_length: z.optional(z.nullable(size)),
  do_lower_case: z.optional(z.nullable(z.boolean())),
});

/** Length limit and lower-casing of the Transformer module; empty without its file. */
export async function readTransformer(folder: ModelFolder) {
  const config = await folder.readJson("sentence_bert_config.json", transformerShape);
  return { maxLength: config?.max_seq_length ?? undefined, lowercase: config?.do_lower_case ?? false };
}
