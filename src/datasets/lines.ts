/** Lines of a file, streamed as bytes, so that no line is a string before its length is known. */
import { createReadStream } from "node:fs";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";
import { recordKindOf } from "../text/formats.js";
import { decompress } from "./decompress.js";
import type { RecordFile } from "./types.js";
import { namingFile } from "./unreadable.js";

export interface FileLine {
  /** 1-based. */
  readonly line: number;
  /** UTF-8 decoded, without the line end; invalid sequences are U+FFFD. Undefined when the line is too long. */
  readonly text: string | undefined;
  /** Bytes of the line without LF. */
  readonly length: number;
}

/** Longer lines are not read, in bytes. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

const LF = 0x0a;
const CHUNK = 1 << 20;

/**
 * Lines of a file, or of the stream that a record file names instead. Errors: PATH_NOT_FOUND, IO, and INVALID_INPUT for UTF-16 and
 * damaged compression.
 */
export async function* readLines(
  source: string | RecordFile,
  maxBytes = MAX_LINE_BYTES,
): AsyncGenerator<FileLine> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let parts: Buffer[] = [];
  let length = 0;
  let line = 1;
  const take = (): FileLine => {
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const decoded = length > maxBytes ? undefined : decoder.decode(bytes);
    const text = line === 1 && decoded?.startsWith("\ufeff") ? decoded.slice(1) : decoded;
    const result = { line, text: text?.endsWith("\r") ? text.slice(0, -1) : text, length };
    parts = [];
    length = 0;
    line++;
    return result;
  };
  const append = (bytes: Buffer): void => {
    length += bytes.length;
    if (length > maxBytes) parts = [];
    else if (bytes.length > 0) parts.push(bytes);
  };
  for await (const chunk of readChunks(source)) {
    let at = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, at)) {
      append(chunk.subarray(at, end));
      yield take();
      at = end + 1;
    }
    append(chunk.subarray(at));
  }
  if (length > 0) yield take();
}

/** Bytes of a file, decompressed where its name ends with .gz or .zst; UTF-16, which is not streamed, is refused. Errors as readLines. */
export async function* readChunks(source: string | RecordFile): AsyncGenerator<Buffer> {
  const { path, input } = typeof source === "string" ? { path: source, input: undefined } : source;
  const compression = input === undefined ? recordKindOf(path)?.compression : undefined;
  const stored = input ?? readFileChunks(path);
  let first = true;
  try {
    for await (const bytes of compression === undefined ? stored : decompress(stored, compression)) {
      const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (first && isUtf16(chunk)) {
        throw new MaxsimError("INVALID_INPUT", `${path} is UTF-16, UTF-8 was expected`, {
          hint: `Convert it: iconv -f UTF-16 -t UTF-8 ${path}`,
        });
      }
      first = false;
      yield chunk;
    }
  } catch (error) {
    throw namingFile(path, error);
  }
}

async function* readFileChunks(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "EACCES") {
      throw new MaxsimError("PATH_NOT_FOUND", `cannot read ${path}: ${(error as Error).message}`, {
        hint: "Name a file that exists and can be read.",
        cause: error,
      });
    }
    throw code === undefined ? error : ioError("read", path, error);
  }
}

function isUtf16(chunk: Buffer): boolean {
  return (chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff);
}
