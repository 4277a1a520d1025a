/** Section files for tests, and the checksums made again after a test has changed bytes. */
import { crc32 } from "node:zlib";
import type { FileType } from "../../../src/storage/file-names.js";
import type { FileSystem } from "../../../src/storage/file-system.js";
import type { ElementSize } from "../../../src/storage/section-format.js";
import { type FileSummary, SectionFileWriter } from "../../../src/storage/section-writer.js";

export const INDEX_ID = "00112233445566778899aabbccddeeff";

export interface TestSection {
  readonly tag: string;
  readonly elementSize: ElementSize;
  readonly parts: readonly Uint8Array[];
}

export async function writeSections(
  folder: string,
  sections: readonly TestSection[],
  fileSystem: FileSystem,
  type: FileType = "segment",
): Promise<FileSummary> {
  const writer = await SectionFileWriter.create(folder, { type, indexId: INDEX_ID, fileSystem });
  try {
    for (const { tag, elementSize, parts } of sections) {
      writer.section(tag, elementSize);
      for (const part of parts) await writer.append(part);
    }
    return await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Makes all CRCs of a container right again, so that a reader gets to what a test has changed. */
export function resign(file: Buffer): Buffer {
  const footer = file.length - 32;
  const bodyLength = Number(file.readBigUInt64LE(footer));
  for (let block = 0; block * 65536 < bodyLength; block++) {
    const end = Math.min((block + 1) * 65536, bodyLength);
    file.writeUInt32LE(crc32(file.subarray(block * 65536, end)), bodyLength + 4 * block);
  }
  file.writeUInt32LE(crc32(file.subarray(bodyLength, footer)), footer + 12);
  file.writeUInt32LE(0, footer + 16);
  file.writeUInt32LE(crc32(file.subarray(footer)), footer + 16);
  return file;
}
