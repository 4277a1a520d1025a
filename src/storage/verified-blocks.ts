/**
 * Which blocks of a mapped file were compared with its CRC table. A block is verified when it is first about to be read;
 * the marks lie in shared memory, so that threads which attach the same file need not do it again.
 *
 * Marks are read without synchronization: a thread that misses one verifies the block a second time.
 */
import { crc32 } from "node:zlib";
import { MaxsimError } from "../common/errors.js";
import { corruptFile } from "./corrupt-file.js";
import { BLOCK_BYTES, blockCount, type SectionEntry } from "./section-format.js";

const BLOCK_SHIFT = Math.log2(BLOCK_BYTES);

export interface Body {
  readonly path: string;
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** Bytes before the CRC table, whose own CRC is right. */
  readonly bodyLength: number;
}

/** CORRUPT unless the block has the CRC that the table states. `found` saves computing it again. */
export function checkBlock({ path, bytes, bodyLength }: Body, block: number, found?: number): void {
  const start = block * BLOCK_BYTES;
  const at = bodyLength + 4 * block;
  const stated = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  const crc = found ?? crc32(bytes.subarray(start, Math.min(start + BLOCK_BYTES, bodyLength)));
  if (crc !== stated) throw corruptFile(path, start, `a block with the CRC ${stated}`, `${crc}`);
}

export class VerifiedBlocks {
  /** i32 `[sections]`, the blocks of each section that are not verified; then u8 `[blocks]`, 1 when verified. */
  readonly state: SharedArrayBuffer;
  private readonly remaining: Int32Array;
  private readonly marks: Uint8Array;

  /** @param state that of another thread for the same file; without it no block counts as verified. */
  constructor(
    private readonly body: Body,
    private readonly sections: readonly SectionEntry[],
    state?: SharedArrayBuffer,
  ) {
    const blocks = blockCount(body.bodyLength);
    this.state = state ?? new SharedArrayBuffer(4 * sections.length + blocks);
    this.remaining = new Int32Array(this.state, 0, sections.length);
    this.marks = new Uint8Array(this.state, 4 * sections.length, blocks);
    if (state === undefined) {
      sections.forEach(({ offset, byteLength }, s) => {
        if (byteLength > 0) this.remaining[s] = blockOf(offset + byteLength - 1) - blockOf(offset) + 1;
      });
    }
  }

  /** True when every block of section number `section` is verified. */
  isComplete(section: number): boolean {
    return this.remaining[section] === 0;
  }

  /** Verifies what is not verified of bytes `from` .. `to - 1` of the file. Errors: CORRUPT, CLOSED. */
  ensure(from: number, to: number): void {
    if (from >= to) return;
    const last = blockOf(to - 1);
    for (let block = blockOf(from); block <= last; block++) if (this.marks[block] === 0) this.verify(block);
  }

  /** `ensure` for rows `rows[from]` .. `rows[to - 1]`, as `SectionGuard.ensureRows` has them; `base` is where row bytes start. */
  ensureRows(
    base: number,
    starts: Uint32Array,
    rowBytes: number,
    rows: Uint32Array,
    from: number,
    to: number,
  ): void {
    const { marks } = this;
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      if (row + 1 >= starts.length) continue;
      const first = base + starts[row]! * rowBytes;
      const end = base + starts[row + 1]! * rowBytes;
      if (first >= end) continue;
      const last = blockOf(end - 1);
      for (let block = blockOf(first); block <= last; block++) if (marks[block] === 0) this.verify(block);
    }
  }

  /** Notes a block that was verified elsewhere. */
  mark(block: number): void {
    // Exactly one thread counts it.
    if (Atomics.exchange(this.marks, block, 1) === 1) return;
    const start = block * BLOCK_BYTES;
    this.sections.forEach(({ offset, byteLength }, s) => {
      if (byteLength > 0 && offset < start + BLOCK_BYTES && offset + byteLength > start)
        Atomics.sub(this.remaining, s, 1);
    });
  }

  private verify(block: number): void {
    // The views of a closed mapping are empty, which must not look like damage.
    if (this.body.bytes.length === 0) throw new MaxsimError("CLOSED", `${this.body.path} is closed`);
    checkBlock(this.body, block);
    this.mark(block);
  }
}

/** Offsets stay below 2^32, the limit of a file. */
function blockOf(offset: number): number {
  return offset >>> BLOCK_SHIFT;
}
