/**
 * A section file read from its first to its last byte and compared with what the catalog states: where it is damaged, and
 * which of its bytes can still be trusted. Nothing is mapped, so that a page that the disk cannot read is an error and
 * not the end of the process.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { throwIfAborted } from "../common/abort.js";
import { isMaxsimError } from "../common/errors.js";
import { corruptFile, type Damage, damageOf } from "./corrupt-file.js";
import { type FileSystem, type ReadableFile, readAll } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";
import { checkFooter, checkIdentity, decodeHeader, type ExpectedFile } from "./section-checks.js";
import { BLOCK_BYTES, blockCount, FOOTER_BYTES, HEAD_BYTES, HEADER_BYTES } from "./section-format.js";

export interface StatedFile extends ExpectedFile {
  readonly length: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface InspectOptions {
  readonly signal?: AbortSignal | undefined;
  /** What an abort interrupts, for its error. */
  readonly what: string;
  readonly onBytes?: ((count: number) => void) | undefined;
  readonly fs?: FileSystem;
}

export interface FileInspection {
  /** Empty when the file has exactly the bytes that were written. */
  readonly damage: readonly Damage[];
  /** Bytes of the file; null when there is none that can be opened. */
  readonly length: number | null;
  /**
   * Numbers of the blocks that are not what was written, those that cannot be read among them; null when nothing is known
   * of any block, because the file's own table of checksums is lost or because it is another file than the one stated.
   */
  readonly badBlocks: ReadonlySet<number> | null;
}

const READ_BYTES = 16 * BLOCK_BYTES;
const MIN_FILE_BYTES = HEAD_BYTES + 4 + FOOTER_BYTES;
/** A file that is damaged everywhere is not described block by block. */
const MAX_DAMAGE = 20;

/** Errors: ABORTED; whatever is wrong with the file is in the answer. */
export async function inspectFile(
  path: string,
  stated: StatedFile,
  options: InspectOptions,
): Promise<FileInspection> {
  const fs = options.fs ?? nodeFileSystem;
  let file: ReadableFile;
  try {
    file = await fs.openForReading(path);
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    const what = error.code === "PATH_NOT_FOUND" ? "the file is missing" : damageOf(path, error).what;
    return { damage: [{ what }], length: null, badBlocks: null };
  }
  try {
    return await new Inspection(file, stated, options).run();
  } finally {
    await file.close();
  }
}

class Inspection {
  private readonly damage: Damage[] = [];
  private suppressed = 0;

  constructor(
    private readonly file: ReadableFile,
    private readonly stated: StatedFile,
    private readonly options: InspectOptions,
  ) {}

  async run(): Promise<FileInspection> {
    const { length } = this.file;
    if (length !== this.stated.length) {
      this.add({
        offset: Math.min(length, this.stated.length),
        what: `expected ${this.stated.length} bytes, found ${length}`,
      });
    }
    const isStated = await this.checkHeader();
    const crcs = await this.blockChecksums();
    const { badBlocks, sha256 } = await this.readThrough(crcs);
    if (sha256 !== null && this.damage.length === 0 && sha256 !== this.stated.sha256) {
      this.add({ what: `expected the SHA-256 ${this.stated.sha256}, found ${sha256}` });
    }
    if (this.suppressed > 0) this.damage.push({ what: `${this.suppressed} more places are damaged` });
    const sound = badBlocks !== null && badBlocks.size === 0;
    const another = sound ? this.damage.length > 0 : !isStated && badBlocks?.has(0) === false;
    return { damage: this.damage, length, badBlocks: another ? null : badBlocks };
  }

  /** Whether the header is that of the stated file. */
  private async checkHeader(): Promise<boolean> {
    const { path, length } = this.file;
    if (length < MIN_FILE_BYTES) return false;
    try {
      const head = Buffer.alloc(HEADER_BYTES);
      await readAll(this.file, head, 0);
      checkIdentity(path, decodeHeader(path, head), this.stated);
      return true;
    } catch (error) {
      if (!isMaxsimError(error)) throw error;
      this.add(damageOf(path, error));
      return false;
    }
  }

  /** The table of checksums, when footer and table are as they were written. */
  private async blockChecksums(): Promise<Uint32Array | null> {
    const { path, length } = this.file;
    if (length < MIN_FILE_BYTES) return null;
    try {
      const footer = Buffer.alloc(FOOTER_BYTES);
      await readAll(this.file, footer, length - FOOTER_BYTES);
      const { bodyLength, tableCrc } = checkFooter(path, footer, length);
      const table = Buffer.alloc(4 * blockCount(bodyLength));
      await readAll(this.file, table, bodyLength);
      const found = crc32(table);
      if (found !== tableCrc) {
        throw corruptFile(path, bodyLength, `a CRC table with the CRC ${tableCrc}`, `${found}`);
      }
      return Uint32Array.from({ length: table.length / 4 }, (_, block) => table.readUInt32LE(4 * block));
    } catch (error) {
      if (!isMaxsimError(error)) throw error;
      this.add(damageOf(path, error));
      return null;
    }
  }

  private async readThrough(
    crcs: Uint32Array | null,
  ): Promise<{ badBlocks: Set<number> | null; sha256: string | null }> {
    const { length } = this.file;
    const { signal, what, onBytes } = this.options;
    const bodyLength = crcs === null ? 0 : length - FOOTER_BYTES - 4 * crcs.length;
    const bad = new Set<number>();
    const hash = createHash("sha256");
    const chunk = Buffer.alloc(Math.min(READ_BYTES, Math.max(1, length)));
    let unread = false;
    for (let position = 0; position < length; position += READ_BYTES) {
      throwIfAborted(signal, what);
      const bytes = chunk.subarray(0, Math.min(READ_BYTES, length - position));
      const whole = (await this.read(bytes, position)) === undefined;
      for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
        const start = position + at;
        const block = bytes.subarray(at, at + BLOCK_BYTES);
        // Where a chunk cannot be read, most of its blocks still can.
        const failure = whole ? undefined : await this.read(block, start);
        if (failure !== undefined) unread = true;
        const problem = failure ?? blockProblem(block, start, crcs, bodyLength);
        if (problem === undefined) continue;
        bad.add(start / BLOCK_BYTES);
        this.add({ offset: start, what: problem });
      }
      hash.update(bytes);
      onBytes?.(bytes.length);
    }
    return { badBlocks: crcs === null ? null : bad, sha256: unread ? null : hash.digest("hex") };
  }

  /** What keeps the bytes from being read. */
  private async read(target: Buffer, position: number): Promise<string | undefined> {
    try {
      await readAll(this.file, target, position);
      return undefined;
    } catch (error) {
      if (!isMaxsimError(error)) throw error;
      return damageOf(this.file.path, error).what;
    }
  }

  private add(damage: Damage): void {
    if (this.damage.length < MAX_DAMAGE) this.damage.push(damage);
    else this.suppressed++;
  }
}

/** How a block differs from its checksum; undefined for what the table does not cover. */
function blockProblem(
  block: Buffer,
  start: number,
  crcs: Uint32Array | null,
  bodyLength: number,
): string | undefined {
  const expected = crcs?.[start / BLOCK_BYTES];
  if (expected === undefined) return undefined;
  const found = crc32(block.subarray(0, bodyLength - start));
  return found === expected ? undefined : `expected a block with the CRC ${expected}, found ${found}`;
}
