/** Options and report of a sync. */
import type { ProgressListener } from "../common/progress.js";
import type { DocumentCounts } from "./sync-documents.js";
import type { ReadingOptions } from "./sync-roots.js";

/**
 * How files are read is remembered for each root: what is named here wins over what the index remembers of the named
 * roots, and is remembered from now on.
 */
export interface SyncOptions extends ReadingOptions {
  /** Report what would be done, and write and encode nothing. Default false. */
  readonly dryRun?: boolean;
  /** Remove all documents of a named or remembered path that is empty or gone, which is an error otherwise. Default false. */
  readonly allowEmpty?: boolean;
  /** Read every file, also those of which size and time of modification are the remembered ones. Default false. */
  readonly checksum?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

/** All paths are absolute. */
export interface SyncReport {
  /** The newest generation: a new one, unless there was nothing to record. */
  readonly generation: number;
  readonly dryRun: boolean;
  /** Files that give documents and were not known. */
  readonly added: readonly string[];
  /** Files of another content, or of which the reading options see other documents. */
  readonly changed: readonly string[];
  /** Files found by their content at another path. */
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string }>;
  /** Files of the same content and another time of modification. */
  readonly touched: readonly string[];
  /** Files that are gone. */
  readonly removed: readonly string[];
  /** Files that exist but could not be read, be it as damaged, or are too large by now; their documents stay as they were. */
  readonly kept: readonly string[];
  /** Number of files that are as they were. */
  readonly unchanged: number;
  readonly documents: Readonly<DocumentCounts>;
  /** Passages of the added and changed documents; in a dry run those that would be encoded. */
  readonly passages: number;
  /** Token vectors stored; 0 in a dry run. */
  readonly tokens: number;
  /** Passages that an earlier call which did not reach its end had encoded already; 0 in a dry run. */
  readonly resumed: number;
  /** What was read and gives no document, and what could not be read. */
  readonly skipped: {
    readonly files: Array<{
      readonly path: string;
      readonly reason: string;
      /** It should have given documents: damaged, encrypted, or not readable. The next sync tries it again. */
      readonly failed?: true;
    }>;
    /** Malformed records; only with `skipInvalid`. */
    readonly records: Array<{ readonly path: string; readonly line: number; readonly reason: string }>;
    /** Files with byte sequences that are not text in their encoding, and how many were replaced by U+FFFD. */
    readonly replaced: Array<{ readonly path: string; readonly sequences: number }>;
  };
}
