/** What a distillation takes and gives. */
import { checkInteger, checkNumber, checkOneOf, checkString, invalidArgument } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import type { ProgressListener } from "../common/progress.js";
import type { SearchMode } from "../engine/options.js";
import type { Reranker } from "../rerank/types.js";

/**
 * What can be written: see formats.ts. "pairs", "triplets", "n-tuples", "scored" and "margins" are data sets of Sentence Transformers,
 * "kd" is the knowledge distillation of PyLate, which takes "triplets" as well.
 */
export const TRAINING_FORMATS = ["pairs", "triplets", "n-tuples", "scored", "margins", "kd"] as const;
export type TrainingFormat = (typeof TRAINING_FORMATS)[number];
export const DEFAULT_FORMATS: readonly TrainingFormat[] = ["pairs", "triplets", "kd"];

export interface DistillQuery {
  readonly id: string;
  readonly text: string;
  /** Ids of the documents that a made query comes from: they are never its negatives. Absent for queries of people. */
  readonly sources?: readonly string[];
}

export interface DistillOptions {
  /** Folder of the training data, which is made; one that an earlier run began is gone on with. */
  readonly out: string;
  /**
   * Whose order is taught. It is not closed. Queries that it fails for are left out and counted; a chain should throw then, so that
   * no order is taught that some of its stages had no part in.
   */
  readonly teacher: Reranker;
  /** Ranks the same candidates, for a measure of how far two teachers agree. It is not closed. */
  readonly secondTeacher?: Reranker;
  /** Default: made from titles and headings of the documents, which are then left out of the texts. */
  readonly queries?: readonly DistillQuery[];
  /** Queries at most; of made queries a seeded sample. Default: all. */
  readonly limit?: number;
  /** Candidates that the first stage finds for a query, 2 to 1,000. Default 50. */
  readonly depth?: number;
  /** Of the first stage. Default "hybrid", and "late" for an index without words. */
  readonly mode?: SearchMode;
  /** Default: pairs, triplets, kd. */
  readonly formats?: readonly TrainingFormat[];
  /** Negatives of a query at most, and of a row of "n-tuples" exactly. Default 5. */
  readonly negatives?: number;
  /**
   * How far a negative must be below the positive, as a share of the positive's score, 0 to 1: what scores nearly as high may well
   * be relevant. Default 0.05. Where scores can be negative, they count from the lowest of the query.
   */
  readonly minMargin?: number;
  /** Documents of a row of "kd", all rows have as many. Default: 32, or as many as nine of ten queries have. */
  readonly ways?: number;
  /** Of the choice of queries and negatives. Default 42. */
  readonly seed?: number;
  /** Queries under way at the same time. Default 4. */
  readonly concurrency?: number;
  /** Throws away what an earlier run has ranked. Default false. */
  readonly restart?: boolean;
  readonly logger?: Logger;
  readonly onProgress?: ProgressListener;
  readonly signal?: AbortSignal;
}

/** Options with their defaults. */
export interface DistillPlan {
  readonly limit: number;
  readonly depth: number;
  readonly mode: SearchMode | undefined;
  readonly formats: readonly TrainingFormat[];
  readonly negatives: number;
  readonly minMargin: number;
  readonly ways: number | undefined;
  readonly seed: number;
  readonly concurrency: number;
}

/** Errors: INVALID_ARGUMENT. */
export function checkOptions(options: DistillOptions): DistillPlan {
  const { formats = DEFAULT_FORMATS, queries, mode, ways } = options;
  checkString("out", options.out);
  if (!Array.isArray(formats) || formats.length === 0) {
    throw invalidArgument("formats", `an array with some of ${TRAINING_FORMATS.join(", ")}`, formats);
  }
  for (const format of formats) checkOneOf("formats", format, TRAINING_FORMATS);
  if (queries !== undefined) checkQueries(queries);
  return {
    limit: options.limit === undefined ? Number.POSITIVE_INFINITY : checkInteger("limit", options.limit, 1),
    depth: checkInteger("depth", options.depth ?? 50, 2, 1000),
    mode: mode === undefined ? undefined : checkOneOf("mode", mode, ["late", "lexical", "hybrid"] as const),
    formats: TRAINING_FORMATS.filter((format) => formats.includes(format)),
    negatives: checkInteger("negatives", options.negatives ?? 5, 1, 999),
    minMargin: checkNumber("minMargin", options.minMargin ?? 0.05, 0, 1),
    ways: ways === undefined ? undefined : checkInteger("ways", ways, 2, 1000),
    seed: checkInteger("seed", options.seed ?? 42, 0, 0xffffffff),
    concurrency: checkInteger("concurrency", options.concurrency ?? 4, 1, 256),
  };
}

function checkQueries(queries: readonly DistillQuery[]): void {
  if (!Array.isArray(queries)) throw invalidArgument("queries", "an array", queries);
  const ids = new Set<string>();
  for (const [i, { id, text }] of (queries as readonly DistillQuery[]).entries()) {
    checkString(`queries[${i}].id`, id);
    if (checkString(`queries[${i}].text`, text).trim() === "") {
      throw new MaxsimError("INVALID_ARGUMENT", `queries[${i}] (${JSON.stringify(id)}) must not be empty`, {
        hint: "Give it a text, or leave it out.",
      });
    }
    if (ids.has(id)) throw invalidArgument(`queries[${i}].id`, "another one than those before", id);
    ids.add(id);
  }
}
