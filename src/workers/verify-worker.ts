/** Entry of a thread that verifies one catalog and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { serializeError } from "../common/errors.js";
import { Catalog } from "../documents/catalog.js";
import type { VerifyAnswer, VerifyTask } from "./verify-catalog.js";

function verify({ folder }: VerifyTask): VerifyAnswer {
  try {
    const catalog = Catalog.open(folder, { readOnly: true, allowRolledBack: true });
    try {
      return { kind: "problems", problems: catalog.verify() };
    } finally {
      catalog.close();
    }
  } catch (error) {
    return { kind: "error", error: serializeError(error) };
  }
}

parentPort?.postMessage(verify(workerData as VerifyTask));
