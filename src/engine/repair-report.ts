/** What a repair is asked for and what it says it did. */
import type { Logger } from "../common/logger.js";
import type { ProgressListener } from "../common/progress.js";
import type { LostDocument } from "../documents/row-repair.js";
import type { IndexProblem } from "../workers/index-findings.js";

export type { LostDocument } from "../documents/row-repair.js";

export interface RepairOptions {
  /** Whether documents are removed of which nothing sound is left and which cannot be encoded again. Default false. */
  readonly dropDamaged?: boolean;
  /**
   * Whether all texts are encoded again with a new codec when the codec of the index is lost. Takes as long as building
   * the index. Default false.
   */
  readonly rebuild?: boolean;
  /** Whether nothing is changed, and only what would be done is told. Default false. */
  readonly dryRun?: boolean;
  /** The model to encode with, as in `OpenOptions`. */
  readonly model?: string;
  readonly threads?: number;
  readonly logger?: Logger;
  readonly signal?: AbortSignal;
  /** Stages "check", "search", "write" and "encode". */
  readonly onProgress?: ProgressListener;
}

/** What would mend what is left: an option of the repair, a model that loads, a backup, or another machine. */
export type RepairNeed = "dropDamaged" | "rebuild" | "model" | "backup" | "doctor";

export interface RepairStep {
  /** Path relative to the index folder. */
  readonly file: string;
  readonly what: string;
}

export interface UnrepairedDamage extends RepairStep {
  readonly needs: RepairNeed;
}

export interface RepairReport {
  /** Absolute path of the index. */
  readonly folder: string;
  readonly dryRun: boolean;
  /** The newest generation now; null when the catalog does not tell. */
  readonly generation: number | null;
  /** What was wrong; `moreProblems` beyond those. */
  readonly problems: readonly IndexProblem[];
  readonly moreProblems: number;
  /** What was mended; in a dry run what would be. */
  readonly repaired: readonly RepairStep[];
  /** What is still wrong. */
  readonly left: readonly UnrepairedDamage[];
  /** Documents that were removed, or would be. */
  readonly lost: readonly LostDocument[];
  /** Passages that were encoded again, or would be. */
  readonly encoded: number;
  /** Whether a verification after the repair finds nothing; in a dry run whether everything can be mended. */
  readonly ok: boolean;
}
