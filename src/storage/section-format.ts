/**
 * Byte layout of the container that every binary file uses (index-data/FORMAT.md draws it): header, section table,
 * sections, CRC table, footer. Only numbers and bytes here; no file is opened.
 */
import { crc32 } from "node:zlib";
import { MaxsimError } from "../common/errors.js";

/** The newest container version that this package reads, and the one that it writes. */
export const FORMAT_VERSION = 1;

/** 8D 4D 41 58 53 49 4D 0A: not text, and a file damaged by newline conversion no longer matches. */
export const MAGIC: Readonly<Uint8Array> = Uint8Array.of(0x8d, 0x4d, 0x41, 0x58, 0x53, 0x49, 0x4d, 0x0a);
export const INVERTED_MAGIC: Readonly<Uint8Array> = MAGIC.map((byte) => byte ^ 0xff);

export const HEADER_BYTES = 64;
export const TABLE_ENTRY_BYTES = 48;
export const MAX_SECTIONS = 16;
/** Header and section table; the first section starts here. A multiple of 64. */
export const HEAD_BYTES = HEADER_BYTES + MAX_SECTIONS * TABLE_ENTRY_BYTES;
export const SECTION_ALIGNMENT = 64;
/** Bytes that one entry of the CRC table covers. */
export const BLOCK_BYTES = 65536;
export const FOOTER_BYTES = 32;

/** Bytes of one element of a section. */
export type ElementSize = 1 | 2 | 4 | 8;

export interface SectionEntry {
  /** 1 to 8 of a-z and 0-9. */
  readonly tag: string;
  readonly elementSize: ElementSize;
  /** From the start of the file, a multiple of 64. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface Header {
  readonly version: number;
  readonly type: number;
  readonly fileLength: number;
  /** 32 hexadecimal digits. */
  readonly indexId: string;
  readonly fileId: string;
  readonly sectionCount: number;
}

export interface Footer {
  /** Bytes before the CRC table. */
  readonly bodyLength: number;
  readonly tableCrc: number;
}

export function alignUp(offset: number): number {
  return Math.ceil(offset / SECTION_ALIGNMENT) * SECTION_ALIGNMENT;
}

export function blockCount(bodyLength: number): number {
  return Math.ceil(bodyLength / BLOCK_BYTES);
}

export function isTag(tag: string): boolean {
  return /^[a-z0-9]{1,8}$/.test(tag);
}

/** Sections are read in place as typed arrays, which have the byte order of the machine. */
export function requireLittleEndian(): void {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
    throw new MaxsimError("IO", "index files are little-endian, and this machine is big-endian");
  }
}

/** Writes header and section table into the first HEAD_BYTES of `head`. */
export function encodeHead(head: Buffer, header: Header, sections: readonly SectionEntry[]): void {
  head.fill(0, 0, HEAD_BYTES);
  head.set(MAGIC, 0);
  head.writeUInt32LE(header.version, 8);
  head.writeUInt32LE(header.type, 12);
  head.writeBigUInt64LE(BigInt(header.fileLength), 16);
  head.write(header.indexId, 24, 16, "hex");
  head.write(header.fileId, 40, 16, "hex");
  head.writeUInt32LE(header.sectionCount, 56);
  sections.forEach((section, i) => {
    const at = HEADER_BYTES + i * TABLE_ENTRY_BYTES;
    head.write(section.tag, at, 8, "ascii");
    head.writeUInt32LE(section.elementSize, at + 8);
    head.writeBigUInt64LE(BigInt(section.offset), at + 16);
    head.writeBigUInt64LE(BigInt(section.byteLength), at + 24);
    head.writeBigUInt64LE(BigInt(section.byteLength / section.elementSize), at + 32);
  });
}

/** CRC-32 of the footer with its own field (bytes 16 to 19) set to zero. */
export function footerCrc(footer: Uint8Array): number {
  const copy = Uint8Array.from(footer);
  copy.fill(0, 16, 20);
  return crc32(copy);
}

export function encodeFooter(footer: Footer): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  bytes.writeBigUInt64LE(BigInt(footer.bodyLength), 0);
  bytes.writeUInt32LE(BLOCK_BYTES, 8);
  bytes.writeUInt32LE(footer.tableCrc, 12);
  bytes.set(INVERTED_MAGIC, 24);
  bytes.writeUInt32LE(footerCrc(bytes), 16);
  return bytes;
}
