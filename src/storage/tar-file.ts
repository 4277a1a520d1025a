/** Tar archives written and read as streams; headers are in tar-format.ts. */
import { MaxsimError } from "../common/errors.js";
import { type ReadableFile, readAll } from "./file-system.js";
import { type ByteSink, type StreamOptions, streamRange } from "./stream-file.js";
import {
  damagedArchive,
  decodeTarHeader,
  encodeTarHeader,
  TAR_BLOCK,
  TAR_END,
  type TarHeader,
  tarEntryBytes,
} from "./tar-format.js";

/** Writes an archive to a sink, entry after entry. */
export class TarWriter {
  constructor(private readonly sink: ByteSink) {}

  /** An entry whose content `write` sends, exactly `size` bytes. Errors: those of the sink; INTERNAL. */
  async entry(header: TarHeader, write: (sink: ByteSink) => Promise<void>): Promise<void> {
    await this.sink(encodeTarHeader(header));
    let sent = 0;
    await write(async (bytes) => {
      sent += bytes.length;
      await this.sink(bytes);
    });
    if (sent !== header.size) {
      throw new MaxsimError("INTERNAL", `entry ${header.name} has ${sent} bytes, its header ${header.size}`);
    }
    const padding = tarEntryBytes(sent) - TAR_BLOCK - sent;
    if (padding > 0) await this.sink(Buffer.alloc(padding));
  }

  async end(): Promise<void> {
    await this.sink(Buffer.alloc(TAR_END));
  }
}

/** Reads an archive from its start to its end. A file that is not exactly an archive is CORRUPT. */
export class TarReader {
  private offset = 0;

  constructor(private readonly file: ReadableFile) {}

  /** The header of the next entry; undefined at the end. Its content must be read before the next call. */
  async next(): Promise<TarHeader | undefined> {
    const { path, length } = this.file;
    const at = this.offset;
    const block = await this.block(at);
    const header = decodeTarHeader(path, at, block);
    if (header === undefined) {
      if (length !== at + TAR_END)
        throw damagedArchive(path, at, `the last ${TAR_END} bytes`, `${length - at}`);
      requireZeros(path, at + TAR_BLOCK, await this.block(at + TAR_BLOCK));
      return undefined;
    }
    const end = at + tarEntryBytes(header.size);
    if (end + TAR_END > length) {
      const room = Math.max(0, length - at - TAR_BLOCK - TAR_END);
      throw damagedArchive(
        path,
        at,
        `${header.size} bytes of ${JSON.stringify(header.name)} and the end of the archive`,
        `an archive that has room for ${room}: it was cut short`,
      );
    }
    this.offset = at + TAR_BLOCK;
    return header;
  }

  /** Sends the content of the entry that `next` returned to `sink`; returns its SHA-256, hexadecimal. */
  async content({ size }: TarHeader, sink: ByteSink, options: StreamOptions): Promise<string> {
    const sha256 = await streamRange(this.file, this.offset, size, sink, options);
    const padding = tarEntryBytes(size) - TAR_BLOCK - size;
    const zeros = Buffer.alloc(padding);
    await readAll(this.file, zeros, this.offset + size);
    requireZeros(this.file.path, this.offset + size, zeros);
    this.offset += size + padding;
    return sha256;
  }

  private async block(offset: number): Promise<Buffer> {
    const block = Buffer.alloc(TAR_BLOCK);
    await readAll(this.file, block, offset);
    return block;
  }
}

function requireZeros(path: string, offset: number, bytes: Buffer): void {
  const at = bytes.findIndex((byte) => byte !== 0);
  if (at >= 0) throw damagedArchive(path, offset + at, "padding of 0", `${bytes[at]}`);
}
