/** Hashing of whole files, and the step that gives a finished file its final name. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { MaxsimError } from "../common/errors.js";
import { type FileSystem, readAll } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";
import { BLOCK_BYTES } from "./section-format.js";

export interface FileHash {
  /** Bytes. */
  readonly length: number;
  readonly crc32: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

const CHUNK_BYTES = 16 * BLOCK_BYTES;

/**
 * CRC-32 and SHA-256 of a whole file, read in chunks of 1 MiB.
 * @param onBlock receives each block of 64 KiB in order; the last one may be shorter.
 */
export async function hashFile(
  path: string,
  onBlock: (block: Uint8Array, index: number) => void = () => {},
  fs: FileSystem = nodeFileSystem,
): Promise<FileHash> {
  const file = await fs.openForReading(path);
  try {
    const hash = createHash("sha256");
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, file.length));
    let crc = 0;
    for (let position = 0; position < file.length; position += CHUNK_BYTES) {
      const bytes = chunk.subarray(0, Math.min(CHUNK_BYTES, file.length - position));
      await readAll(file, bytes, position);
      hash.update(bytes);
      crc = crc32(bytes, crc);
      for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
        onBlock(bytes.subarray(at, at + BLOCK_BYTES), (position + at) / BLOCK_BYTES);
      }
    }
    return { length: file.length, crc32: crc, sha256: hash.digest("hex") };
  } finally {
    await file.close();
  }
}

/**
 * Gives a synced file its final name; the temporary one is gone then, and the folder is to be synced. The name is made from the content, so a file that
 * has it already must be the same (a build that was cut short before its commit leaves one): it is kept.
 */
export async function publishFile(
  fs: FileSystem,
  temporary: string,
  final: string,
  sha256: string,
): Promise<void> {
  if (!(await fs.publish(temporary, final))) {
    const found = await hashFile(final, undefined, fs);
    if (found.sha256 !== sha256) {
      throw new MaxsimError("CORRUPT", `${final} exists with other content than its name stands for`, {
        hint: "Move that file away and run the same command again.",
      });
    }
    await fs.unlink(temporary);
  }
}
