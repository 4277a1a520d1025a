/** Options and results of the public `Index`. */
import type { Logger } from "../common/logger.js";
import type { ProgressListener } from "../common/progress.js";
import type { GenerationRecord } from "../documents/records.js";
import type { OnDuplicate } from "../documents/staging.js";
import type { Metadata } from "../documents/types.js";
import type { LexicalKind } from "../lexical/types.js";
import type { Reranker, RerankUsage } from "../rerank/types.js";
import type { SearchExplanation } from "../search/explain.js";
import type { SearchTuning } from "../search/parameters.js";
import type { PositionUnit } from "../text/positions.js";
import type { Snippet } from "../text/snippet.js";
import type { FilterArgument } from "./filtering.js";

export interface OpenOptions {
  /**
   * The model to encode with: "default", the name of a bundled model, a folder, or a Hugging Face repository id.
   * Default: the one that the index was made with. Another model is refused (MODEL_MISMATCH).
   */
  readonly model?: string;
  /** Threads for encoding and scoring; default: what the machine offers. */
  readonly threads?: number;
  /** Start loading the model at once, beside the files, when a search will follow. Default false. */
  readonly warm?: boolean;
  /**
   * Whether writes merge segments by themselves, as far as that takes a moment. Default "auto"; with "off" call `compact`.
   */
  readonly compaction?: "auto" | "off";
  readonly logger?: Logger;
}

export interface CreateOptions extends Omit<OpenOptions, "model"> {
  /** As in OpenOptions; null for an index of vectors that the caller brings (then `dim` is required). */
  readonly model?: string | null;
  /** Dimension of the token vectors: a multiple of 8, at most 256. Only with `model: null`. */
  readonly dim?: number;
  /** Bits that a residual component is stored with: 1, 2 or 4. Default 4. */
  readonly nbits?: 1 | 2 | 4;
  /**
   * How words are found by `mode: "lexical"` and "hybrid": "english" (default), "words" (any language with spaces between words),
   * "trigrams" (languages without), or "off".
   */
  readonly lexical?: LexicalKind;
  /** Seed of sampling and clustering. Default 42. The same input, options and seed give the same files. */
  readonly seed?: number;
}

export interface AddOptions {
  /**
   * What becomes of a document whose id is taken, in the index or by an earlier document of the same call: "replace" (the
   * default) lets the later one count, "skip" the earlier one, "error" throws DUPLICATE_ID.
   */
  readonly onDuplicate?: OnDuplicate;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

export interface AddReport {
  /** The generation that the documents became visible in. */
  readonly generation: number;
  readonly documents: number;
  /** Documents of the index that were replaced because they had the same id. */
  readonly replaced: number;
  /** Documents of this call that a later one of the same id replaced; they are not among `documents`. */
  readonly superseded: number;
  /** Documents that were left out because their id was taken. */
  readonly skipped: number;
  readonly passages: number;
  /** Token vectors stored. */
  readonly tokens: number;
  /** Passages without a token vector: stored and found by id, never returned by a search. */
  readonly emptyPassages: number;
  /** Passages that an add which did not reach its end had encoded already. */
  readonly resumed: number;
}

export interface DeleteReport {
  readonly generation: number;
  /** Ids that were there. */
  readonly deleted: number;
}

/** New values of a document; what is absent stays, null takes it away. */
export interface DocumentPatch {
  readonly id: string;
  /** Shown with hits from now on; what was encoded keeps the title that it had. */
  readonly title?: string | null;
  readonly url?: string | null;
  /** Takes the place of all metadata. */
  readonly metadata?: Metadata | null;
}

export interface ListOptions {
  readonly filter?: FilterArgument;
  /** Documents to pass over. Default 0. */
  readonly offset?: number;
  /** Documents at most. Default 100. */
  readonly limit?: number;
}

export interface HistoryOptions {
  /** Generations at most. Default 100. */
  readonly limit?: number;
}

export interface HistoryEntry extends GenerationRecord {
  /** When it was committed, when that is known. */
  readonly time?: Date;
}

export interface SegmentInfo {
  readonly segmentNo: number;
  /** Path relative to the index folder. */
  readonly file: string;
  readonly bytes: number;
  readonly passages: number;
  /** Those of documents that are not deleted. */
  readonly livePassages: number;
  /** Token vectors, of deleted documents as well. */
  readonly tokens: number;
}

export interface UpdateReport {
  readonly generation: number;
  readonly updated: number;
}

export const DEFAULT_K = 10;
export const MAX_K = 10_000;

/** "late": MaxSim; "lexical": BM25 over words; "hybrid": both, fused. */
export type SearchMode = "late" | "lexical" | "hybrid";

/** How "hybrid" makes one ranking of two. */
export interface FusionOptions {
  /** "scores" (default) adds up scores, each divided by what the query lets expect at best; "rrf" adds up reciprocal ranks. */
  readonly method?: "rrf" | "scores";
  /** Weight of late interaction, 0 to 1; the rest is that of BM25. Default 0.85, and 0.6 for "rrf". */
  readonly alpha?: number;
  /** Documents taken from each ranking; at least `k`. Default 100, or `k`. */
  readonly depth?: number;
}

/** A second look at the best documents of a search. */
export interface SearchRerankOptions {
  /**
   * "late": MaxSim over the stored vectors of every passage of a document, by the same generation; the best passage becomes the
   * hit's. Any other reranker reads the hits' texts, and stays the caller's to close.
   */
  readonly with: "late" | Reranker;
  /** Documents that are reranked, the best of the first stage, 1 to 10,000. Default 100. */
  readonly depth?: number;
  /** What a reranker reads of a hit: `title`, `text` (of the best passage), `context`, `url` and names of its metadata. Default title, text. */
  readonly fields?: readonly string[];
  /** As in `RerankOptions`. */
  readonly maxTokensPerDocument?: number;
  /**
   * What becomes of a search whose reranker cannot be reached, refuses or takes too long: "first-stage" (default) keeps the order
   * that there was, with a note; "error" throws.
   */
  readonly onFailure?: "first-stage" | "error";
}

export interface SearchOptions extends SearchTuning {
  /** Hits wanted, 1 to 10,000. Default 10. There are always min(k, searchable documents that match the filter) of them. */
  readonly k?: number;
  /** Default "late". */
  readonly mode?: SearchMode;
  /** For the mode "hybrid". */
  readonly fusion?: FusionOptions;
  /** For the mode "late": passages that BM25 adds to the candidates. */
  readonly lexicalCandidates?: number;
  /** Only documents that match, such as `lang = en and year >= 2020`, or the same as JSON. */
  readonly filter?: FilterArgument;
  /**
   * Whether `"a phrase"` and `-word` in a query text are operators (the default), or the text is taken as it is ("plain").
   */
  readonly syntax?: "operators" | "plain";
  /** What snippets are made from: the tokens that matched (the default), words of the query, or nothing. */
  readonly snippets?: "matches" | "words" | "none";
  /**
   * Whether to return what each stage saw, kept and cost, and for each hit which tokens matched; "stages" leaves the tokens out, which
   * cost time of their own. Default false.
   */
  readonly explain?: boolean | "stages";
  /** Puts the best documents of the search, whatever its mode, into a better order. */
  readonly rerank?: SearchRerankOptions;
  readonly signal?: AbortSignal;
}

/** A token with a vector of its own, and the characters that it stands for. */
export interface ExplainedToken {
  /** As the vocabulary has it, such as "##ing" or "[MASK]". */
  readonly token: string;
  /**
   * "text": of the query, or of the hit's own text; "context": of the title and headings that are encoded before it;
   * "expansion": what fills up a short query; "special": markers such as "[CLS]", and the model's prompt.
   */
  readonly part: "text" | "context" | "expansion" | "special";
  /**
   * Characters [start, end) of the query, or of the hit's `text`, UTF-16. Null for all other parts, and for the rare token
   * whose place is not known.
   */
  readonly span: readonly [start: number, end: number] | null;
  /** Of the part "context": the characters in `TokenMatches.context`. */
  readonly contextSpan?: readonly [start: number, end: number];
}

/** Why a hit has its score. */
export interface TokenMatches {
  readonly query: readonly ExplainedToken[];
  /** Tokens of the passage that have a vector; punctuation mostly has none. */
  readonly passage: readonly ExplainedToken[];
  /** Title and headings, which are encoded before the text of the passage; often empty. */
  readonly context: string;
  /**
   * One a query token: the passage token that is most similar to it, the first of equals. The similarities add up to the
   * score of late interaction.
   */
  readonly choices: readonly { readonly passage: number; readonly similarity: number }[];
  /** `[query token][passage token]`, each at most 1, but for rounding. */
  readonly similarities: readonly Float32Array[];
}

export interface Hit {
  /** From 1. */
  readonly rank: number;
  /**
   * In the mode "late" MaxSim of the best passage: the sum over query tokens of the best similarity, each at most 1. BM25 in the
   * mode "lexical", the fused score in "hybrid". With `rerank` the reranker's score, on a scale of its own; hits behind those that
   * were reranked keep theirs.
   */
  readonly score: number;
  /** Place, from 1, and score that a hit had before it was reranked; absent for one that was not. */
  readonly firstStage?: { readonly rank: number; readonly score: number };
  /** What was fused, in the mode "hybrid": absent where a document was not among the best of that ranking. */
  readonly scores?: { readonly late?: number; readonly lexical?: number };
  readonly id: string;
  /** Text of the best passage. */
  readonly text: string;
  readonly title?: string;
  readonly url?: string;
  readonly metadata: Metadata;
  /** Where the document came from, when it was read from a file. */
  readonly source?: { readonly path: string; readonly line?: number };
  /** The best passage: its place in the document's text, UTF-16 code units, and its lines (or pages, see `positionUnit`) in the source. */
  readonly passage: {
    /** 0-based. */
    readonly index: number;
    readonly start: number;
    readonly end: number;
    readonly lineStart: number;
    readonly lineEnd: number;
    /** What `lineStart` and `lineEnd` count: "line", or for sources without lines "page", "cell", "chapter" or "paragraph". */
    readonly positionUnit: PositionUnit;
    /**
     * What was encoded before its text: title and headings, `Guide > Install`, or of source code the file and the names around it,
     * `router.ts > class Router > handle()`. Often empty.
     */
    readonly context: string;
  };
  readonly snippet: Snippet;
  /**
   * With `explain`, for a query text. Absent for a passage that has no vectors, or vectors that were not made from its text by
   * the index's model.
   */
  readonly matches?: TokenMatches;
}

export interface SearchResult {
  readonly hits: readonly Hit[];
  /** What of the query could not be honoured, one sentence each. */
  readonly notes?: readonly string[];
  /** The generation that answered. */
  readonly generation: number;
  /** True when the query was longer than the model takes and its end was left out. */
  readonly truncated: boolean;
  readonly explanation?: SearchExplanation;
  /** With `rerank`. */
  readonly reranking?: SearchReranking;
}

/** What reranking did and took. */
export interface SearchReranking {
  /** The reranker's name and model, such as "cohere" and "rerank-v3.5". */
  readonly name: string;
  readonly model: string;
  /** Documents that were handed to it. */
  readonly documents: number;
  /** False where the order is the first stage's, because it failed; `notes` says why. */
  readonly reranked: boolean;
  readonly usage: RerankUsage;
  /** Wall clock of the stage, for all queries that were searched together. */
  readonly milliseconds: number;
}

/** A document with token vectors that the caller computed. */
export interface EmbeddedDocument {
  readonly id: string;
  /** Token vectors: rows, or one array of rows one after another. They are L2-normalized before they are stored. */
  readonly vectors: Float32Array | readonly (Float32Array | readonly number[])[];
  /**
   * Vocabulary id of each vector, where they come from an encoder with tokens. Centroids are then trained for each id by
   * itself, which takes a fraction of the time.
   */
  readonly tokenIds?: Uint32Array | readonly number[];
  readonly text?: string;
  readonly title?: string;
  readonly url?: string;
  readonly metadata?: Metadata;
}

export interface IndexInfo {
  readonly folder: string;
  readonly generation: number;
  readonly documents: number;
  readonly passages: number;
  /** Token vectors of live documents. */
  readonly tokens: number;
  readonly dim: number;
  readonly nbits: number;
  readonly lexical: LexicalKind;
  readonly seed: number;
  readonly centroids: number;
  readonly model: string | null;
  readonly segments: number;
  readonly bytes: { readonly catalog: number; readonly codec: number; readonly segments: number };
}
