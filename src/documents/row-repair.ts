/** What a repair of the catalog is told, and what it tells. */

export interface LostDocument {
  readonly documentNo: number;
  /** Null when it cannot be read any more. */
  readonly id: string | null;
}

export interface RowRepairOptions {
  /** Whether documents with damaged rows are removed. */
  readonly drop: boolean;
  /** Whether everything stays as it is, and only what would be done is told. */
  readonly dryRun: boolean;
}

export interface RowRepair {
  /** What was done, one sentence each. */
  readonly done: readonly string[];
  /** Documents that were removed, or would have to be. */
  readonly lost: readonly LostDocument[];
  /** What is still wrong. */
  readonly left: readonly string[];
  /** Whether `drop` would mend what is left. */
  readonly dropHelps: boolean;
  /** The generation that the repair made; null when it made none. */
  readonly generation: number | null;
}
