/** The public encoder: token vectors for those who store or score them themselves. */
import { invalidArgument } from "../common/check.js";
import type { Logger } from "../common/logger.js";
import { loadModelSettings } from "../models/load-settings.js";
import { resolveModel } from "../models/registry.js";
import type { ModelSettings } from "../models/settings.js";
import { TextTokenizer } from "../models/tokenizer.js";
import { EncodePool } from "../workers/encode-pool.js";

export interface EncoderOptions {
  /** Threads that encode documents. Default: the processors of this machine, at most 16. */
  readonly threads?: number;
  readonly logger?: Logger;
  /** For the download of a model that is not there yet. */
  readonly signal?: AbortSignal;
}

export interface TokenVectors {
  /** f32 `[count][dim]`, each vector of norm 1. */
  readonly vectors: Float32Array;
  readonly count: number;
  readonly dim: number;
  /** One a vector. */
  readonly tokenIds: Uint32Array;
  /** One a vector, as the vocabulary has it, such as "##ing". */
  readonly tokens: readonly string[];
  /** Whether the text was longer than the model takes. */
  readonly truncated: boolean;
}

/** Encodes texts with a ColBERT model, on worker threads. Close it when done. */
export class Encoder implements AsyncDisposable {
  private constructor(
    readonly settings: ModelSettings,
    private readonly tokenizer: TextTokenizer,
    private readonly pool: EncodePool,
  ) {}

  /**
   * `model` is a folder, a bundled name or a Hugging Face repository id; "default" is the bundled model.
   * @throws MaxsimError MODEL_NOT_FOUND, MODEL_INVALID, NETWORK, INVALID_ARGUMENT.
   */
  static async load(model = "default", options: EncoderOptions = {}): Promise<Encoder> {
    const { threads, logger, signal } = options;
    const settings = await loadModelSettings(await resolveModel(model, { signal }));
    for (const note of settings.notes) logger?.warn(`${settings.name}: ${note}`);
    const [tokenizer, pool] = await Promise.all([
      TextTokenizer.load(settings),
      EncodePool.create(settings, {
        ...(threads === undefined ? {} : { threads }),
        ...(logger === undefined ? {} : { logger }),
      }),
    ]);
    return new Encoder(settings, tokenizer, pool);
  }

  /** One result a query, in their order. A query must not be empty. */
  async encodeQueries(
    texts: readonly string[],
    options: { signal?: AbortSignal } = {},
  ): Promise<TokenVectors[]> {
    checkTexts("queries", texts);
    const blank = texts.findIndex((text) => text.trim() === "");
    if (blank >= 0) throw invalidArgument(`queries[${blank}]`, "a text that is not empty", texts[blank]);
    const results: TokenVectors[] = [];
    for (const text of texts) results.push(await this.pool.encodeQuery(text, options));
    return results;
  }

  /** One result a document, in their order; a text longer than the model takes is cut and marked. */
  async encodeDocuments(
    texts: readonly string[],
    options: { signal?: AbortSignal } = {},
  ): Promise<TokenVectors[]> {
    checkTexts("documents", texts);
    const encoded = await this.pool.encodeDocuments(texts, options);
    return encoded.map(({ vectors, tokenIds, truncated }) => ({
      vectors,
      count: tokenIds.length,
      dim: this.settings.dim,
      tokenIds,
      tokens: Array.from(tokenIds, (id) => this.tokenizer.tokenText(id)),
      truncated,
    }));
  }

  /** Stops the threads; work under way fails with CLOSED. */
  close(): Promise<void> {
    return this.pool.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function checkTexts(name: string, texts: readonly string[]): void {
  if (!Array.isArray(texts)) throw invalidArgument(name, "an array of strings", texts);
  const wrong = texts.findIndex((text) => typeof text !== "string");
  if (wrong >= 0) throw invalidArgument(`${name}[${wrong}]`, "a string", texts[wrong]);
}
