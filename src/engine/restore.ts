/** Brings back an index from a backup: everything is checked beside the target before anything there changes. */
import { dirname, resolve } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { checkString } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { ProgressListener } from "../common/progress.js";
import type { Snapshot } from "../documents/records.js";
import {
  asidePath,
  finishReplacement,
  type IndexPlace,
  inspectPlace,
  interruptedReplacement,
  replaceIndex,
} from "../documents/replace-index.js";
import { targetExists, WorkFolder } from "../documents/work-folder.js";
import type { FileSystem } from "../storage/file-system.js";
import { pathKind, withoutLinks } from "../storage/folder-moves.js";
import { removeEmptyFolders, topmostMissing } from "../storage/folders.js";
import { WriterLock } from "../storage/lock.js";
import { nodeFileSystem } from "../storage/node-file-system.js";
import { requireOutside } from "./backup.js";
import { checkCopy } from "./check-copy.js";
import { copyFiles, copyGeneration } from "./copy-index.js";
import { CopyProgress } from "./copy-progress.js";
import { unpackBackup } from "./unpack-backup.js";

export interface RestoreOptions {
  /** Whether an index that is in `folder` already is replaced. Default false. */
  readonly replace?: boolean;
  readonly signal?: AbortSignal;
  /** Stages "copy" and "check", in bytes. */
  readonly onProgress?: ProgressListener;
  /** Default: the one of the machine. */
  readonly fileSystem?: FileSystem;
}

export interface RestoreReport {
  /** Absolute path of the restored index. */
  readonly folder: string;
  /** The newest generation of the backup, and of the index now. */
  readonly generation: number;
  readonly documents: number;
  readonly passages: number;
  readonly tokens: number;
  /** Whether there was an index before. */
  readonly replaced: boolean;
  /** Where a part of the replaced index lies that could not be removed; null when all of it is gone. */
  readonly leftBehind: string | null;
}

/**
 * Restores a backup, which is a folder (any index folder will do) or an archive, to `folder`. With `replace`, the writer
 * lock of the index there is held from the start; processes that have it open go on reading the old one until they open
 * it anew. A crash leaves the old index, or the new one, or in the moment between two renames the old one as
 * `<folder>.replaced`, which the next call says. Errors: PATH_NOT_FOUND, CORRUPT naming what is damaged, FORMAT_TOO_NEW,
 * INDEX_EXISTS, TARGET_EXISTS (`folder` holds something else), LOCKED, INVALID_ARGUMENT, ABORTED, DISK_FULL, IO.
 */
export async function restoreIndex(
  backup: string,
  folder: string,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const source = resolve(checkString("backup", backup));
  const kind = await pathKind(source);
  if (kind === "missing" || kind === "other") {
    const what = kind === "missing" ? `there is no backup ${source}` : `${source} is no file and no folder`;
    throw new MaxsimError("PATH_NOT_FOUND", what, { hint: "Name a folder or an archive of maxsim backup." });
  }
  const target = await withoutLinks(resolve(checkString("folder", folder)));
  const fs = options.fileSystem ?? nodeFileSystem;
  await requireOutside("backup", source, target);
  const progress = new CopyProgress("the restore", options.signal, options.onProgress);
  const beside = `${target}.restoring`;
  const topmost = await topmostMissing(beside);
  try {
    // One restore to a folder at a time, so that what looks like a crash is one.
    const work = await WorkFolder.claim(beside, fs);
    try {
      const replace = options.replace === true;
      return await restoreInto({ source, target, work, replace, progress, fs }, async () => {
        if (kind === "file") return await unpackBackup(source, work, progress, fs);
        return await copyGeneration(source, work, progress, fs, async (held) => {
          await copyFiles(source, held, work, progress, fs);
          return held.snapshot;
        });
      });
    } finally {
      await work.discard();
    }
  } finally {
    // After a success they are not empty.
    if (topmost !== undefined) await removeEmptyFolders(dirname(beside), topmost);
  }
}

interface RestoreJob {
  readonly source: string;
  readonly target: string;
  readonly work: WorkFolder;
  readonly replace: boolean;
  readonly progress: CopyProgress;
  readonly fs: FileSystem;
}

/** What the backup says it holds. */
interface Stated {
  readonly indexId: string;
  readonly generation: number;
}

/** Fills the work folder with `fill`, checks what it holds, and puts it in place. */
async function restoreInto(
  { source, target, work, replace, progress, fs }: RestoreJob,
  fill: () => Promise<Stated>,
): Promise<RestoreReport> {
  const place = await inspectPlace(target, fs);
  await requireReplaceable(target, place, replace);
  const inPlace = place.holds === "index";
  // What was put aside may belong to a restore that is at work just now: it holds the lock there.
  const lock =
    inPlace || place.interrupted ? WriterLock.acquire(inPlace ? target : asidePath(target)) : undefined;
  try {
    const stated = await fill();
    const snapshot = await checkCopy(work.copy, source, progress);
    requireStated(source, stated, snapshot);
    await work.sync();
    throwIfAborted(progress.signal, progress.what);
    if (inPlace) {
      if (place.interrupted) await finishReplacement(target, fs);
      await replaceIndex(target, work, fs);
    } else {
      await work.publishCopy(target);
    }
    const replaced = inPlace || place.interrupted;
    const leftBehind = replaced ? await finishReplacement(target, fs) : undefined;
    const { generation, documents, passages, tokens } = snapshot;
    return {
      folder: target,
      generation,
      documents,
      passages,
      tokens,
      replaced,
      leftBehind: leftBehind ?? null,
    };
  } finally {
    lock?.release();
  }
}

/** Errors: INDEX_EXISTS, TARGET_EXISTS. */
async function requireReplaceable(target: string, place: IndexPlace, replace: boolean): Promise<void> {
  if (place.holds === "other") throw targetExists(target);
  if (replace) return;
  if (place.holds === "index") {
    throw new MaxsimError("INDEX_EXISTS", `there is an index in ${target} already`, {
      hint: "Restore to another folder, or replace it: replace: true, on the command line --replace.",
    });
  }
  const interrupted = await interruptedReplacement(target);
  if (interrupted !== undefined) throw new MaxsimError("INDEX_EXISTS", interrupted);
}

function requireStated(source: string, stated: Stated, found: Snapshot): void {
  if (stated.indexId === found.indexId && stated.generation === found.generation) return;
  throw new MaxsimError(
    "CORRUPT",
    `the catalog in ${source} holds generation ${found.generation} of the index ${found.indexId}, expected ` +
      `${stated.generation} of ${stated.indexId}`,
    { hint: "Use another backup." },
  );
}
