/** The reranker of an index: documents that it holds are scored from their stored vectors, without encoding them again. */
import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfAborted } from "../common/abort.js";
import { describe } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import { packQuery } from "../kernels/pack.js";
import {
  BaseReranker,
  type CheckedOptions,
  type CheckedRequest,
  type Ranked,
} from "../rerank/base-reranker.js";
import { bestFirst } from "../rerank/best-first.js";
import { documentId } from "../rerank/document-text.js";
import {
  cutWarnings,
  LATE_MAX_TOKENS,
  LATE_RECIPE,
  type LateModel,
  scoreTexts,
  type TextScores,
} from "../rerank/late-scorer.js";
import type { RerankDocument, RerankFields } from "../rerank/types.js";
import { NO_USAGE } from "../rerank/usage.js";
import { scoreDocuments } from "../search/document-scores.js";
import { Workspace } from "../search/workspace.js";
import type { EncodedQuery } from "../workers/encode-pool.js";
import type { ReadContext } from "./searching.js";

/** What it needs of its index. */
export interface StoredRerankerSource {
  /** The model's name, "" where the index has none. */
  readonly modelName: string;
  readonly model: LateModel;
  /** Runs `work` on one generation, which stays whole until it is done. Errors: CLOSED. */
  read<T>(work: (context: ReadContext) => Promise<T>): Promise<T>;
}

/** Where the scores of a request's documents come from; places are positions in the request. */
interface Plan {
  readonly stored: readonly { readonly place: number; readonly documentNo: number }[];
  readonly encoded: readonly { readonly place: number; readonly text: string }[];
}

/**
 * Documents that name themselves by the `id` of a document of the index are scored as an exhaustive search scores them, whatever
 * text they bring along; all requests of a call see one generation. Others are encoded. It is free to open and holds nothing but a
 * score table, so closing it only ends its use; the index stays open.
 *
 * Errors beside those of every reranker: UNKNOWN_DOCUMENT for an id that the index does not have, of a document without text;
 * INVALID_ARGUMENT where the index has no model; MODEL_MISMATCH, MODEL_*, CORRUPT.
 */
export class StoredReranker extends BaseReranker {
  readonly name = "late";
  readonly dependsOn = "document";
  readonly model: string;
  private readonly workspace = new Workspace();

  constructor(
    private readonly source: StoredRerankerSource,
    logger?: Logger,
  ) {
    super(logger);
    this.model = source.modelName;
  }

  /** Scores change with the generation: the codec may, and so may the documents. */
  fingerprint(): Promise<string> {
    return this.source.read(async ({ loaded }) => {
      const { indexId, generation, settings } = loaded.catalog;
      const parts = [LATE_RECIPE, "stored", indexId, generation, settings.model?.fingerprint ?? null];
      return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
    });
  }

  protected async release(): Promise<void> {}

  /** A document that has an id needs no text. */
  protected override textOf(name: string, document: RerankDocument, fields: readonly string[]): string {
    const bare = hasId(document) && fields.every((field) => (document[field] ?? null) === null);
    return bare ? "" : super.textOf(name, document, fields);
  }

  protected rank<D extends RerankDocument>(
    requests: readonly CheckedRequest<D>[],
    { maxTokensPerDocument: maxTokens = LATE_MAX_TOKENS, signal }: CheckedOptions,
  ): Promise<Ranked[]> {
    return this.source.read(async (context) => {
      const plans = planRequests(context, requests);
      const texts = await this.scoreTexts(requests, plans, maxTokens, signal);
      const queries = await this.encodeQueries(requests, plans, signal);
      const ranked: Ranked[] = [];
      for (const [i, request] of requests.entries()) {
        const scores = new Map<number, number>();
        plans[i]!.encoded.forEach(({ place }, at) => {
          scores.set(place, texts[i]!.scores[at]!);
        });
        const query = queries[i];
        if (query !== undefined) {
          // A turn of the event loop for each request: scoring is quick, but there may be many.
          if (i > 0) await nextTurn();
          throwIfAborted(signal, "reranking");
          this.scoreStored(context, query, plans[i]!, scores);
        }
        const places = [...scores.keys()].sort((a, b) => a - b);
        const order = bestFirst(
          request.documents.length,
          places,
          places.map((place) => scores.get(place)!),
        );
        const warnings = cutWarnings(texts[i]!, maxTokens);
        ranked.push({ ...order, reranked: true, warnings, usage: { ...NO_USAGE, scored: places.length } });
      }
      this.checkOpen();
      return ranked;
    });
  }

  private async scoreTexts(
    requests: readonly CheckedRequest<RerankDocument>[],
    plans: readonly Plan[],
    maxTokens: number,
    signal: AbortSignal | undefined,
  ): Promise<TextScores[]> {
    const none: TextScores = { scores: new Float64Array(0), cut: 0 };
    const asked = [...plans.keys()].filter((i) => plans[i]!.encoded.length > 0);
    if (asked.length === 0) return plans.map(() => none);
    const tasks = asked.map((i) => {
      return { query: requests[i]!.query, texts: plans[i]!.encoded.map(({ text }) => text) };
    });
    const scored = await scoreTexts(tasks, this.source.model, { maxTokens, signal });
    const results = plans.map(() => none);
    asked.forEach((i, at) => {
      results[i] = scored[at]!;
    });
    return results;
  }

  /** Undefined for requests without a stored document. */
  private async encodeQueries(
    requests: readonly CheckedRequest<RerankDocument>[],
    plans: readonly Plan[],
    signal: AbortSignal | undefined,
  ): Promise<Array<EncodedQuery | undefined>> {
    if (plans.every(({ stored }) => stored.length === 0)) return plans.map(() => undefined);
    const encoder = await this.source.model.encoder();
    return Promise.all(
      requests.map(async ({ query }, i) => {
        return plans[i]!.stored.length === 0 ? undefined : await encoder.encodeQuery(query, { signal });
      }),
    );
  }

  private scoreStored(
    { loaded, kernels }: ReadContext,
    { vectors, count, dim }: EncodedQuery,
    { stored }: Plan,
    scores: Map<number, number>,
  ): void {
    const numbers = stored.map(({ documentNo }) => documentNo);
    const packed = packQuery(vectors, count, dim);
    const found =
      loaded.search === null
        ? undefined
        : scoreDocuments(loaded.search, packed, numbers, kernels, this.workspace);
    stored.forEach(({ place }, i) => {
      const score = found?.[i] ?? Number.NaN;
      // Without token vectors: the lowest score that MaxSim can have.
      scores.set(place, Number.isNaN(score) ? -count : score);
    });
  }
}

/** Errors: UNKNOWN_DOCUMENT. */
function planRequests(
  { catalog, loaded }: ReadContext,
  requests: readonly CheckedRequest<RerankDocument>[],
): Plan[] {
  const ids = new Set(requests.flatMap(({ documents }) => documents.filter(hasId).map(({ id }) => id)));
  const numbers = ids.size === 0 ? new Map<string, number>() : catalog.numbersOf([...ids], loaded.catalog);
  return requests.map(({ documents, texts }, r) => {
    const stored: Plan["stored"][number][] = [];
    const encoded: Plan["encoded"][number][] = [];
    documents.forEach((document, place) => {
      const id = hasId(document) ? document.id : undefined;
      const documentNo = id === undefined ? undefined : numbers.get(id);
      const text = texts[place]!;
      if (documentNo !== undefined) stored.push({ place, documentNo });
      else if (text.trim() !== "") encoded.push({ place, text });
      else if (id !== undefined) {
        throw unknownDocument(requests.length === 1 ? "" : `requests[${r}].`, place, id, catalog.folder);
      }
    });
    return { stored, encoded };
  });
}

function unknownDocument(request: string, place: number, id: string, folder: string): MaxsimError {
  return new MaxsimError(
    "UNKNOWN_DOCUMENT",
    `${request}documents[${place}] has no text, and the index ${folder} has no document ${describe(id)}`,
    { hint: "Give its text along, or ids of documents that the index has." },
  );
}

function hasId(document: RerankDocument): document is RerankFields & { readonly id: string } {
  return documentId(document) !== undefined;
}
