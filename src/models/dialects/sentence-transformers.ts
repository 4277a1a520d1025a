/** The Sentence Transformers 6 dialect: `modules.json` with a MultiVectorMask module. */
import { posix } from "node:path";
import * as z from "zod/mini";
import { invalidModel, type ModelFolder } from "../model-folder.js";
import { type ModuleEntry, readDense, readModules, readTransformer } from "./modules.js";
import type { DialectReading, ExpansionReading } from "./reading.js";

const TRANSFORMER_CONFIG = "sentence_bert_config.json";

const length = z.number().check(z.int(), z.positive());
const expansionShape = z.strictObject({
  strategy: z.enum(["fixed", "min"]),
  length,
  attend: z._default(z.boolean(), false),
  token: z.optional(z.nullable(z.string())),
});
const transformerShape = z.looseObject({
  query_length: z.optional(z.nullable(length)),
  document_length: z.optional(z.nullable(length)),
  query_expansion: z.optional(z.nullable(expansionShape)),
});
const maskShape = z.looseObject({
  skiplist_words: z.optional(z.nullable(z.array(z.string()))),
  skiplist_tasks: z.optional(z.nullable(z.array(z.string()))),
  keep_only_token_ids: z.optional(z.nullable(z.array(z.number()))),
});
const promptsShape = z.looseObject({
  prompts: z.optional(z.nullable(z.record(z.string(), z.nullable(z.string())))),
});

/** undefined when `modules.json` has no MultiVectorMask. */
export async function readSentenceTransformers(folder: ModelFolder): Promise<DialectReading | undefined> {
  const modules = await readModules(folder);
  const mask = modules?.find((m) => m.type === "MultiVectorMask");
  if (modules === undefined || mask === undefined) return undefined;

  const lengths = await folder.readJson(TRANSFORMER_CONFIG, transformerShape);
  const transformer = await readTransformer(folder);
  const dense = await readDense(folder, modules);
  const { prompts } = (await folder.readJson("config_sentence_transformers.json", promptsShape)) ?? {};
  const found = lengths?.query_expansion;
  const expansion: ExpansionReading | null =
    found == null ? null : { ...found, token: found.token ?? undefined };
  return {
    dialect: "sentence-transformers",
    name: undefined,
    dim: dense.at(-1)?.outFeatures,
    queryLength:
      expansion?.strategy === "fixed" ? expansion.length : (lengths?.query_length ?? transformer.maxLength),
    documentLength: lengths?.document_length ?? transformer.maxLength,
    // The marker is the start of the prompt; it is split off once the vocabulary is known.
    queryMarker: null,
    documentMarker: null,
    queryPrompt: prompts?.query ?? "",
    documentPrompt: prompts?.document ?? "",
    expansion,
    skiplistWords: await readSkiplist(folder, mask),
    skiplistLookup: "vocabulary",
    lowercase: transformer.lowercase,
    padTokenId: undefined,
    usesTokenTypeIds: undefined,
    dense,
    notes: [],
  };
}

async function readSkiplist(folder: ModelFolder, module: ModuleEntry): Promise<readonly string[]> {
  const name = posix.join(module.path, "config.json");
  const mask = (await folder.readJson(name, maskShape)) ?? {};
  if (mask.keep_only_token_ids != null) {
    throw invalidModel(
      folder.file(name),
      "must leave keep_only_token_ids null, found a list: it keeps image patches only",
      "Use a text model.",
    );
  }
  const words = mask.skiplist_words ?? [];
  const tasks = mask.skiplist_tasks ?? ["document"];
  if (words.length > 0 && tasks.includes("query")) {
    throw invalidModel(folder.file(name), "applies its skiplist to queries, which is not supported");
  }
  return tasks.includes("document") ? words : [];
}
