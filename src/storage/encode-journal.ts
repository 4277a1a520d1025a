/**
 * The journal of a running add: every passage that was encoded, under a key made from its text. It outlives the
 * process, so that an add which was killed, aborted or ran out of disk space encodes nothing twice when it is run
 * again; a successful commit removes it.
 *
 * Layout, little-endian. Header of 64 bytes: magic (8), u32 format version, u32 CRC-32 of the header with this field
 * taken as 0, index id (16), SHA-256 of the model's fingerprint as text (32). Then one record after the other: u32
 * payload bytes, u32 CRC-32 of the payload, key (16), u32 CRC-32 of the 24 bytes before, payload.
 *
 * Written without sync: what the process handed to the system survives its death. After a power cut, and after damage,
 * what has its right checksums counts; everything else is encoded again.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { MaxsimError } from "../common/errors.js";
import { type FileSystem, type ReadableFile, readAll, type WritableFile, writeAll } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";
import { OffsetTable } from "./offset-table.js";

/** File in the index folder. */
export const JOURNAL_NAME = "encode.journal";

const MAGIC = Buffer.from("\x8dMAXJRN\n", "latin1");
const FORMAT_VERSION = 1;
const HEADER_BYTES = 64;
const HEADER_CRC_AT = 12;
/** Length, CRC of the payload, key, CRC of these. */
const RECORD_HEAD_BYTES = 28;
const RECORD_CRC_AT = 24;
const CHUNK_BYTES = 1 << 20;
/** Most records are not longer: 100 tokens of dimension 128 take 13.6 KiB. */
const FIRST_READ_BYTES = 1 << 14;

export interface JournalOwner {
  /** 32 hexadecimal digits. */
  readonly indexId: string;
  /** Fingerprint of the model that encodes. */
  readonly fingerprint: string;
}

export interface JournalEntry {
  /** In memory of its own, which is aligned for any typed array. */
  readonly payload: ArrayBuffer;
  /** Whether it was there when the journal was opened. */
  readonly before: boolean;
}

/** Key of a passage: the first 16 bytes of the SHA-256 of its text in UTF-16, so that no two texts look alike. */
export function journalKey(text: string): Buffer {
  return createHash("sha256").update(text, "utf16le").digest().subarray(0, 16);
}

export class EncodeJournal {
  /** Bytes that are in the file, and bytes that will be when `pending` is written. */
  private written: number;
  private end: number;
  private pending: Buffer[] = [];
  private writing: Promise<void> = Promise.resolve();
  private reader: Promise<ReadableFile> | undefined;
  private writer: WritableFile | undefined;
  private closed = false;

  private constructor(
    private readonly fs: FileSystem,
    readonly path: string,
    private readonly header: Buffer,
    private readonly table: OffsetTable,
    /** Bytes that were there when it was opened; 0 when there is no file yet. */
    private readonly before: number,
  ) {
    this.written = before;
    this.end = before;
  }

  /**
   * Opens the journal of an index folder and looks through all of it. A journal of another index or model, or one that
   * has lost its header, is deleted; without one the file is made when something is appended. Only under the writer
   * lock. Errors: IO.
   */
  static async open(
    folder: string,
    owner: JournalOwner,
    fs: FileSystem = nodeFileSystem,
  ): Promise<EncodeJournal> {
    const path = join(folder, JOURNAL_NAME);
    const header = makeHeader(owner);
    const table = new OffsetTable();
    let end = 0;
    if ((await fs.list(folder)).includes(JOURNAL_NAME)) {
      const file = await fs.openForReading(path);
      try {
        if (await startsWith(file, header)) end = await scanRecords(file, table);
      } finally {
        await file.close();
      }
      if (table.size === 0) {
        await fs.unlink(path);
        end = 0;
      }
    }
    return new EncodeJournal(fs, path, header, table, end);
  }

  /** Whether a folder has a journal with something in it, of whatever index and model. Errors: IO. */
  static async exists(folder: string, fs: FileSystem = nodeFileSystem): Promise<boolean> {
    if (!(await fs.list(folder)).includes(JOURNAL_NAME)) return false;
    const file = await fs.openForReading(join(folder, JOURNAL_NAME));
    await file.close();
    return file.length > HEADER_BYTES;
  }

  /** Records, those included that replace damaged ones. */
  get records(): number {
    return this.table.size;
  }

  /** The payload of a key; undefined when there is none, or only one that is damaged. Errors: IO, DISK_FULL. */
  async get(key: Uint8Array): Promise<JournalEntry | undefined> {
    this.assertOpen();
    for (const offset of this.table.find(tagOf(key))) {
      if (offset >= this.written) await this.flush();
      this.assertOpen();
      this.reader ??= this.fs.openForReading(this.path);
      const payload = await readRecord(await this.reader, offset, this.written, key);
      if (payload !== undefined) return { payload, before: offset < this.before };
    }
    return undefined;
  }

  /** Appends a record of these parts. It is in the file after `flush`, and readable at once. Errors: DISK_FULL, IO. */
  async append(key: Uint8Array, parts: readonly Uint8Array[]): Promise<void> {
    this.assertOpen();
    if (this.end === 0) this.queue(this.header);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const record = Buffer.concat([Buffer.alloc(RECORD_HEAD_BYTES), ...parts], RECORD_HEAD_BYTES + length);
    record.writeUInt32LE(length, 0);
    record.writeUInt32LE(crc32(record.subarray(RECORD_HEAD_BYTES)), 4);
    record.set(key, 8);
    record.writeUInt32LE(crc32(record.subarray(0, RECORD_CRC_AT)), RECORD_CRC_AT);
    this.table.add(tagOf(key), this.end);
    this.queue(record);
    if (this.end - this.written >= CHUNK_BYTES) await this.flush();
  }

  /** Hands to the system what was appended: from here on it survives the process. Errors: DISK_FULL, IO. */
  async flush(): Promise<void> {
    this.assertOpen();
    // One write after the other: a hole in the file would end it. After a failure none follows.
    this.writing = this.writing.then(() => this.writePending());
    await this.writing;
  }

  /** Ends the use of the journal; what was not flushed is lost. Later calls throw CLOSED. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    // What failed was thrown to whoever appended or asked.
    const [, reading] = await Promise.allSettled([this.writing, this.reader]);
    if (reading.status === "fulfilled") await reading.value?.close();
    await this.writer?.close();
  }

  /** Closes the journal and deletes the file. Errors: IO. */
  async remove(): Promise<void> {
    await this.close();
    if (this.before > 0 || this.writer !== undefined) await this.fs.unlink(this.path);
  }

  private queue(bytes: Buffer): void {
    this.pending.push(bytes);
    this.end += bytes.length;
  }

  private async writePending(): Promise<void> {
    if (this.pending.length === 0) return;
    const bytes = this.pending.length === 1 ? this.pending[0]! : Buffer.concat(this.pending);
    this.pending = [];
    this.writer ??=
      this.before > 0
        ? await this.fs.reopen(this.path, this.before)
        : await this.fs.createExclusive(this.path);
    await writeAll(this.writer, bytes, this.written);
    this.written += bytes.length;
  }

  private assertOpen(): void {
    if (this.closed) throw new MaxsimError("CLOSED", `the journal ${this.path} is closed`);
  }
}

function makeHeader({ indexId, fingerprint }: JournalOwner): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.set(MAGIC, 0);
  header.writeUInt32LE(FORMAT_VERSION, 8);
  header.set(Buffer.from(indexId, "hex"), 16);
  header.set(createHash("sha256").update(fingerprint).digest(), 32);
  header.writeUInt32LE(crc32(header), HEADER_CRC_AT);
  return header;
}

async function startsWith(file: ReadableFile, header: Buffer): Promise<boolean> {
  if (file.length < HEADER_BYTES) return false;
  const found = Buffer.alloc(HEADER_BYTES);
  await readAll(file, found, 0);
  return found.equals(header);
}

interface RecordHead {
  readonly length: number;
  readonly crc: number;
  readonly key: Buffer;
}

/** Undefined when the bytes are no head of a record that fits into `room` bytes. */
function parseHead(bytes: Buffer, room: number): RecordHead | undefined {
  if (crc32(bytes.subarray(0, RECORD_CRC_AT)) !== bytes.readUInt32LE(RECORD_CRC_AT)) return undefined;
  const length = bytes.readUInt32LE(0);
  if (RECORD_HEAD_BYTES + length > room) return undefined;
  return { length, crc: bytes.readUInt32LE(4), key: bytes.subarray(8, 24) };
}

/**
 * Adds every record that has its right checksums to the table and returns where the next one goes: after the last
 * record with a whole head. A record with a damaged payload is passed over; a damaged head hides what follows it.
 */
async function scanRecords(file: ReadableFile, table: OffsetTable): Promise<number> {
  const bytes = new BufferedReader(file);
  let at = HEADER_BYTES;
  while (at + RECORD_HEAD_BYTES <= file.length) {
    const head = parseHead(await bytes.read(at, RECORD_HEAD_BYTES), file.length - at);
    if (head === undefined) break;
    const payload = at + RECORD_HEAD_BYTES;
    const next = payload + head.length;
    const tag = tagOf(head.key);
    let crc = 0;
    for (let from = payload; from < next; from += CHUNK_BYTES) {
      crc = crc32(await bytes.read(from, Math.min(CHUNK_BYTES, next - from)), crc);
    }
    if (crc === head.crc) table.add(tag, at);
    at = next;
  }
  return at;
}

/** Small reads of a file from front to back, of at most CHUNK_BYTES each. */
class BufferedReader {
  private readonly chunk: Buffer;
  private start = 0;
  private fill = 0;

  constructor(private readonly file: ReadableFile) {
    this.chunk = Buffer.alloc(Math.min(2 * CHUNK_BYTES, file.length));
  }

  /** Bytes of the file that are valid until the next read. */
  async read(at: number, count: number): Promise<Buffer> {
    if (at < this.start || at + count > this.start + this.fill) {
      this.start = at;
      this.fill = Math.min(this.chunk.length, this.file.length - at);
      await readAll(this.file, this.chunk.subarray(0, this.fill), at);
    }
    return this.chunk.subarray(at - this.start, at - this.start + count);
  }
}

/** The payload of the record at `offset`, when that is one of this key and whole; `end` is where the records end. */
async function readRecord(
  file: ReadableFile,
  offset: number,
  end: number,
  key: Uint8Array,
): Promise<ArrayBuffer | undefined> {
  const first = Buffer.alloc(Math.min(FIRST_READ_BYTES, end - offset));
  await readAll(file, first, offset);
  const head = parseHead(first, end - offset);
  if (head === undefined || !head.key.equals(key)) return undefined;
  const payload = new Uint8Array(head.length);
  const there = first.subarray(RECORD_HEAD_BYTES, RECORD_HEAD_BYTES + head.length);
  payload.set(there);
  await readAll(file, payload.subarray(there.length), offset + RECORD_HEAD_BYTES + there.length);
  return crc32(payload) === head.crc ? payload.buffer : undefined;
}

function tagOf(key: Uint8Array): number {
  return Buffer.from(key.buffer, key.byteOffset, 4).readUInt32LE(0);
}
