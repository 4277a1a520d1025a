/** Decompression of the pages of Parquet files, within limits. */
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { Compressors } from "hyparquet";
import { importOptional } from "../common/optional-package.js";
import { UnreadableFile } from "../text/unreadable.js";
import { ZstdFrames } from "./zstd-frames.js";

const MAX_PAGE_BYTES = 512 * 1024 * 1024;

/** Each checks what a page is said to grow to before it reserves it. Errors: PACKAGE_MISSING; of a page UnreadableFile, and those of the libraries. */
export async function loadCompressors(purpose: string): Promise<Compressors> {
  const { compressors } = await importOptional(
    "hyparquet-compressors",
    purpose,
    () => import("hyparquet-compressors"),
  );
  const all: Compressors = {
    ...compressors,
    GZIP: (input, length) => gunzipSync(input, { maxOutputLength: length + 1 }),
    BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: length + 1 }),
    ZSTD: (input, length) => {
      new ZstdFrames().push(input);
      return compressors.ZSTD!(input, length);
    },
  };
  return Object.fromEntries(
    Object.entries(all).map(([codec, decompress]) => [
      codec,
      (input: Uint8Array, length: number) => {
        if (!(length >= 0 && length <= MAX_PAGE_BYTES)) {
          throw new UnreadableFile(
            `a page of the Parquet file has ${length} bytes, at most ${MAX_PAGE_BYTES} are read`,
          );
        }
        return decompress(input, length);
      },
    ]),
  );
}
