/**
 * Records of bytes that do not fit memory: appended once, read back by number, gone with the operation that made
 * them. Not durable and not checksummed: a spill never outlives its process.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { MaxsimError } from "../common/errors.js";
import { temporaryBaseName } from "./file-names.js";
import { type FileSystem, type ReadableFile, readAll, type WritableFile, writeAll } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";

const CHUNK_BYTES = 1 << 20;

export class SpillFile {
  /** Byte offset of each record, and of the end. */
  private readonly offsets: number[] = [0];
  private readonly chunk = Buffer.alloc(CHUNK_BYTES);
  private fill = 0;
  private flushed = 0;
  private reader: ReadableFile | undefined;

  private constructor(
    private readonly fs: FileSystem,
    private readonly file: WritableFile,
  ) {}

  /** Creates a temporary file in `folder`. */
  static async create(folder: string, fs: FileSystem = nodeFileSystem): Promise<SpillFile> {
    const path = join(folder, temporaryBaseName(randomBytes(16).toString("hex")));
    return new SpillFile(fs, await fs.createExclusive(path));
  }

  /** Records so far. */
  get records(): number {
    return this.offsets.length - 1;
  }

  /** Appends the parts as one record and returns its number. */
  async append(...parts: readonly Uint8Array[]): Promise<number> {
    let end = this.offsets.at(-1)!;
    for (const part of parts) {
      await this.write(part);
      end += part.length;
    }
    return this.offsets.push(end) - 2;
  }

  private async write(bytes: Uint8Array): Promise<void> {
    if (this.fill + bytes.length > CHUNK_BYTES) await this.flush();
    if (bytes.length > CHUNK_BYTES) {
      await writeAll(this.file, bytes, this.flushed);
      this.flushed += bytes.length;
      return;
    }
    this.chunk.set(bytes, this.fill);
    this.fill += bytes.length;
  }

  private async flush(): Promise<void> {
    if (this.fill === 0) return;
    await writeAll(this.file, this.chunk.subarray(0, this.fill), this.flushed);
    this.flushed += this.fill;
    this.fill = 0;
  }

  /** Ends appending; from here on records are read, in any order and at the same time. */
  async finish(): Promise<void> {
    await this.flush();
    this.reader = await this.fs.openForReading(this.file.path);
  }

  /** Bytes of record `n`, in memory of their own that is aligned for any typed array. Only after `finish`. */
  async read(n: number): Promise<ArrayBuffer> {
    const start = this.offsets[n];
    const end = this.offsets[n + 1];
    if (start === undefined || end === undefined || this.reader === undefined) {
      throw new MaxsimError(
        "INTERNAL",
        `record ${n} of a spill of ${this.records}, ${this.reader === undefined ? "not yet " : ""}finished`,
      );
    }
    const bytes = new Uint8Array(end - start);
    await readAll(this.reader, bytes, start);
    return bytes.buffer;
  }

  /** Closes and deletes the file. */
  async remove(): Promise<void> {
    await this.reader?.close();
    await this.file.close();
    await this.fs.unlink(this.file.path);
  }
}
