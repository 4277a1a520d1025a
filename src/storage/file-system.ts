/**
 * The one way to files: everything that storage writes or reads goes through `FileSystem`, so that a test can put
 * one behind it that runs full, loses what was not synced or fails at the n-th call.
 *
 * Published files are only ever unlinked, never truncated or written again: an open reader keeps what it has.
 */
import { MaxsimError } from "../common/errors.js";

/** A file that is being written. */
export interface WritableFile {
  readonly path: string;
  /** Writes some of `bytes` at `position` and returns how many, as write(2) does; use `writeAll`. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Flushes to the device. After a failure the file must be given up: a second try would report success falsely. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A regular file that is open for reading. */
export interface ReadableFile {
  readonly path: string;
  /** Length in bytes when it was opened. */
  readonly length: number;
  /** Reads some bytes at `position` into `target` and returns how many, 0 at the end; use `readAll`. */
  read(target: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Errors are MaxsimErrors that name the path: DISK_FULL, PATH_NOT_FOUND (openForReading, list) or IO. */
export interface FileSystem {
  /** Creates a file that must not exist. */
  createExclusive(path: string): Promise<WritableFile>;
  /** Opens a work file for writing again, cut to `length` bytes. Never a published file. */
  reopen(path: string, length: number): Promise<WritableFile>;
  /** Opens a regular file; a folder, FIFO or device is refused without blocking on it. */
  openForReading(path: string): Promise<ReadableFile>;
  /** Gives `temporary` its final name and takes the temporary one away; false when the final name is taken. */
  publish(temporary: string, final: string): Promise<boolean>;
  /** Makes names in the folder durable. */
  syncFolder(path: string): Promise<void>;
  /** Makes a folder whose parent exists; true when it was not there. */
  makeFolder(path: string): Promise<boolean>;
  unlink(path: string): Promise<void>;
  /** Names in the folder, sorted; empty when there is no such folder. */
  list(folder: string): Promise<string[]>;
}

/** Writes every byte at `position`, however short the single writes are. */
export async function writeAll(file: WritableFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const written = await file.write(bytes.subarray(done), position + done);
    if (written <= 0 || written > bytes.length - done) {
      throw new MaxsimError(
        "IO",
        `cannot write ${file.path}: a write of ${bytes.length - done} bytes wrote ${written}`,
      );
    }
    done += written;
  }
}

/** Fills `target` from `position`; CORRUPT when the file ends before. */
export async function readAll(file: ReadableFile, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const count = await file.read(target.subarray(done), position + done);
    if (count <= 0) {
      throw new MaxsimError(
        "CORRUPT",
        `${file.path} ends at byte ${position + done}, expected at least ${position + target.length} bytes`,
      );
    }
    done += count;
  }
}
