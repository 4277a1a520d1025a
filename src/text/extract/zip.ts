/**
 * Zip archives, as Word documents and EPUB books are: the directory at the end, then single entries, each inflated only as far
 * as a limit for all of them together allows and compared with its checksum. Nothing is written anywhere.
 */
import { crc32, inflateRawSync } from "node:zlib";
import { systemCode } from "../../common/errors.js";
import { UnreadableFile } from "../unreadable.js";

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;

/** Bytes of the end record, of a directory entry and of a local header without their names. */
const END_LENGTH = 22;
const ENTRY_LENGTH = 46;
const LOCAL_LENGTH = 30;

/** The end record is followed by a comment of at most 65,535 bytes. */
const MAX_COMMENT = 0xffff;

const MAX_ENTRIES = 50_000;

/** Bytes that all entries read of one archive may have together. */
export const MAX_UNZIPPED = 256 * 1024 * 1024;

interface Entry {
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  /** Bytes, compressed and as the directory says that it is without compression. */
  readonly packed: number;
  readonly size: number;
  /** Offset of the local header. */
  readonly at: number;
}

/** Reads entries of an archive that lies in memory. */
export class ZipReader {
  private readonly entries = new Map<string, Entry>();
  private left: number;

  /** Errors: UnreadableFile for what is no zip archive, or has no whole directory. */
  constructor(
    private readonly zip: Buffer,
    private readonly limit = MAX_UNZIPPED,
  ) {
    this.left = limit;
    this.readDirectory();
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** Names of all entries, in the order of the directory. */
  names(): string[] {
    return [...this.entries.keys()];
  }

  /** Bytes of an entry; undefined when there is none of that name. Errors: UnreadableFile. */
  read(name: string): Buffer | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    if (entry.encrypted) throw new UnreadableFile(`it is encrypted (${name})`);
    const packed = this.packedBytes(name, entry);
    if (entry.size > this.left) throw this.tooLarge();
    const bytes = entry.method === 0 ? packed : this.inflate(name, packed, entry);
    if (bytes.length !== entry.size || crc32(bytes) !== entry.crc) {
      throw new UnreadableFile(`the archive is damaged: ${name} does not match its checksum`);
    }
    this.left -= bytes.length;
    return bytes;
  }

  private inflate(name: string, packed: Buffer, { method, size }: Entry): Buffer {
    if (method !== 8)
      throw new UnreadableFile(`${name} is compressed in a way that is not known (${method})`);
    try {
      // One more, so that an entry that is longer than it says is found out.
      return inflateRawSync(packed, { maxOutputLength: size + 1 });
    } catch (error) {
      const isLonger = systemCode(error) === "ERR_BUFFER_TOO_LARGE";
      throw new UnreadableFile(
        `the archive is damaged: ${name} ${isLonger ? "is longer than it says" : "cannot be decompressed"}`,
        { cause: error },
      );
    }
  }

  private packedBytes(name: string, { at, packed }: Entry): Buffer {
    const { zip } = this;
    if (at + LOCAL_LENGTH > zip.length || zip.readUInt32LE(at) !== LOCAL_ENTRY) throw cutShort(name);
    const start = at + LOCAL_LENGTH + zip.readUInt16LE(at + 26) + zip.readUInt16LE(at + 28);
    if (start + packed > zip.length) throw cutShort(name);
    return zip.subarray(start, start + packed);
  }

  private tooLarge(): UnreadableFile {
    return new UnreadableFile(`its content has more than ${this.limit} bytes without compression`);
  }

  private readDirectory(): void {
    const { zip } = this;
    const end = findEnd(zip);
    if (end === undefined) throw new UnreadableFile("it is no zip archive, or its end is missing");
    const count = zip.readUInt16LE(end + 10);
    const start = zip.readUInt32LE(end + 16);
    if (count === 0xffff || start === 0xffffffff || count > MAX_ENTRIES) {
      throw new UnreadableFile(`the archive has more than ${MAX_ENTRIES} entries, or is larger than 4 GB`);
    }
    let at = start;
    for (let i = 0; i < count; i++) {
      if (at + ENTRY_LENGTH > end || zip.readUInt32LE(at) !== DIRECTORY_ENTRY)
        throw cutShort("its directory");
      const nameLength = zip.readUInt16LE(at + 28);
      const next = at + ENTRY_LENGTH + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
      if (next > end) throw cutShort("its directory");
      this.entries.set(zip.toString("utf8", at + ENTRY_LENGTH, at + ENTRY_LENGTH + nameLength), {
        encrypted: (zip.readUInt16LE(at + 8) & 1) === 1,
        method: zip.readUInt16LE(at + 10),
        crc: zip.readUInt32LE(at + 16),
        packed: zip.readUInt32LE(at + 20),
        size: zip.readUInt32LE(at + 24),
        at: zip.readUInt32LE(at + 42),
      });
      at = next;
    }
  }
}

/** Offset of the end record: the last one whose comment reaches the end of the file. */
function findEnd(zip: Buffer): number | undefined {
  for (let at = zip.length - END_LENGTH; at >= Math.max(0, zip.length - END_LENGTH - MAX_COMMENT); at--) {
    if (
      zip.readUInt32LE(at) === END_OF_DIRECTORY &&
      at + END_LENGTH + zip.readUInt16LE(at + 20) <= zip.length
    )
      return at;
  }
  return undefined;
}

function cutShort(what: string): UnreadableFile {
  return new UnreadableFile(`the archive is damaged: ${what} is not where it should be`);
}
