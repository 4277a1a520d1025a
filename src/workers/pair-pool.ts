/** Scores pairs of query and document on worker threads: the runtime blocks the thread that calls it. */
import { availableParallelism } from "node:os";
import type { Piscina } from "piscina";
import { throwIfAborted } from "../common/abort.js";
import { checkInteger } from "../common/check.js";
import { type Logger, silentLogger } from "../common/logger.js";
import type { CrossEncoderSettings } from "../models/cross-encoder-settings.js";
import { PairCut, type PairResult, type PairRows, type PairTask } from "./pair-messages.js";
import { cutTasks, RuntimeThreads, runTasks } from "./runtime-threads.js";
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
const WORKER = "pair-worker";

/** The processors of this machine, at most 16 and as many as hold the weights in 4 GiB together. */
export function defaultThreads(weightBytes: number): number {
  const held = Math.floor(WEIGHT_BUDGET_BYTES / Math.max(1, weightBytes));
  return Math.max(1, Math.min(availableParallelism(), MAX_DEFAULT_THREADS, held));
}

export class PairPool {
  private pool: Piscina<PairTask, PairResult> | undefined;
  private readonly running: RuntimeThreads<PairTask, PairResult>;

  private constructor(
    readonly settings: CrossEncoderSettings,
    readonly threads: number,
    logger: Logger,
  ) {
    this.running = new RuntimeThreads(`the cross-encoder ${settings.name}`, logger);
  }

  /** Cheap: nothing is loaded before the first pair. */
  static create(settings: CrossEncoderSettings, options: PairPoolOptions = {}): PairPool {
    const threads = options.threads ?? defaultThreads(settings.weightBytes);
    checkInteger("threads", threads, 1, 256);
    workerFile(WORKER);
    return new PairPool(settings, threads, options.logger ?? silentLogger);
  }

  /**
   * One score a pair, in their order. What shares a run depends on the pairs alone, never on threads or time.
   * @throws MaxsimError ABORTED, CLOSED, WORKER_FAILED, MODEL_INVALID or MODEL_RUNTIME_MISSING.
   */
  async score(pairs: readonly TextPair[], { maxTokens, signal }: PairOptions): Promise<PairScore[]> {
    throwIfAborted(signal, "reranking");
    this.pool ??= this.running.start(WORKER, this.threads, this.settings);
    const pool = this.pool;
    const scores = new Array<PairScore>(pairs.length);
    // A document that is cut costs no more than what is left of it, about eight characters a token at most.
    const tasks = cutTasks(
      pairs.map(({ query, document }) => query.length + Math.min(document.length, 8 * maxTokens)),
    );
    const { threads } = this;
    await runTasks(tasks, { threads, signal, what: "reranking" }, async (places, cancelled) => {
      const own = places.map((place) => pairs[place]!);
      const { rows } = await this.running.run(pool, taskOf(own, maxTokens, cancelled));
      places.forEach((place, i) => {
        scores[place] = scoreAt(rows, i);
      });
    });
    this.running.checkOpen();
    return scores;
  }

  /** Stops the threads; work under way fails with CLOSED. Waits for the runs that have begun. */
  close(): Promise<void> {
    return this.running.close();
  }
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
