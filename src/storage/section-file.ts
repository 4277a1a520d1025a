/** A section file in memory or mapped: typed views of its sections, made in place over one buffer. */
import { MaxsimError } from "../common/errors.js";
import { corruptFile } from "./corrupt-file.js";
import type { MappedFile } from "./file-mapper.js";
import type { FileType } from "./file-names.js";
import type { ElementSize, SectionEntry } from "./section-format.js";
import type { VerifiedBlocks } from "./verified-blocks.js";

export interface SectionFileIdentity {
  readonly path: string;
  readonly type: FileType;
  readonly indexId: string;
  /** 32 hexadecimal digits. */
  readonly fileId: string;
  /** Bytes before the CRC table. */
  readonly bodyLength: number;
  /** In file order. */
  readonly sections: readonly SectionEntry[];
}

/** What another thread needs to have the same file: small, and survives structured cloning. */
export interface SectionFileDescription extends SectionFileIdentity {
  /** The bytes themselves when they were read, the number of the mapping otherwise. */
  readonly memory: SharedArrayBuffer | number;
  /** Shared marks of verified blocks; null when all of the file was verified at open. */
  readonly verified: SharedArrayBuffer | null;
}

/** Where the bytes lie. */
export type SectionFileMemory =
  | { readonly buffer: SharedArrayBuffer; readonly mapping: null }
  | { readonly buffer: ArrayBuffer; readonly mapping: MappedFile };

/** Verifies parts of one section before they are read. */
export class SectionGuard {
  constructor(
    private readonly blocks: VerifiedBlocks | null,
    private readonly section: number,
    private readonly offset: number,
  ) {}

  /** True when all of the section is verified: `ensure` has nothing left to do. */
  get complete(): boolean {
    return this.blocks === null || this.blocks.isComplete(this.section);
  }

  /** Bytes `from` .. `to - 1` of the section. Errors: CORRUPT naming file, offset, expected and found; CLOSED. */
  ensure(from: number, to: number): void {
    this.blocks?.ensure(this.offset + from, this.offset + to);
  }

  /**
   * `ensure` for entries `from` .. `to - 1` of `rows`, where row r has the elements starts[r] .. starts[r + 1] - 1 of
   * `elementBytes` bytes. Rows that do not exist are left out.
   */
  ensureRows(starts: Uint32Array, elementBytes: number, rows: Uint32Array, from: number, to: number): void {
    if (!this.complete) this.blocks?.ensureRows(this.offset, starts, elementBytes, rows, from, to);
  }
}

/**
 * A section file whose head and tables are verified. The bytes belong to every holder of the buffer and are never written
 * to. Of a file that was not verified as a whole, `ensure` comes before reading.
 */
export class SectionFile {
  private readonly sections: ReadonlyMap<string, SectionEntry>;

  constructor(
    private readonly identity: SectionFileIdentity,
    private readonly memory: SectionFileMemory,
    /** Null when all of the file is verified. */
    private readonly blocks: VerifiedBlocks | null,
  ) {
    this.sections = new Map(identity.sections.map((entry) => [entry.tag, entry]));
  }

  get path(): string {
    return this.identity.path;
  }

  get type(): FileType {
    return this.identity.type;
  }

  get indexId(): string {
    return this.identity.indexId;
  }

  /** 32 hexadecimal digits. */
  get fileId(): string {
    return this.identity.fileId;
  }

  /** The whole file; empty once a mapped file is closed. */
  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.memory.buffer;
  }

  /** Bytes. */
  get length(): number {
    return this.buffer.byteLength;
  }

  /** Tags in file order. */
  get tags(): string[] {
    return [...this.sections.keys()];
  }

  /** True when every block was verified at open. */
  get verifiedWhole(): boolean {
    return this.blocks === null;
  }

  has(tag: string): boolean {
    return this.sections.has(tag);
  }

  /** Where a section lies; CORRUPT when it is missing or has elements of another size. */
  section(tag: string, elementSize: ElementSize): SectionEntry {
    const entry = this.entry(tag);
    if (entry.elementSize !== elementSize) {
      throw corruptFile(
        this.path,
        entry.offset,
        `section ${tag} with elements of ${elementSize} bytes`,
        `${entry.elementSize} bytes`,
      );
    }
    return entry;
  }

  u8(tag: string): Uint8Array {
    const { offset, byteLength } = this.section(tag, 1);
    return new Uint8Array(this.buffer, offset, byteLength);
  }

  u16(tag: string): Uint16Array {
    const { offset, byteLength } = this.section(tag, 2);
    return new Uint16Array(this.buffer, offset, byteLength / 2);
  }

  u32(tag: string): Uint32Array {
    const { offset, byteLength } = this.section(tag, 4);
    return new Uint32Array(this.buffer, offset, byteLength / 4);
  }

  f32(tag: string): Float32Array {
    const { offset, byteLength } = this.section(tag, 4);
    return new Float32Array(this.buffer, offset, byteLength / 4);
  }

  u64(tag: string): BigUint64Array {
    const { offset, byteLength } = this.section(tag, 8);
    return new BigUint64Array(this.buffer, offset, byteLength / 8);
  }

  /** For a section that is read in parts, again and again. CORRUPT when it is missing. */
  guard(tag: string): SectionGuard {
    const { offset } = this.entry(tag);
    return new SectionGuard(this.blocks, this.tags.indexOf(tag), offset);
  }

  /** Verifies bytes `from` .. `to - 1` of a section, all of it by default. Errors: CORRUPT, CLOSED. */
  ensure(tag: string, from = 0, to = this.entry(tag).byteLength): void {
    this.guard(tag).ensure(from, to);
  }

  /** Verifies all of the file. Errors: CORRUPT, CLOSED. */
  ensureAll(): void {
    this.blocks?.ensure(0, this.identity.bodyLength);
  }

  /**
   * CORRUPT when a mapped file no longer has the length that it had. To be called before mapped memory is read: what the
   * file no longer holds cannot be read without ending the process.
   */
  checkMapped(): void {
    const { mapping } = this.memory;
    if (mapping === null) return;
    const found = mapping.currentLength();
    if (found !== this.length)
      throw corruptFile(this.path, found, `a file of ${this.length} bytes`, `${found} bytes`);
  }

  describe(): SectionFileDescription {
    const { mapping, buffer } = this.memory;
    return {
      ...this.identity,
      memory: mapping === null ? buffer : mapping.id,
      verified: this.blocks?.state ?? null,
    };
  }

  /** Lets go of a mapped file at once; all its views are empty then. Does nothing for one that was read. */
  close(): void {
    this.memory.mapping?.close();
  }

  private entry(tag: string): SectionEntry {
    const entry = this.sections.get(tag);
    if (entry === undefined) {
      throw new MaxsimError(
        "CORRUPT",
        `${this.path} lacks its section ${tag}, found ${this.tags.join(", ")}`,
      );
    }
    return entry;
  }
}
