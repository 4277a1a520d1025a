/** Unpacks a backup archive into a work folder. Nothing in it becomes a path before it is known to be a name of ours. */
import { dirname, join } from "node:path";
import { MaxsimError } from "../common/errors.js";
import type { WorkFolder } from "../documents/work-folder.js";
import type { FileSystem, ReadableFile } from "../storage/file-system.js";
import { requireSame, writeNewFile } from "../storage/stream-file.js";
import { TarReader } from "../storage/tar-file.js";
import type { TarHeader } from "../storage/tar-format.js";
import { type BackupManifest, decodeManifest, MANIFEST_NAME, MAX_MANIFEST_BYTES } from "./backup-manifest.js";
import type { CopyProgress } from "./copy-progress.js";

/**
 * Unpacks `archive` into `work.copy`: the files that its manifest states, in that order, nothing else. Every byte is
 * compared with a checksum. Errors: CORRUPT naming the archive, the byte and the entry; FORMAT_TOO_NEW; ABORTED; DISK_FULL;
 * IO.
 */
export async function unpackBackup(
  archive: string,
  work: WorkFolder,
  progress: CopyProgress,
  fs: FileSystem,
): Promise<BackupManifest> {
  const file = await fs.openForReading(archive);
  try {
    return await unpack(file, work, progress, fs);
  } finally {
    await file.close();
  }
}

async function unpack(
  file: ReadableFile,
  work: WorkFolder,
  progress: CopyProgress,
  fs: FileSystem,
): Promise<BackupManifest> {
  const reader = new TarReader(file);
  const { what, signal } = progress;
  const manifest = await readManifest(file, reader, progress);
  progress.start(manifest.files.reduce((sum, { length }) => sum + length, 0));
  for (const expected of manifest.files) {
    const header = await reader.next();
    if (header?.name !== expected.name) throw otherEntry(file.path, expected.name, header);
    const inside = `${expected.name} in ${file.path}`;
    requireSame(inside, "bytes", expected.length, header.size);
    const path = join(work.copy, expected.name);
    await fs.makeFolder(dirname(path));
    const sha256 = await writeNewFile(
      path,
      (sink) => reader.content(header, sink, { what, signal, onBytes: progress.add }),
      fs,
    );
    requireSame(inside, "as its SHA-256", expected.sha256, sha256);
  }
  const more = await reader.next();
  if (more !== undefined) throw otherEntry(file.path, undefined, more);
  return manifest;
}

async function readManifest(
  { path, length }: ReadableFile,
  reader: TarReader,
  { what, signal }: CopyProgress,
): Promise<BackupManifest> {
  if (length === 0) throw notOurs(path, "it is empty");
  const header = await reader.next();
  if (header?.name !== MANIFEST_NAME) {
    throw notOurs(
      path,
      `its first entry is ${header === undefined ? "missing" : JSON.stringify(header.name)}`,
    );
  }
  if (header.size > MAX_MANIFEST_BYTES) throw notOurs(path, `its ${MANIFEST_NAME} has ${header.size} bytes`);
  const pieces: Buffer[] = [];
  await reader.content(
    header,
    async (bytes) => {
      pieces.push(Buffer.from(bytes));
    },
    { what, signal },
  );
  return decodeManifest(path, Buffer.concat(pieces));
}

function otherEntry(path: string, expected: string | undefined, found: TarHeader | undefined): MaxsimError {
  const entry = found === undefined ? "its end" : JSON.stringify(found.name);
  return new MaxsimError(
    "CORRUPT",
    `${path} is damaged: expected ${expected === undefined ? "its end" : expected}, found ${entry}`,
    {
      hint: "Use another backup; an archive that was packed anew is restored by unpacking it and naming the folder.",
    },
  );
}

function notOurs(path: string, why: string): MaxsimError {
  return new MaxsimError("CORRUPT", `${path} is no archive that maxsim backup wrote: ${why}`, {
    hint: "Name a backup; if this is an index packed in another way, unpack it and name the folder.",
  });
}
