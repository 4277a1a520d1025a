/**
 * Opens section files: mapped where there is a mapper, read into memory otherwise.
 *
 * Head, section table, footer and CRC table are verified at open, and so are all blocks of a file that is read or small.
 * The blocks of a large mapped file are verified on first touch (`SectionFile.ensure`).
 */
import { crc32 } from "node:zlib";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { corruptFile } from "./corrupt-file.js";
import type { FileMapper, MappedFile } from "./file-mapper.js";
import { type FileSystem, type ReadableFile, readAll } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";
import {
  checkFooter,
  checkIdentity,
  decodeHeader,
  decodeSections,
  type ExpectedFile,
} from "./section-checks.js";
import { SectionFile, type SectionFileDescription, type SectionFileIdentity } from "./section-file.js";
import { BLOCK_BYTES, blockCount, FOOTER_BYTES, HEAD_BYTES, requireLittleEndian } from "./section-format.js";
import { checkBlock, VerifiedBlocks } from "./verified-blocks.js";

export type { ExpectedFile } from "./section-checks.js";

export interface ReadOptions {
  readonly fs?: FileSystem;
  /** Without one, or where it cannot map, the whole file is read into memory and verified. */
  readonly mapper?: FileMapper | undefined;
  /** A mapped file of at most this many bytes is verified as a whole. */
  readonly verifyWhole?: number;
}

/** Takes about 10 ms. */
export const VERIFY_WHOLE_BYTES = 32 << 20;

/** One typed array cannot span more. */
const MAX_FILE_BYTES = 2 ** 32;
/** A file without sections: head, one CRC, footer. */
const MIN_FILE_BYTES = HEAD_BYTES + 4 + FOOTER_BYTES;
const READ_BYTES = 128 * BLOCK_BYTES;
/** Blocks that hold the head. */
const HEAD_BLOCKS = blockCount(HEAD_BYTES);

/**
 * Opens a section file. Errors: CORRUPT naming file, offset, expected and found; FORMAT_TOO_NEW; PATH_NOT_FOUND; IO.
 */
export async function readSectionFile(
  path: string,
  expected: ExpectedFile,
  options: ReadOptions = {},
): Promise<SectionFile> {
  requireLittleEndian();
  const { fs = nodeFileSystem, mapper, verifyWhole = VERIFY_WHOLE_BYTES } = options;
  const mapping = mapKnown(path, expected.length, mapper);
  if (mapping !== undefined) return openMapped(path, mapping, expected, verifyWhole);
  const file = await fs.openForReading(path);
  try {
    checkLength(path, file.length, expected);
    const late = mapper?.map(path, file.length);
    if (late === undefined) return await readWhole(file, expected);
    return openMapped(path, late, expected, verifyWhole);
  } finally {
    await file.close();
  }
}

/** Maps without looking at the file first, which saves turns of the event loop; undefined when that does not work out. */
function mapKnown(
  path: string,
  length: number | undefined,
  mapper: FileMapper | undefined,
): MappedFile | undefined {
  if (mapper === undefined || length === undefined || length < MIN_FILE_BYTES || length > MAX_FILE_BYTES) {
    return undefined;
  }
  try {
    return mapper.map(path, length);
  } catch (error) {
    // A second look says what is wrong with the file; where nothing is, mapping fails there again.
    if (isMaxsimError(error)) return undefined;
    throw error;
  }
}

/**
 * The file of a thread for another one, without verifying anything again. Mapped files need the mapper of the calling thread;
 * they stay open until both threads have closed them. Errors: CLOSED when nobody holds the file any more.
 */
export function attachSectionFile(
  description: SectionFileDescription,
  mapper: FileMapper | undefined,
): SectionFile {
  const { memory, verified, ...identity } = description;
  if (typeof memory !== "number") return new SectionFile(identity, { buffer: memory, mapping: null }, null);
  const mapping = mapper?.attach(identity.path, memory);
  if (mapping === undefined) {
    throw new MaxsimError(
      "INTERNAL",
      `${identity.path} is mapped by another thread and this one cannot map files`,
    );
  }
  const { buffer } = mapping;
  const body = { ...identity, bytes: new Uint8Array(buffer) };
  const blocks = verified === null ? null : new VerifiedBlocks(body, identity.sections, verified);
  return new SectionFile(identity, { buffer, mapping }, blocks);
}

function checkLength(path: string, length: number, expected: ExpectedFile): void {
  if (expected.length !== undefined && length !== expected.length) {
    throw corruptFile(path, length, `a file of ${expected.length} bytes`, `${length} bytes`);
  }
  if (length < MIN_FILE_BYTES) {
    throw corruptFile(path, length, `at least ${MIN_FILE_BYTES} bytes`, `${length} bytes`);
  }
  if (length > MAX_FILE_BYTES) {
    throw new MaxsimError("IO", `${path} has ${length} bytes, the limit is ${MAX_FILE_BYTES}`, {
      hint: "Build the index with smaller segments.",
    });
  }
}

async function readWhole(file: ReadableFile, expected: ExpectedFile): Promise<SectionFile> {
  const buffer = new SharedArrayBuffer(file.length);
  const bytes = Buffer.from(buffer);
  const crcs = await readBlocks(file, bytes);
  const identity = checkFile(file.path, bytes, expected, Number.POSITIVE_INFINITY, crcs);
  return new SectionFile(identity, { buffer, mapping: null }, null);
}

function openMapped(
  path: string,
  mapping: MappedFile,
  expected: ExpectedFile,
  verifyWhole: number,
): SectionFile {
  try {
    const { buffer } = mapping;
    const bytes = Buffer.from(buffer);
    const whole = bytes.length <= verifyWhole;
    const identity = checkFile(path, bytes, expected, whole ? Number.POSITIVE_INFINITY : HEAD_BLOCKS, []);
    if (whole) return new SectionFile(identity, { buffer, mapping }, null);
    const blocks = new VerifiedBlocks({ ...identity, bytes: new Uint8Array(buffer) }, identity.sections);
    for (let block = 0; block < HEAD_BLOCKS; block++) blocks.mark(block);
    return new SectionFile(identity, { buffer, mapping }, blocks);
  } catch (error) {
    mapping.close();
    throw error;
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

/**
 * Checks everything but the blocks from `verified` on.
 * @param crcs those of whole blocks, as far as they are known already.
 */
function checkFile(
  path: string,
  bytes: Buffer,
  expected: ExpectedFile,
  verified: number,
  crcs: readonly number[],
): SectionFileIdentity {
  const header = decodeHeader(path, bytes);
  const { bodyLength, tableCrc } = checkFooter(
    path,
    bytes.subarray(bytes.length - FOOTER_BYTES),
    bytes.length,
  );
  if (header.fileLength !== bytes.length) {
    throw corruptFile(path, 16, `a length of ${bytes.length} bytes`, `${header.fileLength}`);
  }
  const blocks = blockCount(bodyLength);
  const found = crc32(bytes.subarray(bodyLength, bodyLength + 4 * blocks));
  if (found !== tableCrc) {
    throw corruptFile(path, bodyLength, `a CRC table with the CRC ${tableCrc}`, `${found}`);
  }
  const body = { path, bytes, bodyLength };
  for (let block = 0; block < Math.min(verified, blocks); block++) {
    const whole = (block + 1) * BLOCK_BYTES <= bodyLength;
    checkBlock(body, block, whole ? crcs[block] : undefined);
  }
  checkIdentity(path, header, expected);
  const sections = decodeSections(path, bytes, header.sectionCount, bodyLength);
  return { path, type: expected.type, indexId: header.indexId, fileId: header.fileId, bodyLength, sections };
}
