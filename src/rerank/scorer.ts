/** What an implementation of a reranker provides: scores. Everything else is `ScoringReranker`. */
import type { RerankDocument, RerankUsage } from "./types.js";

/** A document with something visible in its text. */
export interface ScorableDocument {
  readonly text: string;
  readonly document: RerankDocument;
}

export interface ScoreRequest {
  /** Not empty. */
  readonly query: string;
  /** At least one, in the order of the first stage. */
  readonly documents: readonly ScorableDocument[];
}

export interface ScoreOptions {
  readonly maxTokensPerDocument: number;
  readonly signal: AbortSignal | undefined;
}

export interface DocumentScores {
  /** One a document, in their order; finite, the higher the better. */
  readonly scores: ArrayLike<number>;
  /** False where `scores` say nothing but the order in which the documents came. Default true. */
  readonly reranked?: boolean;
  /** False where a part of the scores is the order in which documents came, because calls for it failed. */
  readonly complete?: false;
  /** One sentence each; a request's outcome has them. */
  readonly warnings?: readonly string[];
  /** Whether a cache may keep the scores. Default: those of ranked documents without warnings. */
  readonly keep?: boolean;
  readonly usage?: Partial<Omit<RerankUsage, "scored" | "cached">>;
}

export interface Scorer {
  readonly name: string;
  readonly model: string;
  /**
   * "document": a score depends on query and document alone, so it can be kept for each document. "list": it depends on the other
   * documents and their order.
   */
  readonly dependsOn: "document" | "list";
  /** Requests to hand over in one call: all of them to a model that batches, one to a remote service. */
  readonly batches: "all" | "one";
  readonly defaultMaxTokens: number;
  fingerprint(): Promise<string>;
  /** One result a request, in their order. Documents that are too long are cut or split in here. */
  score(requests: readonly ScoreRequest[], options: ScoreOptions): Promise<DocumentScores[]>;
  close(): Promise<void>;
}

/** Scores that only state the order 0, 1, ... : from 1 down, `(n - i) / n`. */
export function orderScores(count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => (count - i) / count);
}
