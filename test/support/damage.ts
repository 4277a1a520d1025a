/** Small indexes with everything that can be damaged, and ways to damage them. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type ColumnValue, rowChecksum } from "../../src/documents/row-checksum.js";
import { columnList, type TableName } from "../../src/documents/schema.js";
import { Index } from "../../src/engine/index.js";
import type { FileType } from "../../src/storage/file-names.js";
import { readSectionFile } from "../../src/storage/section-reader.js";
import { type FileSummary, SectionFileWriter } from "../../src/storage/section-writer.js";
import { SyntheticCorpus } from "./synthetic.js";

export const DIM = 16;
const TOKENS = 9;
const PER_SEGMENT = 14;

/** Three segments of vectors with metadata, a replaced, an updated and two deleted documents; one has no vectors. */
export async function makeVectorIndex(folder: string, nbits: 1 | 2 | 4 = 4): Promise<void> {
  const corpus = new SyntheticCorpus({ passages: 3 * PER_SEGMENT, tokens: TOKENS, dim: DIM, vocabulary: 40 });
  const documents = corpus.passages.map(({ vectors, tokenIds }, i) => ({
    id: `d${i}`,
    vectors,
    tokenIds,
    text: `text of document ${i}`,
    metadata: { part: i % 3 },
  }));
  const index = await Index.create(folder, { model: null, dim: DIM, nbits, compaction: "off" });
  await index.addEmbeddings(documents.slice(0, PER_SEGMENT));
  await index.addEmbeddings([
    ...documents.slice(PER_SEGMENT, 2 * PER_SEGMENT),
    { id: "none", vectors: [], text: "" },
  ]);
  await index.addEmbeddings([...documents.slice(2 * PER_SEGMENT), { ...documents[3]!, text: "again" }]);
  await index.update([{ id: "d5", title: "five" }]);
  await index.delete(["d1", "d20"]);
  await index.close();
}

/** A copy of an index, to be damaged. */
export function copyOf(folder: string, to: string): string {
  cpSync(folder, to, { recursive: true });
  return to;
}

export interface StoredFile {
  readonly no: number;
  /** Relative to the index folder. */
  readonly name: string;
  readonly length: number;
}

/** Segments or codecs of the catalog, by number. */
export function filesOf(folder: string, type: FileType): StoredFile[] {
  const db = new Database(join(folder, "catalog.sqlite"), { readonly: true });
  try {
    const dropped = type === "segment" ? " WHERE gen_dropped IS NULL" : "";
    return db
      .prepare<[], StoredFile>(`SELECT ${type}_no AS no, name, length FROM ${type}s${dropped} ORDER BY 1`)
      .all();
  } finally {
    db.close();
  }
}

/** Where the sections of a file lie. */
export async function sectionsOf(
  folder: string,
  type: FileType,
  name: string,
): Promise<Map<string, { readonly offset: number; readonly byteLength: number }>> {
  const file = await readSectionFile(join(folder, name), { type, indexId: indexId(folder) });
  const { sections } = file.describe();
  return new Map(sections.map(({ tag, offset, byteLength }) => [tag, { offset, byteLength }]));
}

function indexId(folder: string): string {
  const db = new Database(join(folder, "catalog.sqlite"), { readonly: true });
  try {
    return String(db.prepare("SELECT index_id FROM commits").pluck().get());
  } finally {
    db.close();
  }
}

/** Inverts bits of one byte. */
export function flip(path: string, offset: number, mask = 1): void {
  const bytes = readFileSync(path);
  bytes[offset]! ^= mask;
  writeFileSync(path, bytes);
}

/** Changes rows without their checksums. */
export function sql(folder: string, statement: string, ...values: readonly (string | number | null)[]): void {
  const db = new Database(join(folder, "catalog.sqlite"));
  try {
    db.prepare(statement).run(...values);
    db.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
}

/** Gives rows the checksums of what they say. */
export function reseal(folder: string, table: TableName): void {
  const db = new Database(join(folder, "catalog.sqlite"));
  try {
    const key =
      table === "documents" ? "document_no = ? AND gen_added = ?" : `${columnList(table).split(",")[0]} = ?`;
    const update = db.prepare(`UPDATE ${table} SET checksum = ? WHERE ${key}`);
    for (const row of db
      .prepare<[], ColumnValue[]>(`SELECT ${columnList(table)} FROM ${table}`)
      .raw()
      .all()) {
      update.run(rowChecksum(table, row.slice(0, -1)), ...row.slice(0, table === "documents" ? 2 : 1));
    }
    db.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
}

/** Writes a file again with one section changed, all checksums right, and lets the catalog name it. */
export async function lie(
  folder: string,
  type: FileType,
  { no, name }: StoredFile,
  tag: string,
  change: (bytes: Buffer) => void,
): Promise<FileSummary> {
  const file = await readSectionFile(join(folder, name), { type, indexId: indexId(folder) });
  const writer = await SectionFileWriter.create(folder, { type, indexId: file.indexId });
  for (const entry of file.describe().sections) {
    writer.section(entry.tag, entry.elementSize);
    const bytes = Buffer.from(new Uint8Array(file.buffer, entry.offset, entry.byteLength));
    if (entry.tag === tag) change(bytes);
    await writer.append(bytes);
  }
  const written = await writer.finish();
  sql(
    folder,
    `UPDATE ${type}s SET name = ?, length = ?, crc32 = ?, sha256 = ?, file_id = ? WHERE ${type}_no = ?`,
    ...[written.name, written.length, written.crc32, written.sha256, written.fileId, no],
  );
  reseal(folder, `${type}s`);
  return written;
}
