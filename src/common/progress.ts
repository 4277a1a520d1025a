/**
 * Stages of a long operation: those of a sync and a build in their order, a compaction, a search, those of a backup and its restore,
 * rankings of a teacher.
 */
export type ProgressStage =
  | "scan"
  | "read"
  | "sample"
  | "train"
  | "encode"
  | "write"
  | "merge"
  | "commit"
  | "search"
  | "copy"
  | "check"
  | "rank";

/** One report of progress; reports come several times a second at most. */
export interface ProgressEvent {
  readonly stage: ProgressStage;
  /** Units done so far in this stage. */
  readonly done: number;
  /** Units of this stage in all; undefined while it is not known. */
  readonly total: number | undefined;
  /** What is counted, such as "documents", "passages", "queries", "files" or "bytes". */
  readonly unit: string;
  /** Tokens encoded so far, where the stage encodes. */
  readonly tokens?: number;
}

export type ProgressListener = (event: ProgressEvent) => void;
