/** The Stanford dialect: architecture `HF_ColBERT` or `artifact.metadata`, projection in the root safetensors. */
import * as z from "zod/mini";
import type { ModelFolder } from "../model-folder.js";
import { type DialectReading, PUNCTUATION } from "./reading.js";

const METADATA = "artifact.metadata";

const length = z.number().check(z.int(), z.positive());
const configShape = z.looseObject({ architectures: z.optional(z.nullable(z.array(z.string()))) });
const metadataShape = z.looseObject({
  query_token_id: z._default(z.string(), "[unused0]"),
  doc_token_id: z._default(z.string(), "[unused1]"),
  query_maxlen: z._default(length, 32),
  doc_maxlen: z._default(length, 180),
  dim: z.optional(z.nullable(length)),
  mask_punctuation: z._default(z.boolean(), true),
  attend_to_mask_tokens: z._default(z.boolean(), false),
});

export async function readStanford(folder: ModelFolder): Promise<DialectReading | undefined> {
  const architecture = (await folder.readJson("config.json", configShape))?.architectures?.[0];
  const found = await folder.readJson(METADATA, metadataShape);
  if (architecture !== "HF_ColBERT" && found === undefined) return undefined;

  const metadata = found ?? metadataShape.parse({});
  const file = folder.file(found === undefined ? "config.json" : METADATA);
  const hasWeights = await folder.has("model.safetensors");
  return {
    dialect: "stanford",
    name: undefined,
    dim: metadata.dim ?? undefined,
    queryLength: metadata.query_maxlen,
    documentLength: metadata.doc_maxlen,
    queryMarker: { text: metadata.query_token_id, file },
    documentMarker: { text: metadata.doc_token_id, file },
    queryPrompt: "",
    documentPrompt: "",
    expansion: {
      strategy: "fixed",
      length: metadata.query_maxlen,
      attend: metadata.attend_to_mask_tokens,
      token: undefined,
    },
    skiplistWords: metadata.mask_punctuation ? PUNCTUATION : [],
    skiplistLookup: "first-token",
    lowercase: false,
    padTokenId: undefined,
    usesTokenTypeIds: undefined,
    dense: hasWeights
      ? [
          {
            file: "model.safetensors",
            inFeatures: undefined,
            outFeatures: undefined,
            bias: false,
            activation: undefined,
            residual: false,
          },
        ]
      : [],
    notes: [],
  };
}
