/**
 * The frames of a zstd stream (RFC 8878, section 3.1), followed by their headers alone: fzstd reserves whatever window a frame asks
 * for, and reads matches from further back than 32 MiB wrong, so both are looked at before it gets the bytes.
 */
import { UnreadableFile } from "../text/unreadable.js";

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/** Bytes; levels up to 20 of the zstd program stay within it. */
const MAX_WINDOW = 32 * 1024 * 1024;

type Expected = "magic" | "descriptor" | "header" | "block" | "skippable";

export class ZstdFrames {
  private expected: Expected = "magic";
  private need = 4;
  private held: number[] = [];
  /** Bytes to pass over before the next header. */
  private skip = 0;
  private descriptor = 0;

  /** Errors: UnreadableFile for what is no zstd, or has a window that is too large. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.skip > 0) {
        const step = Math.min(this.skip, bytes.length - at);
        this.skip -= step;
        at += step;
        continue;
      }
      this.held.push(bytes[at++]!);
      if (this.held.length < this.need) continue;
      const header = Buffer.from(this.held);
      this.held = [];
      this.read(header);
    }
  }

  /** Errors: UnreadableFile when the stream ends inside of a frame. */
  finish(): void {
    if (this.expected !== "magic" || this.held.length > 0 || this.skip > 0) {
      throw new UnreadableFile("the zstd data ends early");
    }
  }

  private read(header: Buffer): void {
    switch (this.expected) {
      case "magic": {
        const magic = header.readUInt32LE(0);
        if (magic === MAGIC) this.expect("descriptor", 1);
        else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) this.expect("skippable", 4);
        else throw new UnreadableFile("it is no zstd data, or something else follows it");
        return;
      }
      case "skippable":
        this.skip = header.readUInt32LE(0);
        this.expect("magic", 4);
        return;
      case "descriptor":
        this.descriptor = header[0]!;
        this.expect("header", windowBytes(header[0]!) + idBytes(header[0]!) + sizeBytes(header[0]!));
        return;
      case "header":
        this.checkWindow(header);
        this.expect("block", 3);
        return;
      case "block": {
        const block = header.readUIntLE(0, 3);
        const isLast = (block & 1) === 1;
        const type = (block >> 1) & 3;
        this.skip = type === 1 ? 1 : block >> 3;
        if (!isLast) return;
        if ((this.descriptor & 4) !== 0) this.skip += 4;
        this.expect("magic", 4);
      }
    }
  }

  private expect(expected: Expected, need: number): void {
    this.expected = expected;
    this.need = need;
  }

  private checkWindow(header: Buffer): void {
    const window =
      windowBytes(this.descriptor) === 1 ? windowSize(header[0]!) : contentSize(header, this.descriptor);
    if (window > MAX_WINDOW) {
      throw new UnreadableFile(
        `it was compressed with a window of ${window} bytes, at most ${MAX_WINDOW} can be read: compress it again with zstd -19`,
      );
    }
  }
}

/** 0 for a single segment, whose window is its content. */
function windowBytes(descriptor: number): number {
  return (descriptor & 0x20) === 0 ? 1 : 0;
}

function idBytes(descriptor: number): number {
  return [0, 1, 2, 4][descriptor & 3]!;
}

function sizeBytes(descriptor: number): number {
  const flag = descriptor >> 6;
  if (flag === 0) return windowBytes(descriptor) === 1 ? 0 : 1;
  return 1 << flag;
}

function windowSize(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

function contentSize(header: Buffer, descriptor: number): number {
  const at = idBytes(descriptor);
  const bytes = sizeBytes(descriptor);
  if (bytes === 8) return Number(header.readBigUInt64LE(at));
  return header.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}
