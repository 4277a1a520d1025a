/**
 * Damage in SQLite's write-ahead log. SQLite takes the first frame whose checksum does not match for the end of the log, as
 * after a crash, and says nothing; committed frames behind it are then lost. A frame of the same log behind a broken one
 * tells.
 *
 * Layout (sqlite.org/fileformat2.html#walformat), numbers big-endian: header of 32 bytes: magic, version, page size,
 * sequence number, two salts, two checksums; then frames: page number, pages after a commit or 0, two salts, two checksums,
 * the page. The checksums go on from frame to frame.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ioError, systemCode } from "../common/errors.js";
import type { Damage } from "./corrupt-file.js";

const HEADER_BYTES = 32;
const FRAME_HEAD_BYTES = 24;
const MAGIC = 0x377f0682;
const VERSION = 3_007_000;
const MIN_PAGE = 512;
const MAX_PAGE = 65_536;

/**
 * What is wrong with the log `path`; undefined when nothing is, or there is none. A log that somebody writes just now may
 * look broken for a moment. Errors: IO.
 */
export function walDamage(path: string): Damage | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw ioError("open", path, error);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return { what: "the log is not a regular file" };
    return checkLog(new LogReader(descriptor, stats.size));
  } catch (error) {
    throw ioError("read", path, error);
  } finally {
    closeSync(descriptor);
  }
}

class LogReader {
  constructor(
    private readonly descriptor: number,
    readonly length: number,
  ) {}

  /** Undefined when the file ends before. */
  read(position: number, length: number): Buffer | undefined {
    if (position + length > this.length) return undefined;
    const bytes = Buffer.alloc(length);
    for (let filled = 0; filled < length; ) {
      const count = readSync(this.descriptor, bytes, filled, length - filled, position + filled);
      if (count === 0) return undefined;
      filled += count;
    }
    return bytes;
  }
}

function checkLog(log: LogReader): Damage | undefined {
  const header = log.read(0, HEADER_BYTES);
  if (header === undefined) {
    return log.length === 0 ? undefined : { offset: 0, what: `the log ends after ${log.length} bytes` };
  }
  const magic = header.readUInt32BE(0);
  const pageSize = header.readUInt32BE(8);
  const sum = new WalChecksum((magic & 1) === 1);
  sum.add(header.subarray(0, 24));
  const sound =
    (magic & ~1) === MAGIC &&
    header.readUInt32BE(4) === VERSION &&
    sum.matches(header, 24) &&
    pageSize >= MIN_PAGE &&
    pageSize <= MAX_PAGE;
  if (!sound) return { offset: 0, what: "its header is damaged: SQLite ignores the commits in this log" };
  const salts = header.subarray(16, 24);
  let broken: number | undefined;
  for (let at = HEADER_BYTES; ; at += FRAME_HEAD_BYTES + pageSize) {
    const frame = log.read(at, FRAME_HEAD_BYTES + pageSize);
    if (frame === undefined) return undefined;
    const ours = frame.subarray(8, 16).equals(salts);
    if (broken === undefined) {
      sum.add(frame.subarray(0, 8));
      sum.add(frame.subarray(FRAME_HEAD_BYTES));
      if (!ours || !sum.matches(frame, 16)) broken = at;
    } else if (ours && frame.readUInt32BE(4) > 0) {
      return { offset: broken, what: "a frame is damaged: SQLite ignores the commits behind it" };
    }
  }
}

/** Sums of 32-bit words, big-endian ones or little-endian ones as the magic says. */
class WalChecksum {
  private first = 0;
  private second = 0;

  constructor(private readonly bigEndian: boolean) {}

  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 8) {
      const [a, b] = this.bigEndian
        ? [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
        : [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
      this.first = (this.first + a + this.second) >>> 0;
      this.second = (this.second + b + this.first) >>> 0;
    }
  }

  matches(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.first && bytes.readUInt32BE(at + 4) === this.second;
  }
}
