/** Stages of a long operation, in the order in which a build goes through them. */
export type ProgressStage = "read" | "sample" | "train" | "encode" | "write" | "commit" | "search";

/** One report of progress; reports come several times a second at most. */
export interface ProgressEvent {
  readonly stage: ProgressStage;
  /** Units done so far in this stage. */
  readonly done: number;
  /** Units of this stage in all; undefined while it is not known. */
  readonly total: number | undefined;
  /** What is counted, such as "documents", "passages" or "queries". */
  readonly unit: string;
  /** Tokens encoded so far, where the stage encodes. */
  readonly tokens?: number;
}

export type ProgressListener = (event: ProgressEvent) => void;
