/**
 * Writes a section file in one pass with bounded memory. The first block, which holds the header, stays in memory
 * and is written last, so a file that was cut short has no valid head.
 */
import { createHash, type Hash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { MaxsimError } from "../common/errors.js";
import {
  FILE_FOLDERS,
  FILE_TYPES,
  type FileType,
  isFileId,
  publishedName,
  temporaryBaseName,
} from "./file-names.js";
import { type FileSystem, type WritableFile, writeAll } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";
import { hashFile, publishFile } from "./publish.js";
import {
  alignUp,
  BLOCK_BYTES,
  blockCount,
  type ElementSize,
  encodeFooter,
  encodeHead,
  FOOTER_BYTES,
  FORMAT_VERSION,
  HEAD_BYTES,
  isTag,
  MAX_SECTIONS,
  requireLittleEndian,
  type SectionEntry,
} from "./section-format.js";

/** What the catalog records of a published file. */
export interface FileSummary {
  /** Path relative to the index folder, such as `segments/<file id>.segment`. */
  readonly name: string;
  /** Bytes. */
  readonly length: number;
  /** CRC-32 of the whole file. */
  readonly crc32: number;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly sha256: string;
  /** 32 hexadecimal digits, made from the content. */
  readonly fileId: string;
}

export interface SectionFileOptions {
  readonly type: FileType;
  /** 32 hexadecimal digits. */
  readonly indexId: string;
  readonly fileSystem?: FileSystem;
}

const CHUNK_BYTES = 16 * BLOCK_BYTES;

/**
 * Usage: `create`, then for each section `section` and any number of awaited `append`s, then `finish`. When any of
 * them throws, call `abort` and start again with a new writer: a failed write or fsync is never tried twice.
 */
export class SectionFileWriter {
  private readonly sections: SectionEntry[] = [];
  private readonly crcs: number[] = [];
  private readonly content: Hash;
  private readonly chunk = Buffer.alloc(CHUNK_BYTES);
  /** The first block, kept back; undefined until the first chunk is full. */
  private head: Buffer | undefined;
  /** File offset of the chunk's first byte. */
  private base = 0;
  private fill = HEAD_BYTES;
  private state: "open" | "busy" | "failed" | "closed" = "open";
  /** True once the file handle is closed. */
  private closed = false;
  /** True once the temporary name is gone. A file whose name did not become durable is garbage for the next writer. */
  private published = false;

  private constructor(
    private readonly indexFolder: string,
    private readonly type: FileType,
    private readonly indexId: string,
    private readonly fs: FileSystem,
    private readonly file: WritableFile,
  ) {
    const start = Buffer.alloc(20);
    start.writeUInt32LE(FILE_TYPES[type], 0);
    start.write(indexId, 4, 16, "hex");
    this.content = createHash("sha256").update(start);
  }

  /** Opens a temporary file in the folder of this file type inside the index folder. */
  static async create(indexFolder: string, options: SectionFileOptions): Promise<SectionFileWriter> {
    requireLittleEndian();
    const fs = options.fileSystem ?? nodeFileSystem;
    if (!isFileId(options.indexId)) {
      throw new MaxsimError("INTERNAL", `an index id is 32 hexadecimal digits, found ${options.indexId}`);
    }
    const folder = join(indexFolder, FILE_FOLDERS[options.type]);
    if (await fs.makeFolder(folder)) await fs.syncFolder(indexFolder);
    const file = await fs.createExclusive(join(folder, temporaryBaseName(randomBytes(16).toString("hex"))));
    return new SectionFileWriter(indexFolder, options.type, options.indexId, fs, file);
  }

  private get path(): string {
    return this.file.path;
  }

  /** Starts the next section; the one before it is complete. Tags are unique, 1 to 8 of a-z and 0-9. */
  section(tag: string, elementSize: ElementSize): void {
    this.requireOpen();
    if (!isTag(tag)) throw new MaxsimError("INTERNAL", `${JSON.stringify(tag)} is not a section tag`);
    if (this.sections.some((section) => section.tag === tag)) {
      throw new MaxsimError("INTERNAL", `section ${tag} is written twice`);
    }
    if (this.sections.length === MAX_SECTIONS) {
      throw new MaxsimError("INTERNAL", `a file has at most ${MAX_SECTIONS} sections`);
    }
    this.endSection();
    const start = Buffer.alloc(12);
    start.write(tag, 0, "ascii");
    start.writeUInt32LE(elementSize, 8);
    this.content.update(start);
    this.sections.push({ tag, elementSize, offset: this.base + this.fill, byteLength: 0 });
  }

  /** Adds the bytes of whole elements to the section; the caller may reuse the memory once this resolves. */
  async append(data: NodeJS.ArrayBufferView): Promise<void> {
    this.requireOpen();
    const section = this.sections.at(-1);
    if (section === undefined) throw new MaxsimError("INTERNAL", "append before the first section");
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (bytes.length % section.elementSize !== 0) {
      throw new MaxsimError(
        "INTERNAL",
        `section ${section.tag} has elements of ${section.elementSize} bytes, got ${bytes.length} bytes`,
      );
    }
    this.sections[this.sections.length - 1] = { ...section, byteLength: section.byteLength + bytes.length };
    await this.guarded(async () => {
      this.content.update(bytes);
      for (let done = 0; done < bytes.length; ) {
        const count = Math.min(bytes.length - done, CHUNK_BYTES - this.fill);
        this.chunk.set(bytes.subarray(done, done + count), this.fill);
        this.fill += count;
        done += count;
        if (this.fill === CHUNK_BYTES) await this.flushChunk();
      }
    }, "open");
  }

  /**
   * Completes the file, makes it durable and gives it its final name. The file is read back and compared block by
   * block. When a file of the same content is there already, that one is kept.
   */
  async finish(): Promise<FileSummary> {
    return await this.guarded(async () => {
      this.endSection();
      const fileId = this.content.digest("hex").slice(0, 32);
      const bodyLength = this.base + this.fill;
      const length = bodyLength + 4 * blockCount(bodyLength) + FOOTER_BYTES;
      await this.flushChunk();
      await this.writeEnds(fileId, bodyLength, length);
      await this.file.sync();
      this.closed = true;
      await this.file.close();

      const found = await hashFile(
        this.path,
        (block, index) => this.compareBlock(block, index, bodyLength),
        this.fs,
      );
      if (found.length !== length) {
        throw new MaxsimError("IO", `${this.path} has ${found.length} bytes after writing ${length}`);
      }
      const name = publishedName(this.type, fileId);
      await publishFile(this.fs, this.path, join(this.indexFolder, name), found.sha256);
      this.published = true;
      await this.fs.syncFolder(join(this.indexFolder, FILE_FOLDERS[this.type]));
      return { name, fileId, ...found };
    }, "closed");
  }

  /** Gives the file up and removes it. Does nothing after `finish` or a second time. */
  async abort(): Promise<void> {
    if (this.state === "closed") return;
    this.state = "closed";
    if (!this.closed) await this.file.close();
    if (!this.published) await this.fs.unlink(this.path);
  }

  /** Writes CRC table and footer, then the first block with the header. */
  private async writeEnds(fileId: string, bodyLength: number, fileLength: number): Promise<void> {
    const head = this.head!;
    const header = {
      version: FORMAT_VERSION,
      type: FILE_TYPES[this.type],
      fileLength,
      indexId: this.indexId,
      fileId,
      sectionCount: this.sections.length,
    };
    encodeHead(head, header, this.sections);
    this.crcs[0] = crc32(head);
    const table = Buffer.alloc(4 * this.crcs.length);
    this.crcs.forEach((crc, i) => {
      table.writeUInt32LE(crc, 4 * i);
    });
    const footer = encodeFooter({ bodyLength, tableCrc: crc32(table) });
    await writeAll(this.file, Buffer.concat([table, footer]), bodyLength);
    await writeAll(this.file, head, 0);
  }

  /** Pads the section with zeros to the next multiple of 64 and closes its part of the content hash. */
  private endSection(): void {
    const section = this.sections.at(-1);
    if (section === undefined) return;
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(section.byteLength));
    this.content.update(length);
    // The chunk is a multiple of 64, so the padding fits.
    const end = alignUp(this.fill);
    this.chunk.fill(0, this.fill, end);
    this.fill = end;
  }

  private async flushChunk(): Promise<void> {
    const bytes = this.chunk.subarray(0, this.fill);
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      this.crcs.push(crc32(bytes.subarray(at, at + BLOCK_BYTES)));
    }
    let start = 0;
    if (this.head === undefined) {
      this.head = Buffer.from(bytes.subarray(0, BLOCK_BYTES));
      start = this.head.length;
    }
    await writeAll(this.file, bytes.subarray(start), this.base + start);
    this.base += bytes.length;
    this.fill = 0;
  }

  private compareBlock(block: Uint8Array, index: number, bodyLength: number): void {
    const covered = block.subarray(0, Math.max(0, bodyLength - index * BLOCK_BYTES));
    if (covered.length > 0 && crc32(covered) !== this.crcs[index]) {
      throw new MaxsimError(
        "IO",
        `${this.path} reads back other bytes than were written, in block ${index}`,
        {
          hint: "The disk or the memory of this machine is faulty.",
        },
      );
    }
  }

  private requireOpen(): void {
    if (this.state !== "open") {
      throw new MaxsimError("INTERNAL", `the writer of ${this.path} is ${this.state}`);
    }
  }

  private async guarded<T>(work: () => Promise<T>, after: "open" | "closed"): Promise<T> {
    this.requireOpen();
    this.state = "busy";
    try {
      const result = await work();
      this.state = after;
      return result;
    } catch (error) {
      this.state = "failed";
      throw error;
    }
  }
}
