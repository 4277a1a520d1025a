/** Files of training data: written whole under another name, then put in their place. */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { move, removeFile } from "../storage/folder-moves.js";
import { makeFolders } from "../storage/folders.js";
import { nodeFileSystem } from "../storage/node-file-system.js";
import { writeNewFile } from "../storage/stream-file.js";

export interface WrittenFile {
  /** Path below the folder of the training data, with forward slashes. */
  readonly name: string;
  /** Lines. */
  readonly rows: number;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Characters that are written at once. */
const CHUNK = 1 << 20;

/**
 * Writes the lines to `<folder>/<name>`; a file of that name is there with its old content or its new one, whenever the process ends.
 * Errors: ABORTED, IO, DISK_FULL.
 */
export async function writeTrainingFile(
  folder: string,
  name: string,
  lines: Iterable<string>,
  signal?: AbortSignal,
): Promise<WrittenFile> {
  const path = join(folder, name);
  const temporary = `${path}.partial`;
  await makeFolders(dirname(path));
  // Of a run that was killed.
  await removeFile(temporary);
  const hash = createHash("sha256");
  let rows = 0;
  let bytes = 0;
  try {
    await writeNewFile(temporary, async (sink) => {
      let chunk = "";
      const flush = async (): Promise<void> => {
        throwIfAborted(signal, "writing training data");
        const encoded = Buffer.from(chunk);
        chunk = "";
        hash.update(encoded);
        bytes += encoded.length;
        await sink(encoded);
      };
      for (const line of lines) {
        rows++;
        chunk += line;
        if (chunk.length >= CHUNK) await flush();
      }
      if (chunk !== "") await flush();
    });
  } catch (error) {
    await removeFile(temporary);
    throw error;
  }
  await move(temporary, path);
  await nodeFileSystem.syncFolder(dirname(path));
  return { name, rows, bytes, sha256: hash.digest("hex") };
}
