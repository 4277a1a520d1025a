/**
 * Headers of tar archives (POSIX ustar), for regular files with short names, which is all that a backup holds. Sizes
 * of 8 GiB and more are written in binary, as GNU tar has them. Every standard tool unpacks the result.
 *
 * An archive is, for each file, a header of 512 bytes and its bytes padded with zeros to a multiple of 512; two blocks
 * of zeros end it.
 */
import { MaxsimError } from "../common/errors.js";

export const TAR_BLOCK = 512;

/** Bytes of zeros at the end of an archive. */
export const TAR_END = 2 * TAR_BLOCK;

export interface TarHeader {
  readonly name: string;
  /** Bytes, without padding. */
  readonly size: number;
}

const NAME_BYTES = 100;
const SIZE_AT = 124;
const CHECKSUM_AT = 148;
const TYPE_AT = 156;
const MAGIC_AT = 257;
const PREFIX_AT = 345;
const PREFIX_BYTES = 155;
/** Eleven octal digits state less than this. */
const OCTAL_LIMIT = 2 ** 33;

const TYPE_NAMES: Readonly<Record<string, string>> = {
  "1": "a hard link",
  "2": "a symbolic link",
  "3": "a device",
  "4": "a device",
  "5": "a folder",
  "6": "a FIFO",
  g: "an extended header",
  x: "an extended header",
  K: "a long name",
  L: "a long name",
};

/** Says where in an archive what was expected and what was found. */
export function damagedArchive(path: string, offset: number, expected: string, found: string): MaxsimError {
  return new MaxsimError(
    "CORRUPT",
    `${path} is damaged at byte ${offset}: expected ${expected}, found ${found}`,
    { hint: "Use another copy of the archive." },
  );
}

/** Bytes of an entry of `size` bytes: header, content and padding. */
export function tarEntryBytes(size: number): number {
  return TAR_BLOCK + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

/** The name is ASCII, at most 100 characters. Owner, group and time are 0, so that equal files give equal archives. */
export function encodeTarHeader({ name, size }: TarHeader): Buffer {
  if (!/^[\x21-\x7e]{1,100}$/.test(name) || !Number.isSafeInteger(size) || size < 0) {
    throw new MaxsimError("INTERNAL", `no tar header has the name ${JSON.stringify(name)} and size ${size}`);
  }
  const header = Buffer.alloc(TAR_BLOCK);
  header.write(name, 0, "latin1");
  header.write("0000644\0", 100, "latin1");
  header.write("0000000\0", 108, "latin1");
  header.write("0000000\0", 116, "latin1");
  if (size < OCTAL_LIMIT) header.write(`${size.toString(8).padStart(11, "0")}\0`, SIZE_AT, "latin1");
  else {
    header[SIZE_AT] = 0x80;
    header.writeBigUInt64BE(BigInt(size), SIZE_AT + 4);
  }
  header.write("00000000000\0", 136, "latin1");
  header.write("0", TYPE_AT, "latin1");
  header.write("ustar\x0000", MAGIC_AT, "latin1");
  header.write(`${checksumOf(header).toString(8).padStart(6, "0")}\0 `, CHECKSUM_AT, "latin1");
  return header;
}

/** Undefined for a block of zeros, which ends an archive. Errors: CORRUPT naming the archive, the byte and the entry. */
export function decodeTarHeader(path: string, offset: number, block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const stated = octal(block, CHECKSUM_AT, 8);
  const found = checksumOf(block);
  if (stated === undefined) throw damagedArchive(path, offset, "a tar header", "something else");
  if (stated !== found) {
    throw damagedArchive(path, offset + CHECKSUM_AT, `a tar header with the checksum ${found}`, `${stated}`);
  }
  if (block.toString("latin1", MAGIC_AT, MAGIC_AT + 5) !== "ustar") {
    throw damagedArchive(path, offset + MAGIC_AT, "a ustar header", "another kind of tar archive");
  }
  const name = text(block, 0, NAME_BYTES);
  const prefix = text(block, PREFIX_AT, PREFIX_BYTES);
  const whole = prefix === "" ? name : `${prefix}/${name}`;
  const type = String.fromCharCode(block[TYPE_AT]!);
  if (type !== "0" && type !== "\0") {
    throw damagedArchive(
      path,
      offset + TYPE_AT,
      "regular files only",
      `${TYPE_NAMES[type] ?? `an entry of type ${JSON.stringify(type)}`}, ${JSON.stringify(whole)}`,
    );
  }
  const size = sizeOf(block);
  if (size === undefined) {
    throw damagedArchive(
      path,
      offset + SIZE_AT,
      `the size of ${JSON.stringify(whole)}`,
      "none that can be read",
    );
  }
  return { name: whole, size };
}

/** Sum of all bytes, those of the checksum itself taken as spaces. */
function checksumOf(header: Buffer): number {
  let sum = 0;
  for (let i = 0; i < TAR_BLOCK; i++) {
    sum += i >= CHECKSUM_AT && i < CHECKSUM_AT + 8 ? 0x20 : header[i]!;
  }
  return sum;
}

function sizeOf(header: Buffer): number | undefined {
  if ((header[SIZE_AT]! & 0x80) === 0) return octal(header, SIZE_AT, 12);
  const size = header.readBigUInt64BE(SIZE_AT + 4);
  if (header.readUInt32BE(SIZE_AT) !== 0x80000000 || size > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return Number(size);
}

/** Octal digits, ended by NUL or space. */
function octal(header: Buffer, at: number, length: number): number | undefined {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(header.toString("latin1", at, at + length))?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

function text(header: Buffer, at: number, length: number): string {
  const bytes = header.subarray(at, at + length);
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end < 0 ? length : end);
}
