/**
 * Encodes texts on worker threads: the runtime blocks the thread that calls it. Passages share a few threads;
 * queries have a thread of their own, so that a search never waits for a build. Threads start with the first work.
 */
import { availableParallelism } from "node:os";
import type { Piscina } from "piscina";
import { throwIfAborted } from "../common/abort.js";
import { checkInteger } from "../common/check.js";
import { type Logger, silentLogger } from "../common/logger.js";
import type { QuantizedVectors } from "../kernels/backend.js";
import type { ModelSettings } from "../models/settings.js";
import type { LocatedText } from "../models/tokenizer.js";
import type { DocumentRows, EncodeResult, EncodeTask, PassageRows } from "./encode-messages.js";
import { cutTasks, RuntimeThreads, runTasks } from "./runtime-threads.js";
import { workerFile } from "./worker-file.js";

export interface EncodePoolOptions {
  /** Threads for passages, one run each. Default: the processors of this machine, at most 16. */
  readonly threads?: number;
  readonly logger?: Logger;
}

export interface EncodeOptions {
  readonly signal?: AbortSignal | undefined;
}

interface EncodedTokens {
  /** Ids of the kept tokens, one a vector. */
  readonly tokenIds: Uint32Array;
  /** Kept tokens that stand for the text: neither special tokens nor marker. */
  readonly contentTokens: number;
  /** Whether the text was longer than the model takes. */
  readonly truncated: boolean;
}

export interface EncodedPassage extends EncodedTokens {
  readonly vectors: QuantizedVectors;
}

export interface EncodedDocument extends EncodedTokens {
  /** f32 `[tokenIds.length][dim]`, each of norm 1. */
  readonly vectors: Float32Array;
}

export interface EncodedQuery {
  /** f32 `[count][dim]`, each of norm 1. */
  readonly vectors: Float32Array;
  readonly count: number;
  readonly dim: number;
  readonly tokenIds: Uint32Array;
  /** The tokens as the vocabulary has them. */
  readonly tokens: readonly string[];
  readonly truncated: boolean;
}

/** A text whose tokens' texts are known where they were asked for. */
export interface SpelledText extends LocatedText {
  readonly tokens: readonly string[] | null;
}

export interface LocatedTexts {
  readonly query: SpelledText;
  readonly passages: readonly SpelledText[];
}

type Kind = EncodeTask["kind"];
type ResultOf<K extends Kind> = Extract<EncodeResult, { kind: K }>;

/** Every thread holds the weights once more; beyond this many memory grows faster than speed. */
const MAX_DEFAULT_THREADS = 16;
const WORKER = "encode-worker";

export class EncodePool {
  readonly settings: ModelSettings;
  /** Threads that encode passages. */
  readonly threads: number;
  private passages: Piscina<EncodeTask, EncodeResult> | undefined;
  private queries: Piscina<EncodeTask, EncodeResult> | undefined;
  private readonly running: RuntimeThreads<EncodeTask, EncodeResult>;

  private constructor(settings: ModelSettings, threads: number, logger: Logger) {
    this.settings = settings;
    this.threads = threads;
    this.running = new RuntimeThreads(`the encoder ${settings.name}`, logger);
  }

  /** Cheap: nothing is loaded before the first text. */
  static async create(settings: ModelSettings, options: EncodePoolOptions = {}): Promise<EncodePool> {
    const threads = options.threads ?? Math.min(availableParallelism(), MAX_DEFAULT_THREADS);
    checkInteger("threads", threads, 1, 256);
    workerFile(WORKER);
    return new EncodePool(settings, threads, options.logger ?? silentLogger);
  }

  /** Starts the query thread and loads its model, so that the first query does not wait for that. */
  async warmQueries(): Promise<void> {
    await this.run(this.queryPool(), { kind: "warm" });
  }

  /**
   * Passages in the order of `texts`, quantized.
   * @throws MaxsimError ABORTED, CLOSED, WORKER_FAILED, MODEL_INVALID or MODEL_RUNTIME_MISSING.
   */
  encodePassages(texts: readonly string[], options: EncodeOptions = {}): Promise<EncodedPassage[]> {
    const { dim } = this.settings;
    return this.encodeAll("passages", texts, options, ({ rows }, i) => passageAt(rows, i, dim));
  }

  /** Like `encodePassages`, with the vectors as the model gives them. */
  encodeDocuments(texts: readonly string[], options: EncodeOptions = {}): Promise<EncodedDocument[]> {
    const { dim } = this.settings;
    return this.encodeAll("documents", texts, options, ({ rows }, i) => documentAt(rows, i, dim));
  }

  /**
   * Like `encodeDocuments`, but hands over each document as soon as it is there, in no certain order, and holds none; `index` is its
   * position in `texts`. What `visit` throws ends the encoding.
   */
  async visitDocuments(
    texts: readonly string[],
    visit: (document: EncodedDocument, index: number) => void,
    options: EncodeOptions = {},
  ): Promise<void> {
    const { dim } = this.settings;
    await this.encodeAll("documents", texts, options, ({ rows }, i, index) => {
      visit(documentAt(rows, i, dim), index);
    });
  }

  /** Does not queue behind passages. */
  async encodeQuery(text: string, options: EncodeOptions = {}): Promise<EncodedQuery> {
    throwIfAborted(options.signal, "encoding a query");
    const { rows } = await this.run(this.queryPool(), { kind: "query", text });
    throwIfAborted(options.signal, "encoding a query");
    return { ...rows, count: rows.tokenIds.length, dim: this.settings.dim };
  }

  /**
   * What the vectors of `encodeQuery(query)` and of the passages stand for; `spell` asks for the tokens' texts. Takes
   * some tenths of a millisecond a passage, on the thread of queries, which has the tokenizer.
   */
  async locateTokens(query: string, passages: readonly string[], spell: boolean): Promise<LocatedTexts> {
    const { rows } = await this.run(this.queryPool(), { kind: "locate", query, passages, spell });
    const textAt = (i: number): SpelledText => {
      const from = rows.firstToken[i]!;
      const to = rows.firstToken[i + 1]!;
      return {
        tokenIds: rows.tokenIds.subarray(from, to),
        parts: rows.parts.subarray(from, to),
        starts: rows.starts.subarray(from, to),
        ends: rows.ends.subarray(from, to),
        tokens: rows.tokens?.slice(from, to) ?? null,
      };
    };
    return { query: textAt(0), passages: passages.map((_, i) => textAt(i + 1)) };
  }

  /**
   * Stops the threads; work under way fails with CLOSED. Waits for the runs that have begun, at most some tenths of a
   * second.
   */
  close(): Promise<void> {
    return this.running.close();
  }

  private async encodeAll<K extends "passages" | "documents", T>(
    kind: K,
    texts: readonly string[],
    { signal }: EncodeOptions,
    /** `row` in the result, `index` in `texts`. */
    take: (result: ResultOf<K>, row: number, index: number) => T,
  ): Promise<T[]> {
    throwIfAborted(signal, "encoding");
    const results = new Array<T>(texts.length);
    const pool = this.passagePool();
    const { threads } = this;
    const tasks = cutTasks(texts.map(({ length }) => length));
    await runTasks(tasks, { threads, signal, what: "encoding" }, async (positions, cancelled) => {
      const task: EncodeTask = { kind, texts: positions.map((p) => texts[p]!), cancelled };
      const result = await this.run(pool, task);
      positions.forEach((position, i) => {
        results[position] = take(result as ResultOf<K>, i, position);
      });
    });
    this.running.checkOpen();
    return results;
  }

  private async run<T extends EncodeTask>(
    pool: Piscina<EncodeTask, EncodeResult>,
    task: T,
  ): Promise<ResultOf<T["kind"]>> {
    return (await this.running.run(pool, task)) as ResultOf<T["kind"]>;
  }

  private passagePool(): Piscina<EncodeTask, EncodeResult> {
    this.passages ??= this.start(this.threads);
    return this.passages;
  }

  private queryPool(): Piscina<EncodeTask, EncodeResult> {
    this.queries ??= this.start(1);
    return this.queries;
  }

  private start(threads: number): Piscina<EncodeTask, EncodeResult> {
    return this.running.start(WORKER, threads, this.settings);
  }
}

function tokensAt(rows: PassageRows | DocumentRows, i: number): EncodedTokens & { from: number; to: number } {
  const from = rows.firstToken[i]!;
  const to = rows.firstToken[i + 1]!;
  return {
    from,
    to,
    tokenIds: rows.tokenIds.subarray(from, to),
    contentTokens: rows.contentTokens[i]!,
    truncated: rows.truncated[i] === 1,
  };
}

function passageAt(rows: PassageRows, i: number, dim: number): EncodedPassage {
  const { from, to, ...tokens } = tokensAt(rows, i);
  const values = rows.values.subarray(from * dim, to * dim);
  return { ...tokens, vectors: { count: to - from, dim, values, scales: rows.scales.subarray(from, to) } };
}

function documentAt(rows: DocumentRows, i: number, dim: number): EncodedDocument {
  const { from, to, ...tokens } = tokensAt(rows, i);
  return { ...tokens, vectors: rows.vectors.subarray(from * dim, to * dim) };
}
