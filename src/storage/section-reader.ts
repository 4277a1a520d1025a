/**
 * Reads a section file and checks all of it: length, header, section table, footer, every block's CRC and the
 * padding. No number of the file is used as a size or an offset before it was compared with the file's length.
 *
 * The CRC table has one entry a block and stands before the footer, so a reader that maps the file and checks a
 * block on first touch needs no other format: header, footer and table are verified at open.
 */
import { crc32 } from "node:zlib";
import { MaxsimError } from "../common/errors.js";
import { FILE_TYPES, type FileType } from "./file-names.js";
import { type FileSystem, type ReadableFile, readAll } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";
import { corruptFile, SectionFile } from "./section-file.js";
import {
  alignUp,
  BLOCK_BYTES,
  blockCount,
  type ElementSize,
  FOOTER_BYTES,
  FORMAT_VERSION,
  type Footer,
  footerCrc,
  HEAD_BYTES,
  HEADER_BYTES,
  type Header,
  INVERTED_MAGIC,
  isTag,
  MAGIC,
  MAX_SECTIONS,
  requireLittleEndian,
  type SectionEntry,
  TABLE_ENTRY_BYTES,
} from "./section-format.js";

/** What the catalog says about the file; each difference is CORRUPT. */
export interface ExpectedFile {
  readonly type: FileType;
  readonly indexId: string;
  readonly fileId?: string;
  /** Bytes. */
  readonly length?: number;
}

/** A file is read into one buffer; larger ones need the mapped reader. */
const MAX_FILE_BYTES = 2 ** 32;
/** A file without sections: head, one CRC, footer. */
const MIN_FILE_BYTES = HEAD_BYTES + 4 + FOOTER_BYTES;
const READ_BYTES = 128 * BLOCK_BYTES;

/**
 * Reads the whole file into one SharedArrayBuffer and verifies it.
 * Errors: CORRUPT naming file, offset, expected and found; FORMAT_TOO_NEW; PATH_NOT_FOUND; IO.
 */
export async function readSectionFile(
  path: string,
  expected: ExpectedFile,
  fs: FileSystem = nodeFileSystem,
): Promise<SectionFile> {
  requireLittleEndian();
  const file = await fs.openForReading(path);
  try {
    if (expected.length !== undefined && file.length !== expected.length) {
      throw corruptFile(path, file.length, `a file of ${expected.length} bytes`, `${file.length} bytes`);
    }
    if (file.length < MIN_FILE_BYTES) {
      throw corruptFile(path, file.length, `at least ${MIN_FILE_BYTES} bytes`, `${file.length} bytes`);
    }
    if (file.length > MAX_FILE_BYTES) {
      throw new MaxsimError("IO", `${path} has ${file.length} bytes, the limit is ${MAX_FILE_BYTES}`, {
        hint: "Build the index with smaller segments.",
      });
    }
    const buffer = new SharedArrayBuffer(file.length);
    const bytes = Buffer.from(buffer);
    const crcs = await readBlocks(file, bytes);
    const header = decodeHeader(path, bytes);
    const footer = checkFooter(path, bytes);
    if (header.fileLength !== file.length) {
      throw corruptFile(path, 16, `a length of ${file.length} bytes`, `${header.fileLength}`);
    }
    checkBlocks(path, bytes, footer, crcs);
    checkIdentity(path, header, expected);
    const sections = decodeSections(path, bytes, header.sectionCount, footer.bodyLength);
    return new SectionFile(path, expected.type, header.indexId, header.fileId, buffer, sections);
  } finally {
    await file.close();
  }
}

/** Reads everything and returns the CRC of each whole block; the block in which the body ends is not among them. */
async function readBlocks(file: ReadableFile, bytes: Buffer): Promise<number[]> {
  const crcs: number[] = [];
  for (let position = 0; position < bytes.length; position += READ_BYTES) {
    const end = Math.min(position + READ_BYTES, bytes.length);
    await readAll(file, bytes.subarray(position, end), position);
    for (let at = position; at + BLOCK_BYTES <= end; at += BLOCK_BYTES) {
      crcs.push(crc32(bytes.subarray(at, at + BLOCK_BYTES)));
    }
  }
  return crcs;
}

function decodeHeader(path: string, bytes: Buffer): Header {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) {
    const hex = (view: Readonly<Uint8Array>): string => Buffer.from(view).toString("hex");
    throw corruptFile(path, 0, `the magic ${hex(MAGIC)}`, hex(bytes.subarray(0, MAGIC.length)));
  }
  const version = bytes.readUInt32LE(8);
  if (version > FORMAT_VERSION) {
    throw new MaxsimError(
      "FORMAT_TOO_NEW",
      `${path} has format version ${version}, this package reads up to version ${FORMAT_VERSION}`,
      { hint: "Upgrade maxsim, or build the index again with this version." },
    );
  }
  if (version < 1) throw corruptFile(path, 8, `a format version from 1 to ${FORMAT_VERSION}`, `${version}`);
  return {
    version,
    type: bytes.readUInt32LE(12),
    fileLength: Number(bytes.readBigUInt64LE(16)),
    indexId: bytes.toString("hex", 24, 40),
    fileId: bytes.toString("hex", 40, 56),
    sectionCount: bytes.readUInt32LE(56),
  };
}

function checkFooter(path: string, bytes: Buffer): Footer {
  const start = bytes.length - FOOTER_BYTES;
  const footer = bytes.subarray(start);
  if (INVERTED_MAGIC.some((byte, i) => footer[24 + i] !== byte)) {
    throw corruptFile(path, start + 24, "the inverted magic", footer.toString("hex", 24));
  }
  const crc = footer.readUInt32LE(16);
  if (footerCrc(footer) !== crc) {
    throw corruptFile(path, start, `a footer with the CRC ${crc}`, `${footerCrc(footer)}`);
  }
  const bodyLength = Number(footer.readBigUInt64LE(0));
  if (footer.readUInt32LE(8) !== BLOCK_BYTES) {
    throw corruptFile(path, start + 8, `blocks of ${BLOCK_BYTES} bytes`, `${footer.readUInt32LE(8)}`);
  }
  if (bodyLength + 4 * blockCount(bodyLength) + FOOTER_BYTES !== bytes.length) {
    throw corruptFile(path, start, `a body that fits into ${bytes.length} bytes`, `${bodyLength} bytes`);
  }
  if (bodyLength < HEAD_BYTES) {
    throw corruptFile(path, start, `a body of at least ${HEAD_BYTES} bytes`, `${bodyLength}`);
  }
  if (footer.readUInt32LE(20) !== 0) {
    throw corruptFile(path, start + 20, "a reserved field of 0", `${footer.readUInt32LE(20)}`);
  }
  return { bodyLength, tableCrc: footer.readUInt32LE(12) };
}

/** Compares the CRC table; `crcs` holds those of the whole blocks, made while reading. */
function checkBlocks(path: string, bytes: Buffer, footer: Footer, crcs: readonly number[]): void {
  const { bodyLength } = footer;
  const table = bytes.subarray(bodyLength, bodyLength + 4 * blockCount(bodyLength));
  if (crc32(table) !== footer.tableCrc) {
    throw corruptFile(path, bodyLength, `a CRC table with the CRC ${footer.tableCrc}`, `${crc32(table)}`);
  }
  for (let block = 0; block < blockCount(bodyLength); block++) {
    const start = block * BLOCK_BYTES;
    const end = Math.min(start + BLOCK_BYTES, bodyLength);
    const found = end - start === BLOCK_BYTES ? crcs[block]! : crc32(bytes.subarray(start, end));
    const stated = table.readUInt32LE(4 * block);
    if (found !== stated) throw corruptFile(path, start, `a block with the CRC ${stated}`, `${found}`);
  }
}

function checkIdentity(path: string, header: Header, expected: ExpectedFile): void {
  if (header.type !== FILE_TYPES[expected.type]) {
    throw corruptFile(path, 12, `file type ${FILE_TYPES[expected.type]}`, `${header.type}`);
  }
  if (header.indexId !== expected.indexId) {
    throw corruptFile(path, 24, `a file of the index ${expected.indexId}`, `one of ${header.indexId}`);
  }
  if (expected.fileId !== undefined && header.fileId !== expected.fileId) {
    throw corruptFile(path, 40, `the file ${expected.fileId}`, `${header.fileId}`);
  }
}

/**
 * Sections lie one after the other, each at the next multiple of 64, with zeros between; together with the head
 * they make up the body, so no byte lies outside of what is described.
 */
function decodeSections(path: string, bytes: Buffer, count: number, bodyLength: number): SectionEntry[] {
  if (count > MAX_SECTIONS) throw corruptFile(path, 56, `at most ${MAX_SECTIONS} sections`, `${count}`);
  requireZero(path, bytes, 60, HEADER_BYTES);
  const sections: SectionEntry[] = [];
  let next = HEAD_BYTES;
  for (let i = 0; i < count; i++) {
    const at = HEADER_BYTES + i * TABLE_ENTRY_BYTES;
    const tag = bytes.toString("latin1", at, at + 8).replace(/\0+$/, "");
    if (!isTag(tag) || sections.some((section) => section.tag === tag)) {
      throw corruptFile(path, at, "a new tag of a-z and 0-9", JSON.stringify(tag));
    }
    const elementSize = bytes.readUInt32LE(at + 8);
    if (!isElementSize(elementSize)) {
      throw corruptFile(path, at + 8, "elements of 1, 2, 4 or 8 bytes", `${elementSize}`);
    }
    requireZero(path, bytes, at + 12, at + 16);
    const offset = Number(bytes.readBigUInt64LE(at + 16));
    if (offset !== next) throw corruptFile(path, at + 16, `section ${tag} at byte ${next}`, `${offset}`);
    const byteLength = Number(bytes.readBigUInt64LE(at + 24));
    if (byteLength > bodyLength - offset) {
      throw corruptFile(
        path,
        at + 24,
        `at most ${bodyLength - offset} bytes of section ${tag}`,
        `${byteLength}`,
      );
    }
    const elements = Number(bytes.readBigUInt64LE(at + 32));
    if (elements * elementSize !== byteLength) {
      throw corruptFile(
        path,
        at + 32,
        `${byteLength / elementSize} elements of section ${tag}`,
        `${elements}`,
      );
    }
    requireZero(path, bytes, at + 40, at + 48);
    next = alignUp(offset + byteLength);
    if (next > bodyLength)
      throw corruptFile(path, at + 24, `section ${tag} within ${bodyLength} bytes`, `${next}`);
    requireZero(path, bytes, offset + byteLength, next);
    sections.push({ tag, elementSize, offset, byteLength });
  }
  requireZero(path, bytes, HEADER_BYTES + count * TABLE_ENTRY_BYTES, HEAD_BYTES);
  if (next !== bodyLength) throw corruptFile(path, next, `a body that ends at byte ${next}`, `${bodyLength}`);
  return sections;
}

function requireZero(path: string, bytes: Buffer, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    if (bytes[i] !== 0) throw corruptFile(path, i, "padding of 0", `${bytes[i]}`);
  }
}

function isElementSize(size: number): size is ElementSize {
  return size === 1 || size === 2 || size === 4 || size === 8;
}
