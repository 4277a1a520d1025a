/**
 * Encodes texts on worker threads: the runtime blocks the thread that calls it. Passages share a few threads;
 * queries have a thread of their own, so that a search never waits for a build. Threads start with the first work.
 */
import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import { rejectOnAbort, throwIfAborted } from "../common/abort.js";
import { checkInteger } from "../common/check.js";
import { deserializeError, MaxsimError } from "../common/errors.js";
import { type Logger, silentLogger } from "../common/logger.js";
import type { QuantizedVectors } from "../kernels/backend.js";
import type { ModelSettings } from "../models/settings.js";
import type { LocatedText } from "../models/tokenizer.js";
import type {
  DocumentRows,
  EncodeResult,
  EncodeTask,
  EncodeWorkerData,
  PassageRows,
} from "./encode-messages.js";
import { RuntimeGuard } from "./runtime-guard.js";
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
/** Characters of one task: a few passages, some tenths of a second, so that aborting and closing are prompt. */
const TASK_CHARS = 6_000;
/** Tasks in flight a thread: the next one is there when one ends. */
const IN_FLIGHT = 2;

export class EncodePool {
  readonly settings: ModelSettings;
  /** Threads that encode passages. */
  readonly threads: number;
  private readonly logger: Logger;
  private passages: Piscina<EncodeTask, EncodeResult> | undefined;
  private queries: Piscina<EncodeTask, EncodeResult> | undefined;
  private closing: Promise<void> | undefined;
  private readonly inFlight = new Set<Promise<EncodeResult>>();
  private readonly guard = new RuntimeGuard();

  private constructor(settings: ModelSettings, threads: number, logger: Logger) {
    this.settings = settings;
    this.threads = threads;
    this.logger = logger;
  }

  /** Cheap: nothing is loaded before the first text. */
  static async create(settings: ModelSettings, options: EncodePoolOptions = {}): Promise<EncodePool> {
    const threads = options.threads ?? Math.min(availableParallelism(), MAX_DEFAULT_THREADS);
    checkInteger("threads", threads, 1, 256);
    workerFile("encode-worker");
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
    this.closing ??= Promise.resolve().then(async () => {
      this.guard.stop();
      await Promise.allSettled(this.inFlight);
      await Promise.all([this.passages?.destroy(), this.queries?.destroy()]);
      this.guard.unwatch();
    });
    return this.closing;
  }

  private async encodeAll<K extends "passages" | "documents", T>(
    kind: K,
    texts: readonly string[],
    { signal }: EncodeOptions,
    take: (result: ResultOf<K>, index: number) => T,
  ): Promise<T[]> {
    throwIfAborted(signal, "encoding");
    const results = new Array<T>(texts.length);
    const tasks = cutTasks(texts).values();
    const pool = this.passagePool();
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const lane = async (): Promise<void> => {
      for (const positions of tasks) {
        if (Atomics.load(cancelled, 0) !== 0) return;
        const task: EncodeTask = { kind, texts: positions.map((p) => texts[p]!), cancelled };
        const result = await this.run(pool, task);
        positions.forEach((position, i) => {
          results[position] = take(result as ResultOf<K>, i);
        });
      }
      this.checkOpen();
    };
    const lanes = Promise.all(Array.from({ length: this.threads * IN_FLIGHT }, lane));
    try {
      await (signal === undefined ? lanes : Promise.race([lanes, rejectOnAbort(signal, lanes, "encoding")]));
    } finally {
      // After an error or an abort the other threads have no reason to go on.
      Atomics.store(cancelled, 0, 1);
    }
    return results;
  }

  private async run<T extends EncodeTask>(
    pool: Piscina<EncodeTask, EncodeResult>,
    task: T,
  ): Promise<ResultOf<T["kind"]>> {
    this.checkOpen();
    const running = pool.run(task);
    this.inFlight.add(running);
    let result: EncodeResult;
    try {
      result = await running;
    } catch (cause) {
      this.checkOpen();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new MaxsimError(
        "WORKER_FAILED",
        `an encoding thread of ${this.settings.name} failed: ${reason}`,
        {
          hint: "Run it again. If memory is short, use fewer threads.",
          cause,
        },
      );
    } finally {
      this.inFlight.delete(running);
    }
    this.checkOpen();
    if (result.kind === "error") throw deserializeError(result.error);
    return result as ResultOf<T["kind"]>;
  }

  private checkOpen(): void {
    if (this.closing !== undefined)
      throw new MaxsimError("CLOSED", `the encoder ${this.settings.name} is closed`);
  }

  private passagePool(): Piscina<EncodeTask, EncodeResult> {
    this.passages ??= this.start(this.threads);
    return this.passages;
  }

  private queryPool(): Piscina<EncodeTask, EncodeResult> {
    this.queries ??= this.start(1);
    return this.queries;
  }

  private start(workers: number): Piscina<EncodeTask, EncodeResult> {
    this.checkOpen();
    const workerData: EncodeWorkerData = { settings: this.settings, guard: this.guard.state };
    this.guard.watch();
    const pool = new Piscina<EncodeTask, EncodeResult>({
      filename: workerFile("encode-worker").href,
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      workerData,
    });
    // A thread that dies while idle is replaced; without a listener the event would end the process.
    pool.on("error", (error) => this.logger.warn(`an idle encoding thread ended: ${String(error)}`));
    return pool;
  }
}

/** Positions of `texts` in tasks of about equal work, longest texts first, so that all threads end together. */
function cutTasks(texts: readonly string[]): number[][] {
  const order = Array.from(texts.keys()).sort((a, b) => texts[b]!.length - texts[a]!.length || a - b);
  const tasks: number[][] = [];
  let task: number[] = [];
  let chars = 0;
  for (const position of order) {
    task.push(position);
    chars += texts[position]!.length;
    if (chars >= TASK_CHARS || task.length === 32) {
      tasks.push(task);
      task = [];
      chars = 0;
    }
  }
  if (task.length > 0) tasks.push(task);
  return tasks;
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
