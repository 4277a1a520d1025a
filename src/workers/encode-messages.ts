/** Messages between the encoding pool and its threads. Results are transferred, one buffer of each kind a task. */
import type { FailedTask } from "./runtime-threads.js";

export type EncodeTask =
  /** Loads the model and does nothing else. */
  | { readonly kind: "warm" }
  | {
      readonly kind: "passages" | "documents";
      readonly texts: readonly string[];
      /** Shared with the caller, one number: not 0 when nobody wants the result any more. Looked at before each text. */
      readonly cancelled: Int32Array;
    }
  | { readonly kind: "query"; readonly text: string }
  /** Tells the characters that token vectors stand for, without computing any. `spell`: the tokens' texts as well. */
  | {
      readonly kind: "locate";
      readonly query: string;
      readonly passages: readonly string[];
      readonly spell: boolean;
    };

/** Tokens of text i are firstToken[i] .. firstToken[i + 1] - 1. */
interface TokenRows {
  /** u32 `[texts + 1]`. */
  readonly firstToken: Uint32Array;
  /** u32 `[tokens]`: ids of the kept tokens. */
  readonly tokenIds: Uint32Array;
  /** u32 `[texts]`. */
  readonly contentTokens: Uint32Array;
  /** 1 where the text was cut, u8 `[texts]`. */
  readonly truncated: Uint8Array;
}

export interface PassageRows extends TokenRows {
  /** s8 `[tokens][dim]`. */
  readonly values: Int8Array;
  /** f32 `[tokens]`. */
  readonly scales: Float32Array;
}

export interface DocumentRows extends TokenRows {
  /** f32 `[tokens][dim]`. */
  readonly vectors: Float32Array;
}

export interface QueryRows {
  /** f32 `[tokens][dim]`. */
  readonly vectors: Float32Array;
  readonly tokenIds: Uint32Array;
  readonly tokens: readonly string[];
  readonly truncated: boolean;
}

/** The query first, then the passages; see `LocatedText`. Text i has the rows firstToken[i] .. firstToken[i + 1] - 1. */
export interface LocatedRows {
  readonly firstToken: Uint32Array;
  readonly tokenIds: Uint32Array;
  readonly parts: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** One a row when they were asked for. */
  readonly tokens: readonly string[] | null;
}

export type EncodeResult =
  | { readonly kind: "warm" }
  | { readonly kind: "passages"; readonly rows: PassageRows }
  | { readonly kind: "documents"; readonly rows: DocumentRows }
  | { readonly kind: "query"; readonly rows: QueryRows }
  | { readonly kind: "locate"; readonly rows: LocatedRows }
  | FailedTask;
