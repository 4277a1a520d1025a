/** Checks an index on a thread of its own: this thread goes on answering meanwhile. */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { abortedError, throwIfAborted } from "../common/abort.js";
import { deserializeError, MaxsimError } from "../common/errors.js";
import { catalogBytes } from "../documents/copy-catalog.js";
import { lookAround } from "../documents/surroundings.js";
import { lengthIfPresent } from "../storage/folders.js";
import { type CheckOptions, checkIndex } from "./check-index.js";
import type { CheckMessage, CheckTask, IndexFindings } from "./index-findings.js";
import { workerFile } from "./worker-file.js";

/** Indexes up to this many bytes are checked on this thread, which is faster than starting another. */
const THREAD_FROM = 8 << 20;

const WHAT = "the verification";

/** As `checkIndex`, on another thread when the index is large. Further errors: WORKER_FAILED. */
export async function checkIndexAside(
  task: CheckTask,
  options: CheckOptions & { readonly threadFrom?: number } = {},
): Promise<IndexFindings> {
  const { signal, threadFrom = THREAD_FROM } = options;
  throwIfAborted(signal, WHAT);
  const size = await sizeOf(task.folder);
  throwIfAborted(signal, WHAT);
  return size > threadFrom ? onThread(task, options) : checkIndex(task, options);
}

async function sizeOf(folder: string): Promise<number> {
  const { published } = await lookAround(folder);
  return published.reduce((sum, name) => sum + lengthIfPresent(join(folder, name)), catalogBytes(folder));
}

async function onThread(task: CheckTask, { signal, onProgress }: CheckOptions): Promise<IndexFindings> {
  const worker = new Worker(workerFile("check-worker"), { workerData: task });
  const stop = (): void => void worker.terminate();
  signal?.addEventListener("abort", stop);
  try {
    return await new Promise<IndexFindings>((resolve, reject) => {
      worker.on("message", (message: CheckMessage) => {
        if (message.kind === "progress") onProgress?.(message.event);
        else if (message.kind === "findings") resolve(message.findings);
        else reject(deserializeError(message.error));
      });
      worker.once("error", (cause) => {
        reject(new MaxsimError("WORKER_FAILED", `verifying ${task.folder}: ${cause.message}`, { cause }));
      });
      worker.once("exit", () => {
        const ended = new MaxsimError("WORKER_FAILED", `the thread that verifies ${task.folder} ended early`);
        reject(signal?.aborted ? abortedError(signal, WHAT) : ended);
      });
    });
  } finally {
    signal?.removeEventListener("abort", stop);
    await worker.terminate();
  }
}
