/** The part of the tokenizers library that is used here, with types of its own: the library's do not resolve. */
import { readFile } from "node:fs/promises";
import { Tokenizer } from "@huggingface/tokenizers";
import { ioError, isMaxsimError } from "../common/errors.js";
import { invalidModel } from "./model-folder.js";

export interface RawTokenizer {
  encode(text: string, options?: { readonly add_special_tokens?: boolean }): { readonly ids: number[] };
  id_to_token(id: number): string | undefined;
}

export interface RawAddedToken {
  readonly id: number;
  /** Whether it is looked for after the text is normalized. */
  readonly normalized: boolean;
  /** Whether the white space before it, or after it, belongs to it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

/** Cuts a text at the words of a dictionary; the words found are parts of their own. */
interface RawSplitter {
  split(text: string): string[];
}

/** What `encode` does step by step: the library tells no offsets, so `token-words.ts` takes the steps itself. */
export interface RawTokenizerSteps {
  /** Added tokens that are looked for before the text is normalized, and after that. */
  readonly splitter_unnormalized: RawSplitter;
  readonly splitter_normalized: RawSplitter;
  readonly added_tokens_map: ReadonlyMap<string, RawAddedToken>;
  readonly normalizer: ((text: string) => string) | null;
  readonly pre_tokenizer: ((text: string, options: { section_index: number }) => string[]) | null;
  readonly model: {
    /** Tokens of pre-tokens, unknown ones not yet fused. */
    encode(preTokens: string[]): string[];
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    readonly unk_token: string | undefined;
    readonly unk_token_id: number | undefined;
    readonly fuse_unk: boolean;
  };
}

/** Builds a tokenizer from the parsed `tokenizer.json`; throws plain errors for what it does not know. */
export function createRawTokenizer(json: object): RawTokenizer & RawTokenizerSteps {
  return new Tokenizer(json, {}) as unknown as RawTokenizer & RawTokenizerSteps;
}

/** What `make` makes of the parsed `tokenizer.json` in `file`. Errors: IO, MODEL_INVALID for plain errors of `make`, and its own. */
export async function loadTokenizer<T>(file: string, make: (json: object) => T): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw ioError("read", file, error);
  }
  try {
    return make(JSON.parse(text));
  } catch (error) {
    if (isMaxsimError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidModel(file, `must be a tokenizer of the tokenizers library: ${reason}`, undefined, error);
  }
}
