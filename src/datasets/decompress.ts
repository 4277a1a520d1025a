/** Streams of compressed bytes: gzip through zlib, zstd through fzstd. What is held does not grow with the file. */
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Decompress } from "fzstd";
import { systemCode } from "../common/errors.js";
import type { Compression } from "../text/formats.js";
import { damaged, UnreadableFile } from "../text/unreadable.js";
import { ZstdFrames } from "./zstd-frames.js";

/** Text shrinks to a tenth; what grows by more than this, once it is large, is made to fill memory or disk. */
const MAX_RATIO = 500;
const FREE_BYTES = 256 * 1024 * 1024;

/** A block of zstd grows from 4 bytes to 128 KiB at most, so that a slice gives 128 MiB at most. */
const SLICE = 4096;

/** Errors: UnreadableFile for what is damaged, cut short or a bomb; those of `chunks`. */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Buffer> {
  const expansion = new Expansion();
  const counted = (async function* () {
    for await (const chunk of chunks) {
      expansion.input += chunk.length;
      yield chunk;
    }
  })();
  const output = compression === "gzip" ? gunzip(counted) : unzstd(counted);
  for await (const chunk of output) {
    expansion.add(chunk.length);
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}

class Expansion {
  input = 0;
  private output = 0;

  add(bytes: number): void {
    this.output += bytes;
    if (this.output > FREE_BYTES && this.output > this.input * MAX_RATIO) {
      throw new UnreadableFile(
        `it grows to more than ${MAX_RATIO} times its size: ${this.input} bytes became ${this.output}`,
      );
    }
  }
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = createGunzip();
  // An error of the source ends the stream with it, and the loop below throws it.
  pipeline(Readable.from(chunks), stream, () => undefined);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    const code = systemCode(error);
    if (code === "Z_BUF_ERROR") throw new UnreadableFile("the gzip data ends early", { cause: error });
    throw code?.startsWith("Z_") === true ? damaged("the gzip data", error) : error;
  }
}

async function* unzstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames();
  let ready: Uint8Array[] = [];
  const stream = new Decompress((chunk) => {
    if (chunk.length > 0) ready.push(chunk);
  });
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += SLICE) {
      const slice = chunk.subarray(at, at + SLICE);
      // Before the decompressor reserves a window.
      frames.push(slice);
      pushZstd(stream, slice);
      yield* ready;
      ready = [];
    }
  }
  frames.finish();
  // Frames of a few bytes are held until the end is told.
  pushZstd(stream, new Uint8Array(0), true);
  yield* ready;
}

function pushZstd(stream: Decompress, slice: Uint8Array, isLast = false): void {
  try {
    // It may keep the bytes, which the source may write over.
    stream.push(slice.slice(), isLast);
  } catch (error) {
    throw damaged("the zstd data", error);
  }
}
