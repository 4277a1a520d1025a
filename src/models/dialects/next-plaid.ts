/** The next-plaid dialect: everything in one `onnx_config.json` beside the graph. */
import * as z from "zod/mini";
import type { ModelFolder } from "../model-folder.js";
import type { DialectReading, MarkerReading } from "./reading.js";

export const ONNX_CONFIG = "onnx_config.json";

const length = z.number().check(z.int(), z.positive());
const id = z.optional(z.nullable(z.number().check(z.int(), z.nonnegative())));
/** Defaults as the reader of that format has them. */
const shape = z.looseObject({
  model_name: z.optional(z.nullable(z.string())),
  uses_token_type_ids: z.optional(z.boolean()),
  query_prefix: z._default(z.string(), "[Q] "),
  document_prefix: z._default(z.string(), "[D] "),
  query_prefix_id: id,
  document_prefix_id: id,
  query_length: z._default(length, 48),
  document_length: z._default(length, 300),
  do_query_expansion: z._default(z.boolean(), true),
  attend_to_expansion_tokens: z._default(z.boolean(), false),
  skiplist_words: z._default(z.array(z.string()), []),
  embedding_dim: z._default(length, 128),
  mask_token_id: z._default(z.number().check(z.int(), z.nonnegative()), 103),
  pad_token_id: z._default(z.number().check(z.int(), z.nonnegative()), 0),
  do_lower_case: z._default(z.boolean(), false),
});

export async function readNextPlaid(folder: ModelFolder): Promise<DialectReading | undefined> {
  const config = await folder.readJson(ONNX_CONFIG, shape);
  if (config === undefined) return undefined;
  const marker = (text: string, id: number | null | undefined): MarkerReading | null =>
    text === "" ? null : { text, id: id ?? undefined, file: folder.file(ONNX_CONFIG) };

  // The usual exporter loads every model with expansion off and writes that, whatever the model was trained with.
  // It records the repository that it exported; only such a folder is doubtful.
  const exported = config.model_name?.includes("/") === true;
  const doubtful = exported && !config.do_query_expansion;
  return {
    dialect: "next-plaid",
    name: config.model_name ?? undefined,
    dim: config.embedding_dim,
    queryLength: config.query_length,
    documentLength: config.document_length,
    queryMarker: marker(config.query_prefix, config.query_prefix_id),
    documentMarker: marker(config.document_prefix, config.document_prefix_id),
    queryPrompt: "",
    documentPrompt: "",
    expansion: config.do_query_expansion
      ? {
          strategy: "fixed",
          length: config.query_length,
          attend: config.attend_to_expansion_tokens,
          token: config.mask_token_id,
        }
      : null,
    skiplistWords: config.skiplist_words,
    skiplistLookup: "vocabulary",
    lowercase: config.do_lower_case,
    padTokenId: config.pad_token_id,
    usesTokenTypeIds: config.uses_token_type_ids,
    dense: [],
    notes: doubtful
      ? [
          `${folder.file(ONNX_CONFIG)} turns query expansion off, which its exporter writes for every model; ` +
            "if the model was trained with expansion, put its config_sentence_transformers.json beside it",
        ]
      : [],
  };
}
