/**
 * A second implementation of index-data/FORMAT.md, written from that text alone: files that it writes are opened by
 * the readers of the package, and files that the package writes are taken apart here.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeCodecFile, writeCodecFile } from "../../src/codec/codec-file.js";
import { readPostings } from "../../src/codec/postings.js";
import { decodeSegment } from "../../src/indexing/segment.js";
import { SegmentWriter } from "../../src/indexing/segment-writer.js";
import type { FileType } from "../../src/storage/file-names.js";
import { readSectionFile } from "../../src/storage/section-reader.js";
import { smallCatalog } from "../unit/documents/support.js";

const INDEX_ID = "000102030405060708090a0b0c0d0e0f";
const TYPES: Readonly<Record<FileType, number>> = { segment: 1, codec: 2 };

type Section = readonly [tag: string, elementSize: number, bytes: Buffer];

function le(elementSize: 1 | 2 | 4, values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(elementSize * values.length);
  values.forEach((value, i) => {
    bytes.writeUIntLE(value, i * elementSize, elementSize);
  });
  return bytes;
}

function floats(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    bytes.writeFloatLE(value, 4 * i);
  });
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function tagBytes(tag: string): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.write(tag, "ascii");
  return bytes;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((64 - (bytes.length % 64)) % 64)]);
}

function container(type: FileType, sections: readonly Section[]): { bytes: Buffer; fileId: string } {
  const hash = createHash("sha256")
    .update(le(4, [TYPES[type]]))
    .update(Buffer.from(INDEX_ID, "hex"));
  const table = Buffer.alloc(16 * 48);
  let offset = 832;
  sections.forEach(([tag, elementSize, bytes], i) => {
    hash
      .update(tagBytes(tag))
      .update(le(4, [elementSize]))
      .update(bytes)
      .update(u64(bytes.length));
    const numbers = [u64(offset), u64(bytes.length), u64(bytes.length / elementSize), u64(0)];
    Buffer.concat([tagBytes(tag), le(4, [elementSize, 0]), ...numbers]).copy(table, i * 48);
    offset += padded(bytes).length;
  });
  const fileId = hash.digest().subarray(0, 16);
  const bodyLength = offset;
  const length = bodyLength + 4 * Math.ceil(bodyLength / 65536) + 32;
  const header = Buffer.concat([
    Buffer.from("8d4d415853494d0a", "hex"),
    le(4, [1, TYPES[type]]),
    u64(length),
    Buffer.from(INDEX_ID, "hex"),
    fileId,
    le(4, [sections.length, 0]),
  ]);
  const body = Buffer.concat([header, table, ...sections.map(([, , bytes]) => padded(bytes))]);
  expect(body.length).toBe(bodyLength);
  const crcs: number[] = [];
  for (let at = 0; at < bodyLength; at += 65536) crcs.push(crc32(body.subarray(at, at + 65536)));
  const crcTable = le(4, crcs);
  const footer = (own: number): Buffer =>
    Buffer.concat([
      u64(bodyLength),
      le(4, [65536, crc32(crcTable), own, 0]),
      Buffer.from("72b2bea7acb6b2f5", "hex"),
    ]);
  const bytes = Buffer.concat([body, crcTable, footer(crc32(footer(0)))]);
  return { bytes, fileId: fileId.toString("hex") };
}

/** Sections of a container by tag, with every statement of the text checked. */
function takeApart(bytes: Buffer, type: FileType): { sections: Map<string, Buffer>; fileId: string } {
  const order: Section[] = [];
  for (let i = 0; i < bytes.readUInt32LE(56); i++) {
    const at = 64 + 48 * i;
    const tag = bytes.toString("ascii", at, at + 8).replaceAll("\0", "");
    const start = Number(bytes.readBigUInt64LE(at + 16));
    const length = Number(bytes.readBigUInt64LE(at + 24));
    order.push([tag, bytes.readUInt32LE(at + 8), bytes.subarray(start, start + length)]);
  }
  const again = container(type, order);
  expect(bytes.equals(again.bytes)).toBe(true);
  return { sections: new Map(order.map(([tag, , content]) => [tag, content])), fileId: again.fileId };
}

const DIM = 8;
const CENTROIDS = 3;
/** 1 to 127, different everywhere. */
const centroidValues = Array.from({ length: CENTROIDS * DIM }, (_, i) => 1 + ((i * 37) % 127));
const CODEC: readonly Section[] = [
  ["info", 4, Buffer.concat([le(4, [DIM, 2, CENTROIDS, 2]), floats([0.003]), le(4, [0, 0, 0])])],
  ["centroid", 1, le(1, centroidValues)],
  ["cscales", 4, floats([0.004, 0.005, 0.006])],
  ["cutoffs", 4, floats([-0.1, 0, 0.1])],
  ["weights", 1, le(1, [1, 48, 80, 127])],
  ["groups", 4, le(4, [7, 0, 2, 19, 2, 1])],
];

/** Three passages with 2, 0 and 3 tokens of the documents 4, 4 and 9. */
const CODES = [2, 0, 0, 2, 0];
const NORMS = [0x3c00, 0x3c01, 0x3bff, 0x4000, 0x3800];
const RESIDUALS = Array.from({ length: 5 * 2 }, (_, i) => (i * 29 + 5) % 256);
const SEGMENT: readonly Section[] = [
  ["info", 4, le(4, [3, DIM, 2, CENTROIDS, 2, 5, 0, 0])],
  ["lengths", 4, le(4, [2, 0, 3])],
  ["passage", 4, le(4, [50, 51, 53])],
  ["document", 4, le(4, [4, 4, 9])],
  ["codes", 2, le(2, CODES)],
  ["norms", 2, le(2, NORMS)],
  ["residual", 1, le(1, RESIDUALS)],
  ["postoff", 4, le(4, [0, 2, 2, 4])],
  ["postings", 1, le(1, [0, 2, 0, 2])],
];

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "maxsim-test-"));
  mkdirSync(join(folder, "index"));
});

afterAll(() => rmSync(folder, { recursive: true }));

function put(type: FileType, sections: readonly Section[]): { path: string; fileId: string; length: number } {
  const { bytes, fileId } = container(type, sections);
  const path = join(folder, `written.${type}`);
  writeFileSync(path, bytes);
  return { path, fileId, length: bytes.length };
}

async function openCodec() {
  const { path, fileId, length } = put("codec", CODEC);
  return decodeCodecFile(await readSectionFile(path, { type: "codec", indexId: INDEX_ID, fileId, length }));
}

describe("files written from the text are read by the package", () => {
  test("codec", async () => {
    const { codebook, quantizer, tokenGroups } = await openCodec();
    expect([codebook.size, codebook.dim, [...codebook.values]]).toEqual([CENTROIDS, DIM, centroidValues]);
    expect([...codebook.scales]).toEqual([...Float32Array.of(0.004, 0.005, 0.006)]);
    expect(quantizer.nbits).toBe(2);
    expect([...quantizer.cutoffs]).toEqual([...Float32Array.of(-0.1, 0, 0.1)]);
    expect([...quantizer.weights]).toEqual([1, 48, 80, 127]);
    expect(quantizer.weightScale).toBe(Math.fround(0.003));
    expect(tokenGroups.groups).toEqual([
      { tokenId: 7, first: 0, count: 2 },
      { tokenId: 19, first: 2, count: 1 },
    ]);
  });

  test("segment", async () => {
    const { path, fileId, length } = put("segment", SEGMENT);
    const file = await readSectionFile(path, { type: "segment", indexId: INDEX_ID, fileId, length });
    const segment = decodeSegment(
      file,
      await openCodec(),
      { firstPassage: 50, lastPassage: 53, passages: 3, tokens: 5, centroids: 3 },
      [],
    );
    expect([...segment.numbers]).toEqual([50, 51, 53]);
    expect([...segment.offsets]).toEqual([0, 2, 2, 5]);
    expect([...segment.documents]).toEqual([4, 4, 9]);
    expect([...segment.compressed.codes]).toEqual(CODES);
    expect([...segment.compressed.inverseNorms]).toEqual(NORMS);
    expect([...segment.compressed.residuals]).toEqual(RESIDUALS);
    const lists = [0, 1, 2].map((k) => {
      const out = new Uint32Array(3);
      const [start, end] = [segment.postingOffsets[k]!, segment.postingOffsets[k + 1]!];
      return [...out.subarray(0, readPostings(segment.postings, start, end, 3, out, "test"))];
    });
    expect(lists).toEqual([[0, 2], [], [0, 2]]);
  });

  test("more than one block", async () => {
    const content = Buffer.alloc(200_000, "block");
    const { path, fileId, length } = put("segment", [["big", 1, content]]);
    const file = await readSectionFile(path, { type: "segment", indexId: INDEX_ID, fileId, length });
    expect(Buffer.from(file.u8("big")).equals(content)).toBe(true);
  });

  test("the bytes of version 1 stay what they are", () => {
    const sums = [container("codec", CODEC), container("segment", SEGMENT)].map(({ bytes, fileId }) => [
      fileId,
      createHash("sha256").update(bytes).digest("hex"),
    ]);
    expect(sums).toMatchInlineSnapshot(`
      [
        [
          "2983949a307c95ce72c73aa50ced69ef",
          "00f7c5545b67cf20a73f88c785f36def3076c2881fdaa447525a8d1c4d84bbbe",
        ],
        [
          "0157c2636e4bffe21da79038b891f633",
          "00dce2d9c8c545f6be07a1f94e6492ca499c64989f815c51930c16d20f71a9af",
        ],
      ]
    `);
  });
});

describe("files written by the package are as the text says", () => {
  test("codec and segment", async () => {
    const codec = await openCodec();
    const index = join(folder, "index");
    const codecFile = await writeCodecFile(index, INDEX_ID, codec);
    const found = takeApart(readFileSync(join(index, codecFile.name)), "codec");
    expect(found.sections).toEqual(new Map(CODEC.map(([tag, , bytes]) => [tag, bytes])));
    expect(codecFile).toMatchObject({ fileId: found.fileId, name: `codecs/${found.fileId}.codec` });

    const writer = await SegmentWriter.create(index, INDEX_ID, codec);
    const residual = (first: number, end: number): Uint8Array =>
      Uint8Array.from(RESIDUALS.slice(2 * first, 2 * end));
    for (const [number, document, first, end] of [
      [50, 4, 0, 2],
      [51, 4, 2, 2],
      [53, 9, 2, 5],
    ] as const) {
      await writer.add(number, document, {
        codes: Uint16Array.from(CODES.slice(first, end)),
        inverseNorms: Uint16Array.from(NORMS.slice(first, end)),
        residuals: residual(first, end),
      });
    }
    const { file } = await writer.finish();
    const { sections, fileId } = takeApart(readFileSync(join(index, file.name)), "segment");
    const expected = new Map(SEGMENT.map(([tag, , bytes]) => [tag, bytes]));
    // The list of passages 0 and 2: the first ordinal, then the difference.
    expect(sections.size).toBe(expected.size);
    for (const [tag, bytes] of expected) expect([tag, sections.get(tag)]).toEqual([tag, bytes]);
    expect(file).toMatchObject({ fileId, name: `segments/${fileId}.segment` });
  });

  test("rows of the catalog carry the checksum of the text", () => {
    const path = join(folder, "catalog");
    smallCatalog(path).close();
    const db = new Database(join(path, "catalog.sqlite"), { readonly: true });
    expect(db.pragma("application_id", { simple: true })).toBe(0x4d58534d);
    expect(db.pragma("user_version", { simple: true })).toBe(1);
    const text = (value: string): Buffer => {
      const bytes = Buffer.from(value, "utf8");
      return Buffer.concat([Buffer.of(2), le(4, [bytes.length]), bytes]);
    };
    const encode = (value: unknown): Buffer => {
      if (value === null) return Buffer.of(0);
      if (typeof value === "string") return text(value);
      const bytes = Buffer.alloc(9, 1);
      bytes.writeBigInt64LE(BigInt(value as number), 1);
      return bytes;
    };
    const stated = [
      ...readFileSync(new URL("../../index-data/FORMAT.md", import.meta.url), "utf8").matchAll(
        /^\| `(\w+)` \| (\w+, [\w, ]+) \|$/gm,
      ),
    ];
    expect(stated.map(([, table]) => table)).toEqual(
      db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all(),
    );
    for (const [, table, columns] of stated) {
      const names = db.prepare("SELECT name FROM pragma_table_info(?)").pluck().all(table);
      expect(names).toEqual([...columns!.split(", "), "checksum"]);
      const rows = db.prepare<[], unknown[]>(`SELECT * FROM ${table}`).raw().all();
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) {
        const crc = crc32(Buffer.concat([text(table!), ...row.slice(0, -1).map(encode)]));
        expect(row.at(-1)).toBe(crc | 0);
      }
    }
    db.close();
  });
});
