/** Files that pass through memory in pieces: hashed on the way, and refused when they are not what was expected. */
import { createHash } from "node:crypto";
import { throwIfAborted } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import { type FileSystem, type ReadableFile, readAll, writeAll } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";

/** Takes the next bytes; they may be overwritten once it resolves. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>;

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined;
  /** What an abort interrupts, for its error. */
  readonly what: string;
  /** Called with the number of bytes of each piece. */
  readonly onBytes?: ((count: number) => void) | undefined;
}

const PIECE_BYTES = 1 << 20;

/** Sends bytes `offset` .. `offset + length - 1` of an open file to `sink`; returns their SHA-256, hexadecimal. */
export async function streamRange(
  file: ReadableFile,
  offset: number,
  length: number,
  sink: ByteSink,
  { signal, what, onBytes }: StreamOptions,
): Promise<string> {
  const hash = createHash("sha256");
  const piece = Buffer.alloc(Math.min(PIECE_BYTES, length));
  for (let done = 0; done < length; done += piece.length) {
    throwIfAborted(signal, what);
    const bytes = piece.subarray(0, Math.min(piece.length, length - done));
    await readAll(file, bytes, offset + done);
    hash.update(bytes);
    await sink(bytes);
    onBytes?.(bytes.length);
  }
  return hash.digest("hex");
}

/**
 * Sends a whole file to `sink`. Errors: CORRUPT when it has another length or SHA-256 than `expected`; PATH_NOT_FOUND; IO;
 * ABORTED.
 */
export async function streamFile(
  path: string,
  expected: { readonly length: number; readonly sha256: string },
  sink: ByteSink,
  options: StreamOptions,
  fs: FileSystem = nodeFileSystem,
): Promise<void> {
  const file = await fs.openForReading(path);
  try {
    requireSame(path, "bytes", expected.length, file.length);
    const sha256 = await streamRange(file, 0, file.length, sink, options);
    requireSame(path, "as its SHA-256", expected.sha256, sha256);
  } finally {
    await file.close();
  }
}

/** Errors: CORRUPT naming the file, what was expected and what was found. */
export function requireSame(
  path: string,
  what: string,
  expected: number | string,
  found: number | string,
): void {
  if (expected === found) return;
  throw new MaxsimError("CORRUPT", `${path} is damaged: it has ${found} ${what}, expected ${expected}`, {
    hint: "Restore the index from another copy, or build it again.",
  });
}

/** Makes a file that must not exist, lets `write` fill it from its start to its end, and makes its bytes durable. */
export async function writeNewFile<T>(
  path: string,
  write: (sink: ByteSink) => Promise<T>,
  fs: FileSystem = nodeFileSystem,
): Promise<T> {
  const file = await fs.createExclusive(path);
  try {
    let position = 0;
    const result = await write(async (bytes) => {
      await writeAll(file, bytes, position);
      position += bytes.length;
    });
    await file.sync();
    return result;
  } finally {
    await file.close();
  }
}
