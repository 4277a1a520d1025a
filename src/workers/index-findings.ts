/** What a check of an index finds, and what its thread is told and tells. All of it survives structured cloning. */
import type { SerializedError } from "../common/errors.js";
import type { ProgressEvent } from "../common/progress.js";

/** Something that is wrong with an index. */
export interface IndexProblem {
  /** Path relative to the index folder, with `/`; `catalog.sqlite` for what its rows say. */
  readonly file: string;
  /** Byte of the file, where one is known. */
  readonly offset?: number;
  readonly what: string;
}

export interface IndexFindings {
  /** The newest generation, which was checked; null when the catalog does not tell. */
  readonly generation: number | null;
  /** Live ones. */
  readonly documents: number;
  readonly passages: number;
  readonly tokens: number;
  readonly segments: number;
  /** Files of the generation, the catalog among them, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Passages that were searched for. */
  readonly searches: number;
  /** At most `MAX_PROBLEMS`. */
  readonly problems: readonly IndexProblem[];
  /** Problems beyond those. */
  readonly moreProblems: number;
  /** What is worth knowing and no problem: leftovers of a write that did not reach its end. */
  readonly notes: readonly string[];
  /** Files among those of the index that no generation names, relative to its folder. */
  readonly strays: readonly string[];
}

export const MAX_PROBLEMS = 200;

export interface CheckTask {
  /** Absolute. */
  readonly folder: string;
  /** Whether every norm and many searches are computed again. */
  readonly deep: boolean;
}

export type CheckMessage =
  | { readonly kind: "progress"; readonly event: ProgressEvent }
  | { readonly kind: "findings"; readonly findings: IndexFindings }
  | { readonly kind: "error"; readonly error: SerializedError };
