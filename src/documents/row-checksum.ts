/**
 * The checksum that every row of the catalog carries, because SQLite does not notice a flipped bit.
 *
 * CRC-32 (the one of zlib) over these bytes, all numbers little-endian:
 *   text value of the table's name, then the value of each column, the key first, `checksum` itself left out;
 *   a value is one byte for its type and then
 *     0  NULL     nothing
 *     1  integer  i64
 *     2  text     u32 number of bytes, UTF-8 bytes
 *     3  real     f64
 *     4  blob     u32 number of bytes, the bytes
 * Type and length come before the bytes, so no two different rows give the same input.
 * It is stored as a signed 32-bit integer, which takes SQLite 4 bytes.
 */
import { crc32 } from "node:zlib";
import { MaxsimError } from "../common/errors.js";

export type ColumnValue = string | number | null | Uint8Array;

let scratch = Buffer.alloc(65536);

function reserve(used: number, more: number): void {
  if (used + more <= scratch.length) return;
  const larger = Buffer.alloc(Math.max(2 * scratch.length, used + more));
  scratch.copy(larger, 0, 0, used);
  scratch = larger;
}

function put(value: ColumnValue, at: number): number {
  if (value === null) {
    reserve(at, 1);
    scratch[at] = 0;
    return at + 1;
  }
  if (typeof value === "number") {
    reserve(at, 9);
    const integer = Number.isSafeInteger(value);
    scratch[at] = integer ? 1 : 3;
    if (integer) {
      scratch.writeUInt32LE(value >>> 0, at + 1);
      scratch.writeInt32LE(Math.floor(value / 2 ** 32), at + 5);
    } else {
      scratch.writeDoubleLE(value, at + 1);
    }
    return at + 9;
  }
  if (typeof value === "string") {
    // A UTF-16 code unit takes at most 3 bytes in UTF-8.
    reserve(at, 5 + 3 * value.length);
    const length = scratch.write(value, at + 5, "utf8");
    scratch[at] = 2;
    scratch.writeUInt32LE(length, at + 1);
    return at + 5 + length;
  }
  reserve(at, 5 + value.length);
  scratch[at] = 4;
  scratch.writeUInt32LE(value.length, at + 1);
  scratch.set(value, at + 5);
  return at + 5 + value.length;
}

/** Checksum of a row: its table and its columns in the order of the schema, without the checksum. */
export function rowChecksum(table: string, values: readonly ColumnValue[]): number {
  let end = put(table, 0);
  for (const value of values) end = put(value, end);
  const crc = crc32(scratch.subarray(0, end)) | 0;
  // One huge text must not keep its memory for ever.
  if (scratch.length > 1 << 24) scratch = Buffer.alloc(65536);
  return crc;
}

/**
 * Checks a row that was read in schema order, `checksum` last, and returns it.
 * Errors: CORRUPT naming the catalog, the table and the key as read.
 */
export function checkRow<Row extends readonly ColumnValue[]>(path: string, table: string, row: Row): Row {
  const stated = row.at(-1);
  const found = rowChecksum(table, row.slice(0, -1));
  if (stated !== found) {
    throw new MaxsimError(
      "CORRUPT",
      `${path} is damaged: row ${String(row[0])} of ${table} has the checksum ${found}, expected ${String(stated)}`,
      { hint: "Restore the index from a copy, or build it again." },
    );
  }
  return row;
}
