/**
 * Verifies a catalog on a thread of its own: reading every row of a large one takes seconds, in which this thread would
 * answer nothing.
 */
import { Worker } from "node:worker_threads";
import { abortedError, throwIfAborted } from "../common/abort.js";
import { deserializeError, MaxsimError, type SerializedError } from "../common/errors.js";
import { Catalog } from "../documents/catalog.js";
import { catalogBytes } from "../documents/copy-catalog.js";
import { workerFile } from "./worker-file.js";

export interface VerifyTask {
  readonly folder: string;
}

export type VerifyAnswer =
  | { readonly kind: "problems"; readonly problems: string[] }
  | { readonly kind: "error"; readonly error: SerializedError };

export interface VerifyCatalogOptions {
  readonly signal?: AbortSignal | undefined;
  /** What an abort interrupts, for its error. */
  readonly what: string;
  /** Catalogs up to this many bytes are verified on this thread, which is faster than starting another. */
  readonly threadFrom?: number;
}

/** Takes some 100 ms, most of them for the full-text table. */
const THREAD_FROM = 1 << 20;

/** As `Catalog.verify` for the catalog of an index folder. Errors: those of Catalog.open; ABORTED, WORKER_FAILED. */
export async function verifyCatalog(
  folder: string,
  { signal, what, threadFrom = THREAD_FROM }: VerifyCatalogOptions,
): Promise<string[]> {
  throwIfAborted(signal, what);
  if (catalogBytes(folder) > threadFrom) return await onThread({ folder }, signal, what);
  const catalog = Catalog.open(folder, { readOnly: true, allowRolledBack: true });
  try {
    return catalog.verify();
  } finally {
    catalog.close();
  }
}

async function onThread(task: VerifyTask, signal: AbortSignal | undefined, what: string): Promise<string[]> {
  const worker = new Worker(workerFile("verify-worker"), { workerData: task });
  const stop = (): void => void worker.terminate();
  signal?.addEventListener("abort", stop);
  try {
    const answer = await new Promise<VerifyAnswer>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", (error) => {
        reject(
          new MaxsimError("WORKER_FAILED", `verifying ${task.folder}: ${error.message}`, { cause: error }),
        );
      });
      worker.once("exit", () => {
        const ended = new MaxsimError("WORKER_FAILED", `the thread that verifies ${task.folder} ended early`);
        reject(signal?.aborted ? abortedError(signal, what) : ended);
      });
    });
    if (answer.kind === "error") throw deserializeError(answer.error);
    return answer.problems;
  } finally {
    signal?.removeEventListener("abort", stop);
    await worker.terminate();
  }
}
