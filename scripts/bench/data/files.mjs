// Typed arrays and files.

import { readFileSync } from "node:fs";

/** The bytes of a typed array, in place. */
export function bytesOf(array) {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A file as a typed array of its own. */
export function readTyped(path, Type) {
  const bytes = readFileSync(path);
  const out = new Type(bytes.length / Type.BYTES_PER_ELEMENT);
  bytesOf(out).set(bytes);
  return out;
}
