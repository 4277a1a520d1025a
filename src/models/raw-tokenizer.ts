/** The part of the tokenizers library that is used here, with types of its own: the library's do not resolve. */
import { Tokenizer } from "@huggingface/tokenizers";

export interface RawTokenizer {
  encode(text: string, options?: { readonly add_special_tokens?: boolean }): { readonly ids: number[] };
  id_to_token(id: number): string | undefined;
}

/** Builds a tokenizer from the parsed `tokenizer.json`; throws plain errors for what it does not know. */
export function createRawTokenizer(json: object): RawTokenizer {
  return new Tokenizer(json, {});
}
