/** Mask and padding tokens, from `tokenizer_config.json` or by their usual names. */
import * as z from "zod/mini";
import type { ModelFolder } from "./model-folder.js";
import type { Vocabulary } from "./vocabulary.js";

const token = z.optional(z.nullable(z.union([z.string(), z.looseObject({ content: z.string() })])));
const shape = z.looseObject({ mask_token: token, pad_token: token, eos_token: token });
type TokenValue = z.infer<typeof token>;

export interface SpecialTokens {
  /** Fills up expanded queries: the mask token, else the end token, else padding; undefined if there is none. */
  readonly expansionId: number | undefined;
  readonly padId: number | undefined;
}

export async function readSpecialTokens(folder: ModelFolder, vocabulary: Vocabulary): Promise<SpecialTokens> {
  const config = (await folder.readJson("tokenizer_config.json", shape)) ?? {};
  const find = (value: TokenValue, ...usual: string[]): number | undefined => {
    const name = typeof value === "string" ? value : value?.content;
    for (const candidate of name === undefined ? usual : [name, ...usual]) {
      const id = vocabulary.idOf(candidate);
      if (id !== undefined) return id;
    }
    return undefined;
  };
  const padId = find(config.pad_token, "[PAD]", "<pad>");
  return {
    padId,
    expansionId:
      find(config.mask_token, "[MASK]", "<mask>") ?? find(config.eos_token, "[SEP]", "</s>") ?? padId,
  };
}
