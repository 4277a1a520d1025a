/** The PyLate dialect: `config_sentence_transformers.json` with prefixes, lengths and expansion; Dense modules. */
import * as z from "zod/mini";
import type { ModelFolder } from "../model-folder.js";
import { readDense, readModules, readTransformer } from "./modules.js";
import { type DialectReading, type ExpansionReading, type MarkerReading, PUNCTUATION } from "./reading.js";

const CONFIG = "config_sentence_transformers.json";

const length = z.number().check(z.int(), z.positive());
const shape = z.looseObject({
  query_prefix: z.optional(z.nullable(z.string())),
  document_prefix: z.optional(z.nullable(z.string())),
  query_length: z.optional(z.nullable(length)),
  document_length: z.optional(z.nullable(length)),
  do_query_expansion: z.optional(z.nullable(z.boolean())),
  attend_to_expansion_tokens: z.optional(z.nullable(z.boolean())),
  /** The Stanford spelling of the same flag. */
  attend_to_mask_tokens: z.optional(z.nullable(z.boolean())),
  skiplist_words: z.optional(z.nullable(z.array(z.string()))),
  prompts: z.optional(z.nullable(z.record(z.string(), z.nullable(z.string())))),
});

/** undefined when the folder has none of the keys that make it a PyLate model. */
export async function readPylate(folder: ModelFolder): Promise<DialectReading | undefined> {
  const config = await folder.readJson(CONFIG, shape);
  if (config === undefined) return undefined;
  if (!["query_prefix", "query_length", "do_query_expansion"].some((key) => key in config)) return undefined;

  const transformer = await readTransformer(folder);
  const dense = await readDense(folder, (await readModules(folder)) ?? []);
  const queryLength = config.query_length ?? 32;
  // An explicit null leaves the prompt alone; an absent key has PyLate's default.
  const queryPrefix = config.query_prefix === undefined ? "[Q] " : (config.query_prefix ?? "");
  const documentPrefix = config.document_prefix === undefined ? "[D] " : (config.document_prefix ?? "");
  const marker = (text: string): MarkerReading | null =>
    text === "" ? null : { text, file: folder.file(CONFIG) };
  const expansion: ExpansionReading = {
    strategy: "fixed",
    length: queryLength,
    attend: config.attend_to_expansion_tokens ?? config.attend_to_mask_tokens ?? false,
    token: undefined,
  };
  return {
    dialect: "pylate",
    name: undefined,
    dim: dense.at(-1)?.outFeatures,
    queryLength,
    documentLength: config.document_length ?? 180,
    queryMarker: marker(queryPrefix),
    documentMarker: marker(documentPrefix),
    queryPrompt: withoutPrefix(config.prompts?.query ?? "", queryPrefix),
    documentPrompt: withoutPrefix(config.prompts?.document ?? "", documentPrefix),
    expansion: config.do_query_expansion === false ? null : expansion,
    skiplistWords: config.skiplist_words ?? PUNCTUATION,
    skiplistLookup: "vocabulary",
    lowercase: transformer.lowercase,
    padTokenId: undefined,
    usesTokenTypeIds: undefined,
    dense,
    notes: [],
  };
}

/** Prefix and prompt both apply; a prompt that already starts with the prefix does not get it twice. */
function withoutPrefix(prompt: string, prefix: string): string {
  return prefix !== "" && prompt.startsWith(prefix) ? prompt.slice(prefix.length) : prompt;
}
