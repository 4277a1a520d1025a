/** A consistent copy of an index that others go on reading and writing: a folder that opens, or one tar archive. */
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { checkString, invalidArgument } from "../common/check.js";
import type { ProgressListener } from "../common/progress.js";
import { CATALOG_NAME } from "../documents/connection.js";
import { targetExists, WorkFolder } from "../documents/work-folder.js";
import type { FileSystem } from "../storage/file-system.js";
import { pathKind, withoutLinks } from "../storage/folder-moves.js";
import { removeEmptyFolders, topmostMissing } from "../storage/folders.js";
import { HISTORY_NAME } from "../storage/history-log.js";
import { nodeFileSystem } from "../storage/node-file-system.js";
import { hashFile } from "../storage/publish.js";
import { type ByteSink, streamFile, writeNewFile } from "../storage/stream-file.js";
import { TarWriter } from "../storage/tar-file.js";
import { type BackupFile, encodeManifest, MANIFEST_NAME } from "./backup-manifest.js";
import { requireSound } from "./check-copy.js";
import { copyFiles, copyGeneration, type HeldGeneration } from "./copy-index.js";
import { CopyProgress } from "./copy-progress.js";

export interface BackupOptions {
  readonly signal?: AbortSignal;
  /** Stage "copy", in bytes. */
  readonly onProgress?: ProgressListener;
  /** Default: the one of the machine. */
  readonly fileSystem?: FileSystem;
}

export interface BackupReport {
  /** Absolute path of the copy. */
  readonly target: string;
  readonly format: "folder" | "tar";
  /** The generation that the copy holds: the newest one when its catalog was copied. */
  readonly generation: number;
  readonly documents: number;
  readonly passages: number;
  readonly tokens: number;
  /** Files of the index in the copy. */
  readonly files: number;
  /** Their bytes. */
  readonly bytes: number;
}

/**
 * Copies the newest generation of the index in `folder`. A target that ends in `.tar` becomes an archive, any other one a
 * folder, which is an index of its own and opens. Everything is copied under another name first, checked against the
 * checksums of the catalog on the way, and made durable: under its final name the backup is complete or not there.
 * Errors: TARGET_EXISTS, INVALID_ARGUMENT, INDEX_NOT_FOUND, CORRUPT naming the damaged file, LOCKED (somebody makes the
 * same backup), ABORTED, DISK_FULL, IO; none of them leaves anything behind.
 */
export async function backupIndex(
  folder: string,
  target: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const source = resolve(checkString("folder", folder));
  const path = resolve(checkString("target", target));
  const format = targetFormat(path);
  const fs = options.fileSystem ?? nodeFileSystem;
  await requireOutside("target", path, source);
  await requireFree(path, format, fs);
  const progress = new CopyProgress("the backup", options.signal, options.onProgress);
  const partial = `${path}.partial`;
  const topmost = await topmostMissing(partial);
  try {
    const work = await WorkFolder.claim(partial, fs);
    try {
      return await copyGeneration(source, work, progress, fs, async (held) => {
        // A backup that cannot be restored would be found out too late.
        await requireSound(work.copy, source, progress);
        const files = await listFiles(held, work, fs);
        if (format === "tar") await writeArchive(source, path, { held, files, work, progress, fs });
        else await writeFolder(source, path, { held, work, progress, fs });
        const { generation, documents, passages, tokens } = held.snapshot;
        const bytes = files.reduce((sum, { length }) => sum + length, 0);
        return { target: path, format, generation, documents, passages, tokens, files: files.length, bytes };
      });
    } finally {
      await work.discard();
    }
  } finally {
    // After a success they are not empty.
    if (topmost !== undefined) await removeEmptyFolders(dirname(partial), topmost);
  }
}

interface CopyJob {
  readonly held: HeldGeneration;
  readonly work: WorkFolder;
  readonly progress: CopyProgress;
  readonly fs: FileSystem;
}

async function writeFolder(
  source: string,
  target: string,
  { held, work, progress, fs }: CopyJob,
): Promise<void> {
  await copyFiles(source, held, work, progress, fs);
  await work.sync();
  await work.publishCopy(target);
}

/** Everything that the copy holds, the catalog first. */
async function listFiles({ files }: HeldGeneration, work: WorkFolder, fs: FileSystem): Promise<BackupFile[]> {
  const own: BackupFile[] = [];
  for (const name of [CATALOG_NAME, HISTORY_NAME]) {
    own.push({ name, ...(await hashFile(join(work.copy, name), undefined, fs)) });
  }
  return [...own, ...files];
}

/** The files that are in the work folder already go in from there, the others straight from the index. */
async function writeArchive(
  source: string,
  target: string,
  job: CopyJob & { readonly files: readonly BackupFile[] },
): Promise<void> {
  const { held, files, work, progress, fs } = job;
  const { what, signal, add } = progress;
  const { indexId, generation } = held.snapshot;
  const inIndex = new Set(held.files.map(({ name }) => name));
  const manifest = encodeManifest({ indexId, generation, files });
  await writeNewFile(
    work.archive,
    async (sink) => {
      const tar = new TarWriter(sink);
      await tar.entry({ name: MANIFEST_NAME, size: manifest.length }, (content) => content(manifest));
      for (const file of files) {
        const fromIndex = inIndex.has(file.name);
        const path = join(fromIndex ? source : work.copy, file.name);
        const send = (content: ByteSink): Promise<void> =>
          streamFile(path, file, content, { what, signal, onBytes: fromIndex ? add : undefined }, fs);
        await tar.entry({ name: file.name, size: file.length }, send);
      }
      await tar.end();
    },
    fs,
  );
  await work.publishArchive(target);
}

function targetFormat(path: string): "folder" | "tar" {
  if (/\.tar$/i.test(path)) return "tar";
  if (/\.(tgz|zip|7z|gz|bz2|xz|zst)$/i.test(path)) {
    const hint = "Name the target .tar, and compress the archive afterwards; vectors hardly get smaller.";
    throw invalidArgument("target", "a folder, or a path that ends in .tar", path, hint);
  }
  return "folder";
}

async function requireFree(path: string, format: "folder" | "tar", fs: FileSystem): Promise<void> {
  const kind = await pathKind(path);
  if (kind === "missing") return;
  if (format === "folder" && kind === "folder" && (await fs.list(path)).length === 0) return;
  throw targetExists(path);
}

/** INVALID_ARGUMENT when `path` is the index folder or lies in it: it would be lost together with the index. */
export async function requireOutside(name: string, path: string, folder: string): Promise<void> {
  const way = relative(await withoutLinks(folder), await withoutLinks(path));
  if (/^\.\.($|[\\/])/.test(way) || isAbsolute(way)) return;
  throw invalidArgument(name, `a path outside of the index folder ${folder}`, path);
}
