/** Threads that run graphs of one model: how they start, take work, fail and stop, the same for every kind of graph. */
import { Piscina } from "piscina";
import { rejectOnAbort } from "../common/abort.js";
import { deserializeError, MaxsimError, type SerializedError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import { RuntimeGuard } from "./runtime-guard.js";
import { workerFile } from "./worker-file.js";

/** Errors lose their class between threads, so they travel as data. */
export interface FailedTask {
  readonly kind: "error";
  readonly error: SerializedError;
}

/** What a thread is started with. */
export interface RuntimeWorkerData<Settings> {
  readonly settings: Settings;
  /** State of the RuntimeGuard. */
  readonly guard: Int32Array;
}

/** Characters of one task: a few passages, some tenths of a second, so that aborting and closing are prompt. */
const TASK_CHARS = 6_000;
const TASK_TEXTS = 32;
/** Tasks in flight a thread: the next one is there when one ends. */
const IN_FLIGHT = 2;

/** `Result` is what threads answer, `FailedTask` among it. */
export class RuntimeThreads<Task, Result extends { readonly kind: string }> {
  private readonly guard = new RuntimeGuard();
  private readonly inFlight = new Set<Promise<Result>>();
  private readonly pools: Piscina<Task, Result>[] = [];
  private closing: Promise<void> | undefined;

  /** @param title what messages call it, such as "the encoder colbert-small". */
  constructor(
    private readonly title: string,
    private readonly logger: Logger,
  ) {}

  /** Starts threads of an entry module in this folder. Errors: CLOSED. */
  start(worker: string, threads: number, settings: unknown): Piscina<Task, Result> {
    this.checkOpen();
    const workerData: RuntimeWorkerData<unknown> = { settings, guard: this.guard.state };
    this.guard.watch();
    const pool = new Piscina<Task, Result>({
      filename: workerFile(worker).href,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      workerData,
    });
    // A thread that dies while idle is replaced; without a listener the event would end the process.
    pool.on("error", (error) => this.logger.warn(`an idle thread of ${this.title} ended: ${String(error)}`));
    this.pools.push(pool);
    return pool;
  }

  /** Errors: CLOSED, WORKER_FAILED, and what the thread answers. */
  async run(pool: Piscina<Task, Result>, task: Task): Promise<Exclude<Result, FailedTask>> {
    this.checkOpen();
    const running = pool.run(task);
    this.inFlight.add(running);
    let result: Result;
    try {
      result = await running;
    } catch (cause) {
      this.checkOpen();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new MaxsimError("WORKER_FAILED", `a thread of ${this.title} failed: ${reason}`, {
        hint: "Run it again. If memory is short, use fewer threads.",
        cause,
      });
    } finally {
      this.inFlight.delete(running);
    }
    this.checkOpen();
    if (isFailed(result)) throw deserializeError(result.error);
    return result as Exclude<Result, FailedTask>;
  }

  checkOpen(): void {
    if (this.closing !== undefined) throw new MaxsimError("CLOSED", `${this.title} is closed`);
  }

  /** Stops the threads; work under way fails with CLOSED. Waits for the runs that have begun, at most some tenths of a second. */
  close(): Promise<void> {
    this.closing ??= Promise.resolve().then(async () => {
      this.guard.stop();
      await Promise.allSettled(this.inFlight);
      await Promise.all(this.pools.map((pool) => pool.destroy()));
      this.guard.unwatch();
    });
    return this.closing;
  }
}

function isFailed(result: { readonly kind: string }): result is FailedTask {
  return result.kind === "error";
}

/**
 * Positions in tasks of about equal work, longest first, so that all threads end together and texts of a task are of like length.
 * @param lengths characters of each position.
 */
export function cutTasks(lengths: readonly number[]): number[][] {
  const order = Array.from(lengths.keys()).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const tasks: number[][] = [];
  let task: number[] = [];
  let chars = 0;
  for (const position of order) {
    task.push(position);
    chars += lengths[position]!;
    if (chars >= TASK_CHARS || task.length === TASK_TEXTS) {
      tasks.push(task);
      task = [];
      chars = 0;
    }
  }
  if (task.length > 0) tasks.push(task);
  return tasks;
}

export interface TaskRun {
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  /** For messages, such as "encoding". */
  readonly what: string;
}

/**
 * Runs `work` for every task, as many at once as keep `threads` busy. `cancelled` is shared memory of one number, not 0 once nobody
 * wants the results any more: after an error or an abort the other threads have no reason to go on. Errors: ABORTED, and those of
 * `work`.
 */
export async function runTasks<T>(
  tasks: readonly T[],
  { threads, signal, what }: TaskRun,
  work: (task: T, cancelled: Int32Array) => Promise<void>,
): Promise<void> {
  const waiting = tasks.values();
  const cancelled = new Int32Array(new SharedArrayBuffer(4));
  const lane = async (): Promise<void> => {
    for (const task of waiting) {
      if (Atomics.load(cancelled, 0) !== 0) return;
      await work(task, cancelled);
    }
  };
  const lanes = Promise.all(Array.from({ length: threads * IN_FLIGHT }, lane));
  try {
    await (signal === undefined ? lanes : Promise.race([lanes, rejectOnAbort(signal, lanes, what)]));
  } finally {
    Atomics.store(cancelled, 0, 1);
  }
}
