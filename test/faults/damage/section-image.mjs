/**
 * The container of section files, read and written apart from the package, from index-data/FORMAT.md alone: so that files
 * can be made that lie, and whose checksums are right.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

const HEADER_BYTES = 64;
const ENTRY_BYTES = 48;
const HEAD_BYTES = 832;
const FOOTER_BYTES = 32;
export const BLOCK_BYTES = 65536;
const MAGIC = Buffer.from("8d4d415853494d0a", "hex");

const align = (at) => Math.ceil(at / 64) * 64;

/**
 * @typedef {{ tag: string, elementSize: number, bytes: Buffer }} Section
 * @typedef {{ type: number, indexId: string, sections: Section[] }} Image
 */

/** @returns {Image} of a sound file */
export function readImage(bytes) {
  const count = bytes.readUInt32LE(56);
  const sections = Array.from({ length: count }, (_, i) => {
    const at = HEADER_BYTES + i * ENTRY_BYTES;
    const offset = Number(bytes.readBigUInt64LE(at + 16));
    const length = Number(bytes.readBigUInt64LE(at + 24));
    return {
      tag: bytes.toString("latin1", at, at + 8).replace(/\0+$/, ""),
      elementSize: bytes.readUInt32LE(at + 8),
      bytes: Buffer.from(bytes.subarray(offset, offset + length)),
    };
  });
  return { type: bytes.readUInt32LE(12), indexId: bytes.toString("hex", 24, 40), sections };
}

/** Offsets at which header, table entries, sections, CRC table and footer begin. */
export function layoutOf(bytes) {
  const count = bytes.readUInt32LE(56);
  const entries = Array.from({ length: count }, (_, i) => HEADER_BYTES + i * ENTRY_BYTES);
  const sections = entries.flatMap((at) => {
    const offset = Number(bytes.readBigUInt64LE(at + 16));
    return [offset, offset + Number(bytes.readBigUInt64LE(at + 24))];
  });
  const footer = bytes.length - FOOTER_BYTES;
  return [
    8,
    12,
    16,
    24,
    40,
    56,
    ...entries,
    HEAD_BYTES,
    ...sections,
    Number(bytes.readBigUInt64LE(footer)),
    footer,
  ];
}

/** Typed view of a section of an image. */
export function numbersOf(image, tag) {
  const section = sectionOf(image, tag);
  const { buffer, byteOffset, length } = Buffer.from(section.bytes);
  const copy = buffer.slice(byteOffset, byteOffset + length);
  if (section.elementSize === 4) return new Uint32Array(copy);
  return section.elementSize === 2 ? new Uint16Array(copy) : new Uint8Array(copy);
}

export function sectionOf(image, tag) {
  const section = image.sections.find((candidate) => candidate.tag === tag);
  if (section === undefined) throw new Error(`no section ${tag}`);
  return section;
}

/** Replaces the content of a section by typed numbers. */
export function setNumbers(image, tag, numbers) {
  sectionOf(image, tag).bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/**
 * The file of an image: everything in it is as the format wants it, unless `edit` changes the body before its checksums are
 * made. @returns {{ bytes: Buffer, fileId: string, length: number, crc32: number, sha256: string }}
 */
export function writeImage({ type, indexId, sections }, edit = () => undefined) {
  const id = createHash("sha256");
  const number = (value) => {
    const field = Buffer.alloc(4);
    field.writeUInt32LE(value);
    return field;
  };
  id.update(number(type)).update(Buffer.from(indexId, "hex"));
  let end = HEAD_BYTES;
  const places = sections.map(({ tag, elementSize, bytes }) => {
    const name = Buffer.alloc(8);
    name.write(tag, "latin1");
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    id.update(name).update(number(elementSize)).update(bytes).update(length);
    const offset = end;
    end = align(end + bytes.length);
    return { name, offset };
  });
  const fileId = id.digest("hex").slice(0, 32);
  const blocks = Math.ceil(end / BLOCK_BYTES);
  const file = Buffer.alloc(end + 4 * blocks + FOOTER_BYTES);
  MAGIC.copy(file, 0);
  file.writeUInt32LE(1, 8);
  file.writeUInt32LE(type, 12);
  file.writeBigUInt64LE(BigInt(file.length), 16);
  file.write(indexId, 24, "hex");
  file.write(fileId, 40, "hex");
  file.writeUInt32LE(sections.length, 56);
  sections.forEach(({ elementSize, bytes }, i) => {
    const at = HEADER_BYTES + i * ENTRY_BYTES;
    places[i].name.copy(file, at);
    file.writeUInt32LE(elementSize, at + 8);
    file.writeBigUInt64LE(BigInt(places[i].offset), at + 16);
    file.writeBigUInt64LE(BigInt(bytes.length), at + 24);
    file.writeBigUInt64LE(BigInt(Math.floor(bytes.length / elementSize)), at + 32);
    bytes.copy(file, places[i].offset);
  });
  edit(file);
  seal(file, end);
  return {
    bytes: file,
    fileId,
    length: file.length,
    crc32: crc32(file),
    sha256: createHash("sha256").update(file).digest("hex"),
  };
}

/** Makes CRC table and footer of a file whose body has `end` bytes. */
function seal(file, end) {
  const blocks = Math.ceil(end / BLOCK_BYTES);
  for (let b = 0; b < blocks; b++) {
    file.writeUInt32LE(
      crc32(file.subarray(b * BLOCK_BYTES, Math.min((b + 1) * BLOCK_BYTES, end))),
      end + 4 * b,
    );
  }
  const footer = file.subarray(file.length - FOOTER_BYTES);
  footer.fill(0);
  footer.writeBigUInt64LE(BigInt(end), 0);
  footer.writeUInt32LE(BLOCK_BYTES, 8);
  footer.writeUInt32LE(crc32(file.subarray(end, end + 4 * blocks)), 12);
  MAGIC.forEach((byte, i) => {
    footer[24 + i] = byte ^ 0xff;
  });
  footer.writeUInt32LE(crc32(footer), 16);
}
