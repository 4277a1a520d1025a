import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import type { ElementSize } from "../../../src/storage/section-format.js";
import { readSectionFile } from "../../../src/storage/section-reader.js";
import { SectionFileWriter } from "../../../src/storage/section-writer.js";
import { MemoryFileSystem } from "./memory-file-system.js";
import { INDEX_ID, resign, type TestSection, writeSections } from "./sections.js";

const FOLDER = "/index";
const EXPECTED = { type: "segment", indexId: INDEX_ID } as const;

const SMALL: readonly TestSection[] = [
  { tag: "info", elementSize: 4, parts: [Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0)] },
  { tag: "empty", elementSize: 8, parts: [] },
  { tag: "bytes", elementSize: 1, parts: [Uint8Array.of(255, 254, 253)] },
];

/** The small file's bytes and path. */
async function smallFile(): Promise<{ path: string; bytes: Buffer; fileId: string }> {
  const fs = new MemoryFileSystem();
  const { name, fileId } = await writeSections(FOLDER, SMALL, fs);
  const path = join(FOLDER, name);
  return { path, bytes: fs.files.get(path)!, fileId };
}

/** Code and message with which reading these bytes fails; undefined when it does not. */
async function readingFails(
  bytes: Buffer,
  expected: Parameters<typeof readSectionFile>[1] = EXPECTED,
): Promise<{ code: string; message: string } | undefined> {
  const fs = new MemoryFileSystem();
  fs.files.set("/file", bytes);
  try {
    await readSectionFile("/file", expected, { fs });
    return undefined;
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    return { code: error.code, message: error.message };
  } finally {
    expect(fs.openHandles).toBe(0);
  }
}

const sectionsArbitrary = fc.uniqueArray(
  fc.record({
    tag: fc.stringMatching(/^[a-z0-9]{1,8}$/),
    elementSize: fc.constantFrom<ElementSize>(1, 2, 4, 8),
    parts: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
  }),
  { selector: (section) => section.tag, maxLength: 16 },
);

describe("round trip", () => {
  test("any sections come back, and the summary describes the file", async () => {
    const property = fc.asyncProperty(sectionsArbitrary, async (drawn) => {
      const sections = drawn.map((section) => ({
        ...section,
        parts: section.parts.map((part) =>
          part.subarray(0, part.length - (part.length % section.elementSize)),
        ),
      }));
      const fs = new MemoryFileSystem({ maxBytes: 1000 });
      const summary = await writeSections(FOLDER, sections, fs);
      expect([...fs.files.keys()]).toEqual([join(FOLDER, summary.name)]);
      const bytes = fs.files.get(join(FOLDER, summary.name))!;
      expect(summary).toEqual({
        name: `segments/${summary.fileId}.segment`,
        length: bytes.length,
        crc32: crc32(bytes),
        sha256: createHash("sha256").update(bytes).digest("hex"),
        fileId: summary.fileId,
      });
      const file = await readSectionFile(join(FOLDER, summary.name), { ...EXPECTED, ...summary }, { fs });
      expect(file.tags).toEqual(sections.map((section) => section.tag));
      for (const { tag, elementSize, parts } of sections) {
        const { offset, byteLength } = file.section(tag, elementSize);
        expect(offset % 64).toBe(0);
        expect(Buffer.from(file.buffer, offset, byteLength).equals(Buffer.concat(parts))).toBe(true);
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });

  test("typed views, on the disk, over several chunks", async () => {
    const folder = mkdtempSync(join(tmpdir(), "maxsim-test-"));
    const counts = [0, 1, (65536 - 832) / 4, 262144 - 208, 300_001, 700_000];
    for (const count of counts) {
      const writer = await SectionFileWriter.create(folder, EXPECTED);
      const numbers = Uint32Array.from({ length: count }, (_, i) => i * 2654435761);
      writer.section("u32", 4);
      await writer.append(numbers.subarray(0, count >> 1));
      await writer.append(numbers.subarray(count >> 1));
      writer.section("f32", 4);
      await writer.append(Float32Array.of(1.5, -0));
      writer.section("u16", 2);
      await writer.append(Uint16Array.of(65535));
      writer.section("u64", 8);
      await writer.append(BigUint64Array.of(2n ** 64n - 1n));
      const { name, fileId, length } = await writer.finish();
      await writer.abort();
      const file = await readSectionFile(join(folder, name), { ...EXPECTED, fileId, length });
      expect(Buffer.from(Uint32Array.from(file.u32("u32")).buffer).equals(Buffer.from(numbers.buffer))).toBe(
        true,
      );
      expect([...file.f32("f32")]).toEqual([1.5, -0]);
      expect([...file.u16("u16")]).toEqual([65535]);
      expect([...file.u64("u64")]).toEqual([2n ** 64n - 1n]);
      expect(file.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(() => file.u8("u32")).toThrow(/elements of 1 bytes, found 4 bytes/);
      expect(() => file.u8("none")).toThrow(/lacks its section none/);
    }
    expect(readdirSync(join(folder, "segments"))).toHaveLength(counts.length);
    rmSync(folder, { recursive: true });
  });

  test("equal content gives equal bytes; the index, the type and every byte count", async () => {
    const first = await smallFile();
    expect((await smallFile()).bytes.equals(first.bytes)).toBe(true);
    const fs = new MemoryFileSystem();
    const codec = await writeSections(FOLDER, SMALL, fs, "codec");
    expect(codec.name).toBe(`codecs/${codec.fileId}.codec`);
    const moved = [SMALL[0]!, { ...SMALL[1]!, tag: "other" }, SMALL[2]!];
    const other = await writeSections(FOLDER, moved, fs);
    expect(new Set([first.fileId, codec.fileId, other.fileId]).size).toBe(3);
  });
});

describe("damage", () => {
  test("every single flipped bit is noticed", async () => {
    const { bytes } = await smallFile();
    expect(await readingFails(bytes)).toBeUndefined();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
      const failure = await readingFails(damaged);
      // A version above the known one cannot be told from a damaged one.
      const version = bit >> 3 >= 8 && bit >> 3 < 12;
      expect([bit, failure?.code]).toEqual([bit, version && bit !== 64 ? "FORMAT_TOO_NEW" : "CORRUPT"]);
    }
  });

  test("every truncation and every appended byte is noticed", async () => {
    const { bytes } = await smallFile();
    for (let length = 0; length < bytes.length; length++) {
      expect((await readingFails(bytes.subarray(0, length)))?.code).toBe("CORRUPT");
    }
    expect((await readingFails(Buffer.concat([bytes, Buffer.alloc(1)])))?.code).toBe("CORRUPT");
    expect((await readingFails(Buffer.alloc(bytes.length)))?.code).toBe("CORRUPT");
  });

  test("a valid file in the place of another one is refused", async () => {
    const { bytes, fileId } = await smallFile();
    const refused = [
      { ...EXPECTED, type: "codec" as const },
      { ...EXPECTED, indexId: "ff".repeat(16) },
      { ...EXPECTED, fileId: "ff".repeat(16) },
      { ...EXPECTED, length: bytes.length + 64 },
    ];
    for (const expected of refused) expect((await readingFails(bytes, expected))?.code).toBe("CORRUPT");
    expect(await readingFails(bytes, { ...EXPECTED, fileId, length: bytes.length })).toBeUndefined();
  });

  test("the next version is refused with both named", async () => {
    const { bytes } = await smallFile();
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(2, 8);
    const failure = await readingFails(resign(newer));
    expect(failure?.code).toBe("FORMAT_TOO_NEW");
    expect(failure?.message).toMatch(/version 2.*version 1/);
  });

  test("numbers that lie behind right checksums are refused, and nothing is allocated for them", async () => {
    const { bytes } = await smallFile();
    const entry = (i: number): number => 64 + 48 * i;
    const huge = [2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
    const lies: Array<[string, (file: Buffer) => void]> = [
      ["section count", (file) => file.writeUInt32LE(2 ** 32 - 1, 56)],
      ["one section fewer", (file) => file.writeUInt32LE(2, 56)],
      ["one section more", (file) => file.writeUInt32LE(4, 56)],
      ["element size 3", (file) => file.writeUInt32LE(3, entry(0) + 8)],
      ["element size 0", (file) => file.writeUInt32LE(0, entry(0) + 8)],
      ["tag twice", (file) => file.copy(file, entry(1), entry(0), entry(0) + 8)],
      ["tag empty", (file) => file.fill(0, entry(0), entry(0) + 8)],
      ["tag with a NUL inside", (file) => file.write("a\0b", entry(0), "latin1")],
      ["reserved of the header", (file) => file.writeUInt32LE(1, 60)],
      ["reserved of an entry", (file) => file.writeUInt32LE(1, entry(2) + 12)],
      ["unused entry", (file) => file.writeUInt32LE(1, entry(9))],
      ["padding", (file) => file.writeUInt8(1, 832 + 20)],
      ["type", (file) => file.writeUInt32LE(3, 12)],
      ["version 0", (file) => file.writeUInt32LE(0, 8)],
      ["unaligned", (file) => file.writeBigUInt64LE(833n, entry(0) + 16)],
      ...huge.flatMap(
        (value): Array<[string, (file: Buffer) => void]> => [
          [`length ${value}`, (file) => file.writeBigUInt64LE(value, 16)],
          [`offset ${value}`, (file) => file.writeBigUInt64LE(value, entry(1) + 16)],
          [`bytes ${value}`, (file) => file.writeBigUInt64LE(value, entry(1) + 24)],
          [`elements ${value}`, (file) => file.writeBigUInt64LE(value, entry(1) + 32)],
          [`last bytes ${value}`, (file) => file.writeBigUInt64LE(value, entry(2) + 24)],
        ],
      ),
    ];
    for (const [what, lie] of lies) {
      const file = Buffer.from(bytes);
      lie(file);
      expect([what, (await readingFails(resign(file)))?.code]).toEqual([what, "CORRUPT"]);
    }
    for (const value of huge) {
      const file = Buffer.from(bytes);
      const footer = file.length - 32;
      file.writeBigUInt64LE(value, footer);
      file.writeUInt32LE(0, footer + 16);
      file.writeUInt32LE(crc32(file.subarray(footer)), footer + 16);
      expect((await readingFails(file))?.code).toBe("CORRUPT");
    }
  });

  test("a folder, a missing file and a FIFO are refused at once", async () => {
    const folder = mkdtempSync(join(tmpdir(), "maxsim-test-"));
    mkdirSync(join(folder, "folder"));
    await expect(readSectionFile(join(folder, "folder"), EXPECTED)).rejects.toMatchObject({ code: "IO" });
    await expect(readSectionFile(join(folder, "none"), EXPECTED)).rejects.toMatchObject({
      code: "PATH_NOT_FOUND",
    });
    if (process.platform !== "win32") {
      execFileSync("mkfifo", [join(folder, "fifo")]);
      await expect(readSectionFile(join(folder, "fifo"), EXPECTED)).rejects.toMatchObject({ code: "IO" });
    }
    rmSync(folder, { recursive: true });
  });
});

describe("faults while writing", () => {
  const big: readonly TestSection[] = [
    { tag: "big", elementSize: 1, parts: [new Uint8Array(1 << 20).fill(7), new Uint8Array(70_000).fill(9)] },
  ];

  test.each([false, true])("the n-th call fails, from then on: %s", async (failOnwards) => {
    let failAt = 0;
    for (let finished = false; !finished; ) {
      failAt++;
      const fs = new MemoryFileSystem({ failAt, failOnwards });
      try {
        await writeSections(FOLDER, big, fs);
        finished = true;
      } catch (error) {
        expect(isMaxsimError(error) && error.code).toBe("DISK_FULL");
      }
      expect(fs.openHandles).toBe(0);
      for (const [path, bytes] of fs.files) {
        // What has a final name is whole; what a failed removal left has a temporary name.
        if (path.endsWith(".tmp")) expect(failOnwards).toBe(true);
        else expect(await readingFails(bytes)).toBeUndefined();
      }
      const syncs = fs.log.filter((line) => line.startsWith("sync "));
      expect(syncs.length).toBeLessThanOrEqual(1);
    }
    expect(failAt).toBeGreaterThan(8);
  });

  test("files are synced before they are named, and the folder afterwards", async () => {
    const fs = new MemoryFileSystem();
    await writeSections(FOLDER, SMALL, fs);
    const order = fs.log.map((line) => line.split(" ")[0]).filter((what) => what !== "write");
    const expected = ["makeFolder", "syncFolder", "create", "sync", "close", "open", "publish", "syncFolder"];
    expect(order).toEqual(expected);
  });

  test("a disk that stores something else is noticed", async () => {
    const lying = new MemoryFileSystem({ lieAt: 4 });
    await expect(writeSections(FOLDER, big, lying)).rejects.toMatchObject({
      code: "IO",
      message: expect.stringMatching(/reads back other bytes/),
    });
    expect(lying.files.size).toBe(0);
  });

  test("the same file again is kept, another one under its name is an error", async () => {
    const fs = new MemoryFileSystem();
    const { name } = await writeSections(FOLDER, SMALL, fs);
    expect((await writeSections(FOLDER, SMALL, fs)).name).toBe(name);
    expect(fs.files.size).toBe(1);
    fs.files.get(join(FOLDER, name))![900] = 1;
    await expect(writeSections(FOLDER, SMALL, fs)).rejects.toMatchObject({ code: "CORRUPT" });
    expect(fs.files.size).toBe(1);
  });

  test("wrong use is refused", async () => {
    const fs = new MemoryFileSystem();
    const writer = await SectionFileWriter.create(FOLDER, { ...EXPECTED, fileSystem: fs });
    await expect(writer.append(Uint8Array.of(1))).rejects.toThrow(/before the first section/);
    writer.section("a", 4);
    expect(() => writer.section("a", 4)).toThrow(/twice/);
    expect(() => writer.section("Bad tag", 4)).toThrow(/not a section tag/);
    await expect(writer.append(Uint8Array.of(1))).rejects.toThrow(/elements of 4 bytes/);
    const pending = writer.append(new Uint8Array(4));
    await expect(writer.append(new Uint8Array(4))).rejects.toThrow(/is busy/);
    await pending;
    await writer.abort();
    await writer.abort();
    expect(fs.files.size).toBe(0);
    await expect(writer.finish()).rejects.toThrow(/is closed/);
  });

  test("on the disk, a failed build leaves nothing under a final name", async () => {
    const folder = mkdtempSync(join(tmpdir(), "maxsim-test-"));
    const writer = await SectionFileWriter.create(folder, EXPECTED);
    writer.section("a", 1);
    await writer.append(new Uint8Array(3 << 20));
    expect(readdirSync(join(folder, "segments"))).toHaveLength(1);
    await writer.abort();
    expect(readdirSync(join(folder, "segments"))).toEqual([]);
    const small = await SectionFileWriter.create(folder, EXPECTED);
    small.section("a", 1);
    const { name } = await small.finish();
    writeFileSync(join(folder, name), readFileSync(join(folder, name)).subarray(0, 500));
    await expect(readSectionFile(join(folder, name), EXPECTED)).rejects.toMatchObject({ code: "CORRUPT" });
    rmSync(folder, { recursive: true });
  });
});
