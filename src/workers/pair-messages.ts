/** Messages between the pool that scores pairs and its threads. */
import type { FailedTask } from "./runtime-threads.js";

export interface PairTask {
  readonly queries: readonly string[];
  /** Position in `queries`, one a document. */
  readonly queryOf: Uint32Array;
  readonly documents: readonly string[];
  /** Tokens of a document that count. */
  readonly maxTokens: number;
  /** Shared with the caller, one number: not 0 when nobody wants the result any more. Looked at before each run. */
  readonly cancelled: Int32Array;
}

/** One entry a document. */
export interface PairRows {
  /** The best logit of the document's parts. */
  readonly logits: Float64Array;
  /** Positions that the model read. */
  readonly positions: Uint32Array;
  /** Bits of `PairCut`. */
  readonly cuts: Uint8Array;
}

export const PairCut = { query: 1, document: 2 } as const;

export type PairResult = { readonly kind: "scored"; readonly rows: PairRows } | FailedTask;
