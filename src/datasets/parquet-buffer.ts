/** Bytes of a Parquet file, read where the library asks for them. */
import type { FileHandle } from "node:fs/promises";
import type { AsyncBuffer } from "hyparquet";
import { ioError } from "../common/errors.js";
import { UnreadableFile } from "../text/unreadable.js";

/** Errors, also of `slice`: IO; UnreadableFile for places outside of the file. */
export async function parquetBuffer(handle: FileHandle, path: string): Promise<AsyncBuffer> {
  let size: number;
  try {
    ({ size } = await handle.stat());
  } catch (error) {
    throw ioError("read", path, error);
  }
  return {
    byteLength: size,
    slice(start, end = size) {
      const bytes = readRange(handle, path, size, start, end);
      // The library asks for several ranges at once and forgets the others when one fails; who waits gets the error all the same.
      bytes.catch(() => undefined);
      return bytes;
    },
  };
}

async function readRange(
  handle: FileHandle,
  path: string,
  size: number,
  start: number,
  end: number,
): Promise<ArrayBuffer> {
  if (!(start >= 0 && end >= start && end <= size)) {
    throw new UnreadableFile(`the Parquet file is damaged: it names bytes ${start} to ${end} of ${size}`);
  }
  const bytes = new Uint8Array(end - start);
  for (let done = 0; done < bytes.length; ) {
    const bytesRead = await readAt(handle, path, bytes, done, start + done);
    if (bytesRead === 0) throw new UnreadableFile("the Parquet file became shorter while it was read");
    done += bytesRead;
  }
  return bytes.buffer;
}

async function readAt(
  handle: FileHandle,
  path: string,
  bytes: Uint8Array,
  offset: number,
  position: number,
): Promise<number> {
  try {
    return (await handle.read(bytes, offset, bytes.length - offset, position)).bytesRead;
  } catch (error) {
    throw ioError("read", path, error);
  }
}
