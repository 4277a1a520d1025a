/** Scores pairs of query and document on worker threads: the runtime blocks the thread that calls it. */
import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import { rejectOnAbort, throwIfAborted } from "../common/abort.js";
import { checkInteger } from "../common/check.js";
import { deserializeError, MaxsimError } from "../common/errors.js";
import { type Logger, silentLogger } from "../common/logger.js";
import type { CrossEncoderSettings } from "../models/cross-encoder-settings.js";
import {
  PairCut,
  type PairResult,
  type PairRows,
  type PairTask,
  type PairWorkerData,
} from "./pair-messages.js";
import { RuntimeGuard } from "./runtime-guard.js";
import { workerFile } from "./worker-file.js";

export interface PairPoolOptions {
  /** Threads, one run each. Default: see `defaultThreads`. */
  readonly threads?: number | undefined;
  readonly logger?: Logger | undefined;
}

export interface TextPair {
  readonly query: string;
  readonly document: string;
}

export interface PairScore {
  /** The best one of the document's parts. */
  readonly logit: number;
  /** Positions that the model read. */
  readonly positions: number;
  /** Whether the text was longer than what counts of it. */
  readonly queryCut: boolean;
  readonly documentCut: boolean;
}

export interface PairOptions {
  /** Tokens of a document that count. */
  readonly maxTokens: number;
  readonly signal?: AbortSignal | undefined;
}

const MAX_DEFAULT_THREADS = 16;
/** Every thread holds the weights once more. */
const WEIGHT_BUDGET_BYTES = 4 * 1024 ** 3;
/** Work of one task, some tenths of a second, so that aborting and closing are prompt. */
const TASK_CHARS = 6_000;
const TASK_DOCUMENTS = 32;
/** Tasks in flight a thread: the next one is there when one ends. */
const IN_FLIGHT = 2;

/** The processors of this machine, at most 16 and as many as hold the weights in 4 GiB together. */
export function defaultThreads(weightBytes: number): number {
  const held = Math.floor(WEIGHT_BUDGET_BYTES / Math.max(1, weightBytes));
  return Math.max(1, Math.min(availableParallelism(), MAX_DEFAULT_THREADS, held));
}

export class PairPool {
  private pool: Piscina<PairTask, PairResult> | undefined;
  private closing: Promise<void> | undefined;
  private readonly inFlight = new Set<Promise<PairResult>>();
  private readonly guard = new RuntimeGuard();

  private constructor(
    readonly settings: CrossEncoderSettings,
    readonly threads: number,
    private readonly logger: Logger,
  ) {}

  /** Cheap: nothing is loaded before the first pair. */
  static create(settings: CrossEncoderSettings, options: PairPoolOptions = {}): PairPool {
    const threads = options.threads ?? defaultThreads(settings.weightBytes);
    checkInteger("threads", threads, 1, 256);
    workerFile("pair-worker");
    return new PairPool(settings, threads, options.logger ?? silentLogger);
  }

  /**
   * One score a pair, in their order. What shares a run depends on the pairs alone, never on threads or time.
   * @throws MaxsimError ABORTED, CLOSED, WORKER_FAILED, MODEL_INVALID or MODEL_RUNTIME_MISSING.
   */
  async score(pairs: readonly TextPair[], { maxTokens, signal }: PairOptions): Promise<PairScore[]> {
    throwIfAborted(signal, "reranking");
    const scores = new Array<PairScore>(pairs.length);
    const tasks = cutTasks(pairs, maxTokens).values();
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const lane = async (): Promise<void> => {
      for (const places of tasks) {
        if (Atomics.load(cancelled, 0) !== 0) return;
        const rows = await this.run(
          taskOf(
            places.map((place) => pairs[place]!),
            maxTokens,
            cancelled,
          ),
        );
        places.forEach((place, i) => {
          scores[place] = scoreAt(rows, i);
        });
      }
      this.checkOpen();
    };
    const lanes = Promise.all(Array.from({ length: this.threads * IN_FLIGHT }, lane));
    try {
      await (signal === undefined ? lanes : Promise.race([lanes, rejectOnAbort(signal, lanes, "reranking")]));
    } finally {
      // After an error or an abort the other threads have no reason to go on.
      Atomics.store(cancelled, 0, 1);
    }
    return scores;
  }

  /** Stops the threads; work under way fails with CLOSED. Waits for the runs that have begun. */
  close(): Promise<void> {
    this.closing ??= Promise.resolve().then(async () => {
      this.guard.stop();
      await Promise.allSettled(this.inFlight);
      await this.pool?.destroy();
      this.guard.unwatch();
    });
    return this.closing;
  }

  private async run(task: PairTask): Promise<PairRows> {
    this.checkOpen();
    this.pool ??= this.start();
    const running = this.pool.run(task);
    this.inFlight.add(running);
    let result: PairResult;
    try {
      result = await running;
    } catch (cause) {
      this.checkOpen();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new MaxsimError("WORKER_FAILED", `a thread of ${this.settings.name} failed: ${reason}`, {
        hint: "Run it again. If memory is short, use fewer threads.",
        cause,
      });
    } finally {
      this.inFlight.delete(running);
    }
    this.checkOpen();
    if (result.kind === "error") throw deserializeError(result.error);
    return result.rows;
  }

  private checkOpen(): void {
    if (this.closing !== undefined) {
      throw new MaxsimError("CLOSED", `the cross-encoder ${this.settings.name} is closed`);
    }
  }

  private start(): Piscina<PairTask, PairResult> {
    const workerData: PairWorkerData = { settings: this.settings, guard: this.guard.state };
    this.guard.watch();
    const pool = new Piscina<PairTask, PairResult>({
      filename: workerFile("pair-worker").href,
      minThreads: this.threads,
      maxThreads: this.threads,
      concurrentTasksPerWorker: 1,
      workerData,
    });
    // A thread that dies while idle is replaced; without a listener the event would end the process.
    pool.on("error", (error) =>
      this.logger.warn(`an idle thread of a cross-encoder ended: ${String(error)}`),
    );
    return pool;
  }
}

/** Positions of `pairs` in tasks of about equal work and of pairs of about equal length, longest first. */
function cutTasks(pairs: readonly TextPair[], maxTokens: number): number[][] {
  // A document that is cut costs no more than what is left of it, about eight characters a token at most.
  const costs = pairs.map(({ query, document }) => query.length + Math.min(document.length, 8 * maxTokens));
  const order = Array.from(pairs.keys()).sort((a, b) => costs[b]! - costs[a]! || a - b);
  const tasks: number[][] = [];
  let task: number[] = [];
  let chars = 0;
  for (const place of order) {
    task.push(place);
    chars += costs[place]!;
    if (chars >= TASK_CHARS || task.length === TASK_DOCUMENTS) {
      tasks.push(task);
      task = [];
      chars = 0;
    }
  }
  if (task.length > 0) tasks.push(task);
  return tasks;
}

function taskOf(pairs: readonly TextPair[], maxTokens: number, cancelled: Int32Array): PairTask {
  const queries = Array.from(new Set(pairs.map(({ query }) => query)));
  const at = new Map(queries.map((query, i) => [query, i]));
  return {
    queries,
    queryOf: Uint32Array.from(pairs, ({ query }) => at.get(query)!),
    documents: pairs.map(({ document }) => document),
    maxTokens,
    cancelled,
  };
}

function scoreAt({ logits, positions, cuts }: PairRows, i: number): PairScore {
  return {
    logit: logits[i]!,
    positions: positions[i]!,
    queryCut: (cuts[i]! & PairCut.query) !== 0,
    documentCut: (cuts[i]! & PairCut.document) !== 0,
  };
}
