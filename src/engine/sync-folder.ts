/** A sync of an index that is not open otherwise: its files are read only when there is something to encode. */
import { resolve } from "node:path";
import { checkInteger, checkString } from "../common/check.js";
import { silentLogger } from "../common/logger.js";
import { Catalog } from "../documents/catalog.js";
import type { IndexSettings } from "../documents/records.js";
import { selectKernels } from "../kernels/select.js";
import { ModelHandle } from "./model-handle.js";
import type { OpenOptions } from "./options.js";
import { syncIndex } from "./sync.js";
import type { SyncOptions, SyncReport } from "./sync-report.js";

export interface SyncFolderOptions extends SyncOptions, Pick<OpenOptions, "model" | "threads" | "logger"> {}

/** As `Index.sync`, of the index in `folder`. Further errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW, CORRUPT. */
export async function syncFolder(
  folder: string,
  paths: readonly string[] | undefined,
  options: SyncFolderOptions = {},
): Promise<SyncReport> {
  const { model: wanted, threads, logger = silentLogger, ...rest } = options;
  if (threads !== undefined) checkInteger("threads", threads, 1, 256);
  const path = resolve(checkString("folder", folder));
  const { backend, mapper } = selectKernels();
  const model = new ModelHandle({ recorded: recordedModel(path), wanted, threads, logger });
  try {
    return await syncIndex(
      { folder: path, loaded: null, logger, kernels: backend, mapper },
      model,
      paths,
      rest,
    );
  } finally {
    await model.close();
  }
}

function recordedModel(folder: string): IndexSettings["model"] {
  const catalog = Catalog.open(folder, { readOnly: true });
  try {
    return catalog.snapshot().settings.model;
  } finally {
    catalog.close();
  }
}
