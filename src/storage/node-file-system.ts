/** The real file system behind `FileSystem`. */
import { closeSync, constants, fsyncSync, openSync } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";
import type { FileSystem, ReadableFile, WritableFile } from "./file-system.js";

/** One call reads or writes at most this many bytes; the kernel's own limit is just below 2 GiB. */
const MAX_CALL_BYTES = 1 << 30;

/** File systems without hard links (exFAT, some network and FUSE mounts) answer one of these to link(2). */
const NO_LINK_CODES = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"]);

class NodeWritableFile implements WritableFile {
  constructor(
    readonly path: string,
    private readonly handle: FileHandle,
  ) {}

  async write(bytes: Uint8Array, position: number): Promise<number> {
    try {
      const length = Math.min(bytes.length, MAX_CALL_BYTES);
      return (await this.handle.write(bytes, 0, length, position)).bytesWritten;
    } catch (error) {
      throw ioError("write", this.path, error);
    }
  }

  async sync(): Promise<void> {
    try {
      await this.handle.sync();
    } catch (error) {
      throw ioError("sync", this.path, error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.handle.close();
    } catch (error) {
      throw ioError("close", this.path, error);
    }
  }
}

class NodeReadableFile implements ReadableFile {
  constructor(
    readonly path: string,
    readonly length: number,
    private readonly handle: FileHandle,
  ) {}

  async read(target: Uint8Array, position: number): Promise<number> {
    try {
      const length = Math.min(target.length, MAX_CALL_BYTES);
      return (await this.handle.read(target, 0, length, position)).bytesRead;
    } catch (error) {
      throw ioError("read", this.path, error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.handle.close();
    } catch (error) {
      throw ioError("close", this.path, error);
    }
  }
}

async function reopen(path: string, length: number): Promise<WritableFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_WRONLY | (constants.O_NONBLOCK ?? 0));
    await handle.truncate(length);
    return new NodeWritableFile(path, handle);
  } catch (error) {
    await handle?.close();
    throw ioError("write", path, error);
  }
}

async function openForReading(path: string): Promise<ReadableFile> {
  let handle: FileHandle;
  try {
    // O_NONBLOCK: opening a FIFO would otherwise wait for somebody to write into it.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (systemCode(error) === "ENOENT") {
      throw new MaxsimError("PATH_NOT_FOUND", `there is no file ${path}`, { cause: error });
    }
    throw ioError("open", path, error);
  }
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new MaxsimError("IO", `cannot read ${path}: it is not a regular file`);
    return new NodeReadableFile(path, found.size, handle);
  } catch (error) {
    await handle.close();
    throw ioError("read", path, error);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw ioError("look at", path, error);
  }
}

async function publish(temporary: string, final: string): Promise<boolean> {
  try {
    // link() refuses an existing name in one step, which rename() does not.
    await link(temporary, final);
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST") return false;
    if (code === undefined || !NO_LINK_CODES.has(code)) throw ioError("publish", final, error);
    // The writer lock keeps other writers away, so nobody can take the name between the two calls.
    if (await exists(final)) return false;
    try {
      await rename(temporary, final);
      return true;
    } catch (renameError) {
      throw ioError("publish", final, renameError);
    }
  }
  try {
    await unlink(temporary);
  } catch (error) {
    throw ioError("remove", temporary, error);
  }
  return true;
}

/** Makes the names in a folder durable, for code that cannot wait. Windows has no such call and needs none. */
export function syncFolderSync(path: string): void {
  if (process.platform === "win32") return;
  try {
    const descriptor = openSync(path, constants.O_RDONLY);
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw ioError("sync", path, error);
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  try {
    const handle = await open(path, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw ioError("sync", path, error);
  }
}

/** The file system of the machine. */
export const nodeFileSystem: FileSystem = {
  async createExclusive(path) {
    try {
      return new NodeWritableFile(path, await open(path, "wx"));
    } catch (error) {
      throw ioError("create", path, error);
    }
  },
  reopen,
  openForReading,
  publish,
  syncFolder,
  async makeFolder(path) {
    try {
      await mkdir(path);
      return true;
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw ioError("make the folder", path, error);
      return false;
    }
  },
  async unlink(path) {
    try {
      await unlink(path);
    } catch (error) {
      throw ioError("remove", path, error);
    }
  },
  async list(folder) {
    try {
      return (await readdir(folder)).sort();
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      throw ioError("list", folder, error);
    }
  },
};
