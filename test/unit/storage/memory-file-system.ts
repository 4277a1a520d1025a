/** A file system in memory whose n-th call can fail and whose reads and writes can be short. */
import { MaxsimError } from "../../../src/common/errors.js";
import type { FileSystem, ReadableFile, WritableFile } from "../../../src/storage/file-system.js";

export interface Faults {
  /** Number of the call that fails, counting from 1. */
  failAt?: number;
  /** Whether all later calls fail as well. */
  failOnwards?: boolean;
  /** The most bytes that one read or write moves. */
  maxBytes?: number;
  /** Flips a bit of what the n-th write stores, unnoticed by the writer. */
  lieAt?: number;
}

export class MemoryFileSystem implements FileSystem {
  readonly files = new Map<string, Buffer>();
  readonly log: string[] = [];
  calls = 0;
  openHandles = 0;

  constructor(readonly faults: Faults = {}) {}

  private step(what: string, path: string): void {
    this.calls++;
    this.log.push(`${what} ${path}`);
    const { failAt, failOnwards } = this.faults;
    if (failAt !== undefined && (this.calls === failAt || (failOnwards === true && this.calls > failAt))) {
      throw new MaxsimError("DISK_FULL", `no space left to ${what} ${path}`);
    }
  }

  async createExclusive(path: string): Promise<WritableFile> {
    this.step("create", path);
    if (this.files.has(path)) throw new MaxsimError("IO", `${path} exists`);
    this.files.set(path, Buffer.alloc(0));
    return this.writable(path);
  }

  async reopen(path: string, length: number): Promise<WritableFile> {
    this.step("reopen", path);
    const file = this.files.get(path);
    if (file === undefined) throw new MaxsimError("IO", `there is no ${path}`);
    this.files.set(path, file.subarray(0, length));
    return this.writable(path);
  }

  private writable(path: string): WritableFile {
    this.openHandles++;
    return {
      path,
      write: async (bytes, position) => {
        this.step("write", path);
        const count = Math.min(bytes.length, this.faults.maxBytes ?? bytes.length);
        const old = this.files.get(path)!;
        const file = Buffer.alloc(Math.max(old.length, position + count));
        old.copy(file);
        file.set(bytes.subarray(0, count), position);
        if (this.calls === this.faults.lieAt) file[position] = file[position]! ^ 1;
        this.files.set(path, file);
        return count;
      },
      sync: async () => this.step("sync", path),
      close: async () => {
        this.openHandles--;
        this.step("close", path);
      },
    };
  }

  async openForReading(path: string): Promise<ReadableFile> {
    this.step("open", path);
    const opened = this.files.get(path);
    if (opened === undefined) throw new MaxsimError("PATH_NOT_FOUND", `there is no file ${path}`);
    this.openHandles++;
    return {
      path,
      length: opened.length,
      read: async (target, position) => {
        const file = this.files.get(path) ?? opened;
        const count = Math.min(target.length, this.faults.maxBytes ?? target.length, file.length - position);
        target.set(file.subarray(position, position + count));
        return Math.max(0, count);
      },
      close: async () => {
        this.openHandles--;
      },
    };
  }

  async publish(temporary: string, final: string): Promise<boolean> {
    this.step("publish", final);
    if (this.files.has(final)) return false;
    this.files.set(final, this.files.get(temporary)!);
    this.files.delete(temporary);
    return true;
  }

  async syncFolder(path: string): Promise<void> {
    this.step("syncFolder", path);
  }

  async makeFolder(path: string): Promise<boolean> {
    this.step("makeFolder", path);
    return true;
  }

  async unlink(path: string): Promise<void> {
    this.step("unlink", path);
    if (!this.files.delete(path)) throw new MaxsimError("IO", `there is no ${path}`);
  }

  async list(folder: string): Promise<string[]> {
    return [...this.files.keys()]
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder.length + 1))
      .filter((name) => !name.includes("/"))
      .sort();
  }
}
