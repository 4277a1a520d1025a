/** Copies one generation of an index that others read and write, file by file, into a work folder. */
import { dirname, join } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { Catalog } from "../documents/catalog.js";
import { catalogBytes, copyCatalog } from "../documents/copy-catalog.js";
import type { Snapshot } from "../documents/records.js";
import { type NamedFile, snapshotFiles } from "../documents/snapshot-files.js";
import type { WorkFolder } from "../documents/work-folder.js";
import type { FileSystem } from "../storage/file-system.js";
import { HISTORY_NAME, historyText, readHistory } from "../storage/history-log.js";
import { SnapshotLock } from "../storage/snapshot-lock.js";
import { streamFile, writeNewFile } from "../storage/stream-file.js";
import type { CopyProgress } from "./copy-progress.js";

/** What is copied: catalog and history lie in the work folder, the files still in the index, protected from removal. */
export interface HeldGeneration {
  readonly snapshot: Snapshot;
  readonly files: readonly NamedFile[];
}

/** An index that commits faster than a catalog of this size can be copied, again and again, is not expected. */
const MAX_ATTEMPTS = 5;

/**
 * Copies catalog and history of `folder` into `work.copy`, then calls `use` while what the copy names is protected from
 * removal. A file that a writer removed before it could be protected makes it begin again with a newer generation; `work`
 * is empty then. Errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW, CORRUPT naming the file, ABORTED, DISK_FULL, IO.
 */
export async function copyGeneration<T>(
  folder: string,
  work: WorkFolder,
  progress: CopyProgress,
  fs: FileSystem,
  use: (held: HeldGeneration) => Promise<T>,
): Promise<T> {
  const catalog = Catalog.open(folder, { readOnly: true });
  try {
    for (let attempt = 1; ; attempt++) {
      const newest = catalog.snapshot();
      const first = SnapshotLock.hold(folder, newest.generation);
      let second: SnapshotLock | undefined;
      let copied = newest.generation;
      try {
        progress.start(catalogBytes(folder) + sizeOf(snapshotFiles(newest)));
        const snapshot = await catalogInto(folder, work, progress);
        copied = snapshot.generation;
        // Commits went on while the catalog was copied: from here on its own generation is held.
        if (copied !== first.generation) second = SnapshotLock.hold(folder, copied);
        await copyHistory(folder, work, copied, fs);
        return await use({ snapshot, files: snapshotFiles(snapshot) });
      } catch (error) {
        if (!isMaxsimError(error) || error.code !== "PATH_NOT_FOUND") throw error;
        const advanced = catalog.snapshot().generation > copied;
        if (!advanced || attempt === MAX_ATTEMPTS) throw missingFile(error);
        await work.clear();
      } finally {
        second?.release();
        first.release();
      }
    }
  } finally {
    catalog.close();
  }
}

/** The generation of the copied catalog. */
async function catalogInto(folder: string, work: WorkFolder, progress: CopyProgress): Promise<Snapshot> {
  const { signal, what } = progress;
  await copyCatalog(folder, work.copy, { signal, what, onBytes: (done) => progress.at(done) });
  throwIfAborted(signal, what);
  const copy = Catalog.open(work.copy, { readOnly: false });
  try {
    return copy.snapshot();
  } finally {
    copy.close();
  }
}

/** The log may have got lines since, and its newest one may not be whole yet. */
async function copyHistory(folder: string, work: WorkFolder, newest: number, fs: FileSystem): Promise<void> {
  const text = [...readHistory(folder, "all")]
    .filter(([generation]) => generation <= newest)
    .map(([generation, time]) => historyText({ generation, time }))
    .join("");
  await writeNewFile(join(work.copy, HISTORY_NAME), (sink) => sink(Buffer.from(text)), fs);
}

/** Copies the files that `held` names into `work.copy`, each checked on the way. */
export async function copyFiles(
  folder: string,
  { files }: HeldGeneration,
  work: WorkFolder,
  { what, signal, add }: CopyProgress,
  fs: FileSystem,
): Promise<void> {
  for (const file of files) {
    const path = join(work.copy, file.name);
    await fs.makeFolder(dirname(path));
    await writeNewFile(
      path,
      (sink) => streamFile(join(folder, file.name), file, sink, { what, signal, onBytes: add }, fs),
      fs,
    );
  }
}

function missingFile(error: MaxsimError): MaxsimError {
  return new MaxsimError("CORRUPT", `the index lacks a file that its catalog names: ${error.message}`, {
    hint: "Restore the index from another backup, or build it again.",
    cause: error,
  });
}

function sizeOf(files: readonly NamedFile[]): number {
  return files.reduce((sum, { length }) => sum + length, 0);
}
