/** Messages between the search pool and its threads. Typed arrays over shared memory cross without a copy. */
import type { SerializedError } from "../common/errors.js";
import type { ScoringQuery } from "../search/exact.js";
import type { PartDescription } from "../search/restricted-snapshot.js";
import type { SnapshotDescription } from "../search/snapshot-description.js";
import type { RankedDocument, SearchOutcome, SearchRequest } from "../search/types.js";

export interface SearchTask {
  /** Name of the generation within the pool. Threads keep the generations that they have attached. */
  readonly snapshot: string;
  /** Null in the hope that the thread has it; it answers "unknown" when it has not. */
  readonly description: SnapshotDescription | null;
  /** What a filter left of the generation; null for all of it. */
  readonly part: PartDescription | null;
  readonly work: SearchWork;
}

export type SearchWork =
  /** Whole searches that share one pass over the codebook. */
  | { readonly kind: "search"; readonly requests: readonly SearchRequest[] }
  /** A part of an exhaustive scan: live passages `from` .. `to - 1` of segment number `segment`. */
  | {
      readonly kind: "scan";
      readonly segment: number;
      readonly from: number;
      readonly to: number;
      /** Its score table lies in shared memory. */
      readonly query: ScoringQuery;
      readonly k: number;
    };

export type SearchAnswer =
  | { readonly kind: "unknown" }
  | { readonly kind: "search"; readonly outcomes: readonly SearchOutcome[] }
  | { readonly kind: "scan"; readonly ranked: readonly RankedDocument[] }
  /** Errors lose their class between threads, so they travel as data. */
  | { readonly kind: "error"; readonly error: SerializedError };
