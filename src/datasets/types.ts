/** What readers of corpora give and what they can be told. */
import type { DocumentInput } from "../documents/types.js";
import type { WalkOptions } from "../text/walk.js";

export type CorpusItem =
  | {
      readonly kind: "document";
      readonly document: DocumentInput;
      /** Invalid sequences of the file that became U+FFFD; absent for none and for records. */
      readonly replaced?: number;
    }
  | {
      readonly kind: "skipped";
      readonly path: string;
      readonly reason: string;
      /** A file that should have given documents: damaged, encrypted, or not readable. Absent for what is no text. */
      readonly failed?: true;
    }
  | InvalidRecord;

/** A malformed record; only with `skipInvalid`, else it is an error. */
export interface InvalidRecord {
  readonly kind: "invalid";
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly reason: string;
}

export interface RecordOptions {
  /** Column of tables or field of records that holds the text. Default: "text"; tables also "content", "body". */
  readonly textColumn?: string;
  /** Column or field of the id. Default: "_id", else "id", else the name of the file and the line. */
  readonly idColumn?: string;
  /** Column or field of the title. Default: "title". */
  readonly titleColumn?: string;
  /** Give malformed records as items of kind "invalid" instead of throwing INVALID_INPUT. Default false. */
  readonly skipInvalid?: boolean;
}

export interface CorpusOptions extends WalkOptions, RecordOptions {
  readonly signal?: AbortSignal;
}

/** A file of records and the name that its records without an id are called by. */
export interface RecordFile {
  /** Absolute. */
  readonly path: string;
  /** Such as "data/products.csv"; the id of line 7 is "data/products.csv:7". */
  readonly name: string;
  /** What is read instead of the file, without compression; `path` is then what messages call it, and documents have no source. */
  readonly input?: AsyncIterable<Uint8Array>;
}
