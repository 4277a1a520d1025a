/** What all rerankers share: checks of arguments, closing, and the short form of a call. */
import { throwIfAborted } from "../common/abort.js";
import { checkInteger, checkString, describe, invalidArgument } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import { type Logger, silentLogger } from "../common/logger.js";
import { checkFields, documentText } from "./document-text.js";
import {
  MAX_RERANK_DOCUMENTS,
  type RerankDocument,
  type Reranked,
  type Reranker,
  type RerankOptions,
  type RerankOutcome,
  type RerankRequest,
} from "./types.js";
import { NO_USAGE } from "./usage.js";

/** Tokens of a document that a caller may ask for at most. */
const MAX_TOKENS_PER_DOCUMENT = 1_000_000;

export interface CheckedOptions {
  /** Infinity: all. */
  readonly topN: number;
  readonly fields: readonly string[];
  /** Undefined: the implementation's default. */
  readonly maxTokensPerDocument: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A request whose query and documents are what they must be. */
export interface CheckedRequest<D extends RerankDocument> extends RerankRequest<D> {
  /** One a document. */
  readonly texts: readonly string[];
}

/** What ranking one request gave; `order` and `scores` are parallel. */
export interface Ranked extends Omit<RerankOutcome, "results" | "milliseconds"> {
  /** Positions of all documents, best first. */
  readonly order: readonly number[];
  readonly scores: readonly number[];
}

export abstract class BaseReranker implements Reranker {
  abstract readonly name: string;
  abstract readonly model: string;
  private closing: Promise<void> | undefined;

  protected constructor(protected readonly logger: Logger = silentLogger) {}

  abstract fingerprint(): Promise<string>;

  /** One result a request, in their order. A request without documents is not handed over. */
  protected abstract rank<D extends RerankDocument>(
    requests: readonly CheckedRequest<D>[],
    options: CheckedOptions,
  ): Promise<Ranked[]>;

  /** Called once. */
  protected abstract release(): Promise<void>;

  async rerank<D extends RerankDocument>(
    query: string,
    documents: readonly D[],
    options: RerankOptions = {},
  ): Promise<Reranked<D>[]> {
    const [outcome] = await this.rerankBatch([{ query, documents }], options);
    return [...outcome!.results];
  }

  async rerankBatch<D extends RerankDocument>(
    requests: readonly RerankRequest<D>[],
    options: RerankOptions = {},
  ): Promise<RerankOutcome<D>[]> {
    const checked = checkOptions(options);
    if (!Array.isArray(requests)) throw invalidArgument("requests", "an array", requests);
    const names = (i: number): string => (requests.length === 1 ? "" : `requests[${i}].`);
    const known: CheckedRequest<D>[] = requests.map((request, i) =>
      this.checkRequest(names(i), request, checked.fields),
    );
    this.checkOpen();
    throwIfAborted(options.signal, "reranking");
    const start = performance.now();
    const filled = known.filter(({ documents }) => documents.length > 0);
    const ranked = filled.length === 0 ? [] : await this.rank(filled, checked);
    const milliseconds = performance.now() - start;
    let at = 0;
    return known.map((request): RerankOutcome<D> => {
      if (request.documents.length === 0)
        return { results: [], reranked: true, warnings: [], usage: NO_USAGE, milliseconds };
      const { order, scores, ...outcome } = ranked[at++]!;
      for (const warning of outcome.warnings) this.tell(warning);
      const results = order.slice(0, checked.topN).map((index, i) => {
        return { index, score: scores[i]!, document: request.documents[index]! };
      });
      return { ...outcome, results, milliseconds };
    });
  }

  /** The text of a document; "" for one that has nothing to score. Errors: INVALID_DOCUMENT. */
  protected textOf(name: string, document: RerankDocument, fields: readonly string[]): string {
    return documentText(name, document, fields);
  }

  /** A warning of an outcome, for the logger. */
  protected tell(warning: string): void {
    this.logger.warn(`${this.name}: ${warning}`);
  }

  close(): Promise<void> {
    this.closing ??= this.release();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected checkOpen(): void {
    if (this.closing !== undefined) throw new MaxsimError("CLOSED", `the reranker ${this.name} is closed`);
  }

  private checkRequest<D extends RerankDocument>(
    name: string,
    request: RerankRequest<D>,
    fields: readonly string[],
  ): CheckedRequest<D> {
    const query = checkString(`${name}query`, request?.query);
    if (query.trim() === "") {
      throw new MaxsimError("INVALID_ARGUMENT", `${name}query must not be empty`, {
        hint: "Ask a question or name a topic.",
      });
    }
    const { documents } = request;
    if (!Array.isArray(documents)) throw invalidArgument(`${name}documents`, "an array", documents);
    if (documents.length > MAX_RERANK_DOCUMENTS) {
      throw new MaxsimError(
        "INVALID_ARGUMENT",
        `${name}documents must be at most ${MAX_RERANK_DOCUMENTS}, found ${describe(documents)}`,
        { hint: "Rerank the best few hundred of the first stage." },
      );
    }
    const texts = documents.map((document, i) => this.textOf(`${name}documents[${i}]`, document, fields));
    return { query, documents, texts };
  }
}

function checkOptions(options: RerankOptions): CheckedOptions {
  const { topN, fields, maxTokensPerDocument, signal } = options;
  return {
    topN: topN === undefined ? Number.POSITIVE_INFINITY : checkInteger("topN", topN, 1),
    fields: checkFields(fields),
    maxTokensPerDocument:
      maxTokensPerDocument === undefined
        ? undefined
        : checkInteger("maxTokensPerDocument", maxTokensPerDocument, 1, MAX_TOKENS_PER_DOCUMENT),
    signal,
  };
}
