/** A section file in memory: typed views of its sections, which share one buffer and can go to other threads. */
import { MaxsimError } from "../common/errors.js";
import type { FileType } from "./file-names.js";
import type { ElementSize, SectionEntry } from "./section-format.js";

/** An error that says where in a file what was expected and what was found. */
export function corruptFile(path: string, offset: number, expected: string, found: string): MaxsimError {
  return new MaxsimError(
    "CORRUPT",
    `${path} is damaged at byte ${offset}: expected ${expected}, found ${found}`,
    {
      hint: "Restore the index from a copy, or build it again.",
    },
  );
}

/**
 * A verified section file. Views are made in place; the bytes belong to every holder of the buffer and are never
 * written to.
 */
export class SectionFile {
  private readonly sections: ReadonlyMap<string, SectionEntry>;

  constructor(
    readonly path: string,
    readonly type: FileType,
    readonly indexId: string,
    /** 32 hexadecimal digits. */
    readonly fileId: string,
    /** The whole file. */
    readonly buffer: SharedArrayBuffer,
    entries: readonly SectionEntry[],
  ) {
    this.sections = new Map(entries.map((entry) => [entry.tag, entry]));
  }

  /** Bytes. */
  get length(): number {
    return this.buffer.byteLength;
  }

  /** Tags in file order. */
  get tags(): string[] {
    return [...this.sections.keys()];
  }

  has(tag: string): boolean {
    return this.sections.has(tag);
  }

  /** Where a section lies; CORRUPT when it is missing or has elements of another size. */
  section(tag: string, elementSize: ElementSize): SectionEntry {
    const entry = this.sections.get(tag);
    if (entry === undefined) {
      throw new MaxsimError(
        "CORRUPT",
        `${this.path} lacks its section ${tag}, found ${this.tags.join(", ")}`,
      );
    }
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

  u8(tag: string): Uint8Array<SharedArrayBuffer> {
    const { offset, byteLength } = this.section(tag, 1);
    return new Uint8Array(this.buffer, offset, byteLength);
  }

  u16(tag: string): Uint16Array<SharedArrayBuffer> {
    const { offset, byteLength } = this.section(tag, 2);
    return new Uint16Array(this.buffer, offset, byteLength / 2);
  }

  u32(tag: string): Uint32Array<SharedArrayBuffer> {
    const { offset, byteLength } = this.section(tag, 4);
    return new Uint32Array(this.buffer, offset, byteLength / 4);
  }

  f32(tag: string): Float32Array<SharedArrayBuffer> {
    const { offset, byteLength } = this.section(tag, 4);
    return new Float32Array(this.buffer, offset, byteLength / 4);
  }

  u64(tag: string): BigUint64Array<SharedArrayBuffer> {
    const { offset, byteLength } = this.section(tag, 8);
    return new BigUint64Array(this.buffer, offset, byteLength / 8);
  }
}
