/**
 * Checks of what a section file says of itself: header, footer, identity and section table. No number of the file is used as
 * a size or an offset before it was compared with the file's length.
 */
import { MaxsimError } from "../common/errors.js";
import { corruptFile } from "./corrupt-file.js";
import { FILE_TYPES, type FileType } from "./file-names.js";
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

/** Errors: CORRUPT, FORMAT_TOO_NEW naming both versions. */
export function decodeHeader(path: string, bytes: Buffer): Header {
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

/** @param footer the last bytes of a file of `fileLength` bytes. */
export function checkFooter(path: string, footer: Buffer, fileLength: number): Footer {
  const start = fileLength - FOOTER_BYTES;
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
  if (bodyLength + 4 * blockCount(bodyLength) + FOOTER_BYTES !== fileLength) {
    throw corruptFile(path, start, `a body that fits into ${fileLength} bytes`, `${bodyLength} bytes`);
  }
  if (bodyLength < HEAD_BYTES) {
    throw corruptFile(path, start, `a body of at least ${HEAD_BYTES} bytes`, `${bodyLength}`);
  }
  if (footer.readUInt32LE(20) !== 0) {
    throw corruptFile(path, start + 20, "a reserved field of 0", `${footer.readUInt32LE(20)}`);
  }
  return { bodyLength, tableCrc: footer.readUInt32LE(12) };
}

export function checkIdentity(path: string, header: Header, expected: ExpectedFile): void {
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
export function decodeSections(
  path: string,
  bytes: Buffer,
  count: number,
  bodyLength: number,
): SectionEntry[] {
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
