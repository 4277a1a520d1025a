/** What a commit changes. */
import type {
  CodecRecord,
  DocumentUpdate,
  Operation,
  RootInput,
  SegmentRecord,
  SourceInput,
} from "./records.js";
import type { Staging } from "./staging.js";

/** What the next generation adds and takes away. Files named here are published and durable. */
export interface CatalogChange {
  readonly operation: Operation;
  /** Its documents and passages become visible. */
  readonly staging?: Staging;
  /** A new codec, which takes the place of the one before. */
  readonly codec?: CodecRecord;
  /** New segments: together they hold the staged passages, or what is live in those dropped. Default none. */
  readonly segments?: readonly SegmentRecord[];
  /** Numbers of segments that the new ones replace. */
  readonly dropSegments?: readonly number[];
  /** Numbers of live documents. */
  readonly deleteDocuments?: readonly number[];
  /** New values of live documents, each named once. */
  readonly updateDocuments?: readonly DocumentUpdate[];
  /** Roots get the numbers `rootNo`, which no root had before. */
  readonly roots?: {
    readonly add: readonly (RootInput & { readonly rootNo: number })[];
    readonly drop: readonly number[];
  };
  readonly sources?: { readonly add: readonly SourceInput[]; readonly drop: readonly number[] };
  /** Rows that only generations before this one see are removed. */
  readonly purgeBefore?: number;
}
