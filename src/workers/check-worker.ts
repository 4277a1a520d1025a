/** Entry of a thread that checks one index and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { serializeError } from "../common/errors.js";
import { checkIndex } from "./check-index.js";
import type { CheckMessage, CheckTask } from "./index-findings.js";

const post = (message: CheckMessage): void => parentPort?.postMessage(message);

try {
  const findings = await checkIndex(workerData as CheckTask, {
    onProgress: (event) => post({ kind: "progress", event }),
  });
  post({ kind: "findings", findings });
} catch (error) {
  post({ kind: "error", error: serializeError(error) });
}
