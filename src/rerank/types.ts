/**
 * What every reranker takes and gives: candidates of somebody's search in, a better order out.
 *
 * A reranker never drops or repeats a candidate: its results are a permutation of the documents, cut to `topN` at the end.
 * Equal scores keep the order in which the documents came, the first stage's.
 */

/** Most documents of one request. More candidates than a few hundred hardly ever help. */
export const MAX_RERANK_DOCUMENTS = 10_000;

/**
 * A text, or an object with the texts in fields of it (`RerankOptions.fields`). A field `id` that is text names the document, for
 * rerankers that know documents by id and in messages.
 */
export type RerankDocument = string | object;

/** An object as rerankers look at it. */
export interface RerankFields {
  readonly [field: string]: unknown;
}

export interface RerankRequest<D extends RerankDocument = RerankDocument> {
  readonly query: string;
  /** In the order of the first stage, at most 10,000. */
  readonly documents: readonly D[];
}

export interface RerankOptions {
  /** Documents wanted back, at least 1. Default: all. */
  readonly topN?: number;
  /** Fields whose values, one after another on lines of their own, are the text of an object. Default: title, text. */
  readonly fields?: readonly string[];
  /**
   * Tokens of a document that count, what is longer is cut off and told as a warning. A document that is longer than the model takes
   * is split, and its best part is its score. Default: 4,096, and 400 for language models.
   */
  readonly maxTokensPerDocument?: number;
  readonly signal?: AbortSignal;
}

export interface Reranked<D extends RerankDocument = RerankDocument> {
  /** Position of the document in the request. */
  readonly index: number;
  /** Finite, the higher the better; its scale is the reranker's. Those of different stages of a chain cannot be compared. */
  readonly score: number;
  readonly document: D;
}

/** What a request took. Counts of remote services are those that they report. */
export interface RerankUsage {
  /** Documents that were scored, and those whose scores came from the cache. */
  readonly scored: number;
  readonly cached: number;
  /** Calls of a remote service, retries included. */
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Those of both that are estimates, since the service does not count. Absent: none. */
  readonly estimatedTokens?: number;
  /** Cohere's unit of billing. */
  readonly searchUnits: number;
  /** In the currency of the prices that were given; 0 without them. */
  readonly cost: number;
}

export interface RerankOutcome<D extends RerankDocument = RerankDocument> {
  /** Best first, at most `topN`. */
  readonly results: readonly Reranked<D>[];
  /** False where the order is the first stage's, because ranking failed; `warnings` says why. */
  readonly reranked: boolean;
  /** False where a part of the documents stands as in the first stage, because calls for it failed. Absent: not so. */
  readonly complete?: false;
  /** What could not be done as asked, one sentence each. */
  readonly warnings: readonly string[];
  readonly usage: RerankUsage;
  /** Wall clock of the request, or of the batch that it was part of. */
  readonly milliseconds: number;
}

/**
 * Puts candidates into a better order. Deterministic: the same request gives the same results. Close it when done.
 *
 * Errors of all calls: INVALID_ARGUMENT for an empty query, more than 10,000 documents or a wrong option, INVALID_DOCUMENT for a
 * document that is neither text nor an object with one of the fields, ABORTED, CLOSED, and what the implementation names.
 */
export interface Reranker extends AsyncDisposable {
  /** The kind: "late", "cross-encoder", "cohere", "jina", "voyage", "tei", "llm", "chain". */
  readonly name: string;
  /** The model as its maker calls it, "" where there is none. */
  readonly model: string;
  /**
   * "document": a score depends on query and document alone, so the order of fewer documents is part of that of more. "list": it
   * depends on the other documents and their order. Absent: not known, so it may.
   */
  readonly dependsOn?: "document" | "list";
  /** Differs between rerankers that may score differently: hash of model and settings. */
  fingerprint(): Promise<string>;
  /** Documents best first. No documents give no results. Warnings go to the logger that the reranker was made with. */
  rerank<D extends RerankDocument>(
    query: string,
    documents: readonly D[],
    options?: RerankOptions,
  ): Promise<Reranked<D>[]>;
  /** Several requests at once, which models share batches for; with warnings, usage and time. One outcome a request, in their order. */
  rerankBatch<D extends RerankDocument>(
    requests: readonly RerankRequest<D>[],
    options?: RerankOptions,
  ): Promise<RerankOutcome<D>[]>;
  /** Frees threads and files; work under way fails with CLOSED. */
  close(): Promise<void>;
}
