/** The rows of a score cache: read, written and removed by last use, in transactions of their own. */
import { crc32 } from "node:zlib";
import type Database from "better-sqlite3";
import { MaxsimError } from "../common/errors.js";

export interface ScoreRow {
  /** 32 bytes. */
  readonly key: Buffer;
  readonly values: Float64Array;
}

export interface FoundScores {
  readonly values: Float64Array;
  /** Milliseconds since 1970, maybe minutes too old. */
  readonly used: number;
}

export interface Totals {
  readonly entries: number;
  /** What the entries take of the file, about; see `rowBytes`. */
  readonly bytes: number;
}

/** Longest value that SQLite keeps within the page of its row, at pages of 4,096 bytes. */
const INLINE_BYTES = 900;
/** Bytes of a longer value that stay in the page of its row, and those in each page of its own. */
const LOCAL_BYTES = 489;
const OVERFLOW_BYTES = 4_092;
const PAGE_BYTES = 4_096;

/** What a row of so many bytes of values takes of the file: a little more than measured, index and unused space included. */
export function rowBytes(valueBytes: number): number {
  if (valueBytes <= INLINE_BYTES) return 128 + Math.ceil(1.4 * valueBytes);
  return 800 + PAGE_BYTES * Math.ceil((valueBytes - LOCAL_BYTES) / OVERFLOW_BYTES);
}

/** Statements of one connection. All calls throw what SQLite throws. */
export class ScoreRows {
  private readonly find;
  private readonly lengthOf;
  private readonly put;
  private readonly setUsed;
  private readonly oldest;
  private readonly remove;
  private readonly readTotals;
  private readonly writeTotals;
  private readonly lengths;

  constructor(readonly db: Database.Database) {
    this.find = db
      .prepare<[Buffer], [unknown, unknown, unknown]>(
        "SELECT used, checksum, scores FROM scores WHERE key = ?",
      )
      .raw();
    this.lengthOf = db.prepare<[Buffer], unknown>("SELECT length(scores) FROM scores WHERE key = ?").pluck();
    this.put = db.prepare<[Buffer, number, number, Buffer]>(
      "INSERT OR REPLACE INTO scores (key, used, checksum, scores) VALUES (?, ?, ?, ?)",
    );
    this.setUsed = db.prepare<[number, Buffer]>("UPDATE scores SET used = ? WHERE key = ?");
    this.oldest = db
      .prepare<[number], [Buffer, number]>("SELECT key, length(scores) FROM scores ORDER BY used LIMIT ?")
      .raw();
    this.remove = db.prepare<[Buffer]>("DELETE FROM scores WHERE key = ?");
    this.readTotals = db
      .prepare<[], [number, number, number]>("SELECT entries, bytes, checksum FROM totals WHERE id = 0")
      .raw();
    this.writeTotals = db.prepare<[number, number, number]>(
      "INSERT OR REPLACE INTO totals (id, entries, bytes, checksum) VALUES (0, ?, ?, ?)",
    );
    this.lengths = db.prepare<[], number>("SELECT length(scores) FROM scores").pluck();
  }

  /** One result a key; undefined as well for rows that do not match their checksum, which `damaged` is called for. */
  read(keys: readonly Buffer[], damaged: () => void): (FoundScores | undefined)[] {
    return this.db.transaction(() =>
      keys.map((key): FoundScores | undefined => {
        const row = this.find.get(key);
        if (row === undefined) return undefined;
        const [used, checksum, bytes] = row;
        if (!Buffer.isBuffer(bytes) || bytes.length % 8 !== 0 || checksumOf(key, bytes) !== checksum) {
          damaged();
          return undefined;
        }
        return { values: decode(bytes), used: Number(used) };
      }),
    )();
  }

  /** Writes rows, those with the same key are replaced. `now` in milliseconds since 1970. */
  write(rows: readonly ScoreRow[], now: number): void {
    this.db
      .transaction(() => {
        let { entries, bytes } = this.totals();
        for (const { key, values } of rows) {
          const before = this.lengthOf.get(key);
          const encoded = encode(values);
          this.put.run(key, now, checksumOf(key, encoded), encoded);
          if (before === undefined) entries++;
          else bytes -= rowBytes(Number(before));
          bytes += rowBytes(encoded.length);
        }
        this.setTotals(entries, bytes);
      })
      .immediate();
  }

  /** Tells of a use; keys that are gone are passed over. */
  touch(keys: readonly Buffer[], now: number): void {
    this.db
      .transaction(() => {
        for (const key of keys) this.setUsed.run(now, key);
      })
      .immediate();
  }

  /**
   * Removes rows that were not used for longest until at most `target` bytes are left, at most `most` of them. True when that is done,
   * false when another call is needed. Errors beside SQLite's: CORRUPT.
   */
  evict(target: number, most: number): boolean {
    return this.db
      .transaction(() => {
        let { entries, bytes } = this.totals();
        if (bytes <= target) return true;
        const rows = this.oldest.all(most);
        for (const [key, length] of rows) {
          if (bytes <= target) break;
          this.remove.run(key);
          entries--;
          bytes -= rowBytes(length);
        }
        if (bytes > target && rows.length < most) {
          // All rows that the index knows are gone, so either the record of the totals was wrong, or the index is.
          ({ entries, bytes } = this.countRows());
          if (bytes > target) {
            throw new MaxsimError("CORRUPT", `${this.db.name} is damaged: its index lacks ${entries} rows`);
          }
        }
        this.setTotals(entries, bytes);
        return bytes <= target;
      })
      .immediate();
  }

  /** Kept from one write to the next, and counted where that record is damaged or not there. */
  totals(): Totals {
    const row = this.readTotals.get();
    if (row !== undefined && row[2] === totalsChecksum(row[0], row[1])) {
      return { entries: row[0], bytes: row[1] };
    }
    return this.countRows();
  }

  /** Removes all rows and gives their space back to the file system. */
  clear(): void {
    this.db
      .transaction(() => {
        this.db.exec("DELETE FROM scores");
        this.setTotals(0, 0);
      })
      .immediate();
    this.db.exec("VACUUM");
    this.db.pragma("wal_checkpoint(TRUNCATE)");
  }

  private countRows(): Totals {
    let entries = 0;
    let bytes = 0;
    for (const length of this.lengths.iterate()) {
      entries++;
      bytes += rowBytes(length);
    }
    return { entries, bytes };
  }

  private setTotals(entries: number, bytes: number): void {
    this.writeTotals.run(entries, bytes, totalsChecksum(entries, bytes));
  }
}

function totalsChecksum(entries: number, bytes: number): number {
  return crc32(`${entries} ${bytes}`);
}

function checksumOf(key: Buffer, scores: Buffer): number {
  // The key last: some versions take the checksum of no bytes for 0, whatever went before.
  return crc32(key, crc32(scores));
}

function encode(values: Float64Array): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 8);
  for (let i = 0; i < values.length; i++) bytes.writeDoubleLE(values[i]!, i * 8);
  return bytes;
}

function decode(bytes: Buffer): Float64Array {
  return Float64Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(i * 8));
}
