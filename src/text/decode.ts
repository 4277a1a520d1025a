/** Bytes of a text file to a string. */
import { MaxsimError } from "../common/errors.js";

export interface DecodedText {
  /** Without byte order mark, well-formed. */
  readonly text: string;
  readonly encoding: "utf-8" | "utf-16le" | "utf-16be";
  /** Invalid sequences that became U+FFFD. */
  readonly replaced: number;
}

/** Bytes that are looked at to tell text from anything else. */
export const SNIFF_BYTES = 8192;

/** The longest V8 string has 536,870,888 code units. */
const MAX_BYTES = 500_000_000;

const REPLACEMENT = "\ufffd";
const LONE_SURROGATE = /\p{Surrogate}/gu;

/**
 * Whether a file that begins with these bytes is not text: a NUL outside of UTF-16, more than 10 % control
 * characters, or the mark of a PDF file. Only the first 8 KiB are looked at.
 */
export function isBinary(bytes: Uint8Array): boolean {
  if (utf16Order(bytes) !== undefined) return false;
  const head = bytes.subarray(0, SNIFF_BYTES);
  if (Buffer.from(head.buffer, head.byteOffset, Math.min(5, head.length)).toString("latin1") === "%PDF-")
    return true;
  let controls = 0;
  for (const byte of head) {
    if (byte === 0) return true;
    // Tab to carriage return, backspace and escape stand in text files: man pages, logs with colours.
    if ((byte < 0x20 && !(byte >= 0x08 && byte <= 0x0d) && byte !== 0x1b) || byte === 0x7f) controls++;
  }
  return controls * 10 > head.length;
}

/**
 * UTF-16 with a byte order mark, else UTF-8. What is invalid is replaced by U+FFFD and counted; NUL stays.
 * @param name of the file, for messages. Errors: INVALID_INPUT for more than 500,000,000 bytes.
 */
export function decodeText(bytes: Uint8Array, name = "the text"): DecodedText {
  if (bytes.length > MAX_BYTES) {
    throw new MaxsimError(
      "INVALID_INPUT",
      `${name} has ${bytes.length} bytes, at most ${MAX_BYTES} can be read`,
      {
        hint: "Split the file into smaller ones.",
      },
    );
  }
  const order = utf16Order(bytes);
  return order === undefined ? decodeUtf8(bytes) : decodeUtf16(bytes, order);
}

function utf16Order(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return undefined;
}

function decodeUtf8(bytes: Uint8Array): DecodedText {
  const text = new TextDecoder("utf-8").decode(bytes);
  const replaced = text.includes(REPLACEMENT) ? count(text, REPLACEMENT) - countWritten(bytes) : 0;
  return { text, encoding: "utf-8", replaced };
}

/** U+FFFD that stand in the bytes themselves. */
function countWritten(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let found = 0;
  for (let at = buffer.indexOf("efbfbd", 0, "hex"); at >= 0; at = buffer.indexOf("efbfbd", at + 3, "hex"))
    found++;
  return found;
}

function count(text: string, part: string): number {
  let found = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) found++;
  return found;
}

function decodeUtf16(bytes: Uint8Array, encoding: "utf-16le" | "utf-16be"): DecodedText {
  const even = bytes.length & ~1;
  const units = Buffer.from(bytes.subarray(2, even));
  if (encoding === "utf-16be") units.swap16();
  const odd = bytes.length - even;
  let replaced = odd;
  const text = units.toString("utf16le").replace(LONE_SURROGATE, () => {
    replaced++;
    return REPLACEMENT;
  });
  return { text: odd > 0 ? text + REPLACEMENT : text, encoding, replaced };
}
