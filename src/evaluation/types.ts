/** What is evaluated: the answers of a system, and what people judged. */

/** One retrieved document of a query. */
export interface RankedDocument {
  readonly id: string;
  /** Higher is better; finite. */
  readonly score: number;
}

/** Query id to the retrieved documents, in any order: the scores decide, as they do in trec_eval. */
export type Run = ReadonlyMap<string, readonly RankedDocument[]>;

/** Query id to document id to grade. A grade above 0 is relevant; documents without one are not. */
export type Qrels = ReadonlyMap<string, ReadonlyMap<string, number>>;
