/** What `verifyIndex` finds: every kind of damage, by file and place. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { Catalog } from "../../src/documents/catalog.js";
import { Index } from "../../src/engine/index.js";
import { verifyIndex } from "../../src/engine/verify.js";
import { checkIndexAside } from "../../src/workers/check-thread.js";
import { MAX_PROBLEMS } from "../../src/workers/index-findings.js";
import { copyOf, filesOf, flip, lie, makeVectorIndex, reseal, sectionsOf, sql } from "../support/damage.js";
import { tempFolder } from "../support/temp-folder.js";

const root = tempFolder();
const sound = join(root, "sound");
let copies = 0;
const copy = (): string => copyOf(sound, join(root, `copy-${copies++}`));
const problems = async (folder: string, deep = false) => (await verifyIndex(folder, { deep })).problems;

beforeAll(() => makeVectorIndex(sound));

describe("a sound index", () => {
  it.each([1, 2, 4] as const)("passes at %i bits, with every search", async (nbits) => {
    const folder = join(root, `nbits-${nbits}`);
    await makeVectorIndex(folder, nbits);
    for (const deep of [false, true]) {
      const report = await verifyIndex(folder, { deep });
      expect(report).toMatchObject({ ok: true, problems: [], notes: [], strays: [], generation: 5 });
      expect(report).toMatchObject({ documents: 41, segments: 3, files: 5, searches: deep ? 32 : 2 });
    }
  });

  it("passes while it is empty, after compaction, and while others read and write it", async () => {
    const empty = join(root, "empty");
    await (await Index.create(empty, { model: null, dim: 8 })).close();
    expect(await verifyIndex(empty)).toMatchObject({ ok: true, documents: 0, files: 1, searches: 0 });

    const folder = copy();
    const index = await Index.open(folder);
    await index.compact({ all: true, graceMs: 0 });
    expect(await verifyIndex(folder, { deep: true })).toMatchObject({ ok: true, documents: 41, segments: 1 });
    const writes = (async () => {
      for (let i = 0; i < 6; i++) {
        await index.addEmbeddings([{ id: `new${i}`, vectors: new Float32Array(2 * 16).fill(1) }]);
        await index.compact({ all: true, graceMs: 0 });
        await index.delete([`new${i}`]);
      }
    })();
    for (let i = 0; i < 6; i++) expect(await problems(folder)).toEqual([]);
    await writes;
    expect(await problems(folder)).toEqual([]);
    await index.close();
  });

  it("reports bytes and searches, and stops when it is told to", async () => {
    const stages = new Set<string>();
    await verifyIndex(sound, { onProgress: ({ stage }) => stages.add(stage) });
    expect([...stages]).toEqual(["check", "search"]);
    const aborted = verifyIndex(sound, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    await expect(verifyIndex(join(root, "nothing"))).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
  });

  it("gives the same findings from a thread", async () => {
    const folder = copy();
    flip(join(folder, filesOf(folder, "segment")[1]!.name), 900);
    const task = { folder, deep: false };
    const stages = new Set<string>();
    const aside = await checkIndexAside(task, {
      threadFrom: 0,
      onProgress: ({ stage }) => stages.add(stage),
    });
    expect(aside).toEqual(await checkIndexAside(task));
    expect(aside.problems).toHaveLength(1);
    expect([...stages]).toEqual(["check"]);
    const controller = new AbortController();
    const stopped = checkIndexAside(task, { threadFrom: 0, signal: controller.signal });
    controller.abort();
    await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
    const missing = checkIndexAside({ folder: join(root, "nothing"), deep: false }, { threadFrom: -1 });
    await expect(missing).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
  });

  it("may have leftovers and files of others beside it", async () => {
    const folder = copy();
    writeFileSync(join(folder, "encode.journal"), "");
    writeFileSync(join(folder, "build.sqlite"), "");
    writeFileSync(join(folder, "segments", `${"0".repeat(32)}.tmp`), "");
    writeFileSync(join(folder, "segments", `${"0".repeat(32)}.segment`), "");
    writeFileSync(join(folder, "codecs", "readme.txt"), "");
    writeFileSync(join(folder, "history.log"), "what?\n", { flag: "a" });
    const report = await verifyIndex(folder);
    expect(report.problems).toEqual([]);
    expect(report.notes).toEqual([
      expect.stringMatching(/^encode\.journal: an add did not reach its end/),
      expect.stringMatching(/^build\.sqlite: /),
      expect.stringMatching(/^segments\/0+\.tmp: /),
      "history.log: 1 line cannot be read",
    ]);
    expect(report.strays).toEqual([`segments/${"0".repeat(32)}.segment`, "codecs/readme.txt"]);
  });
});

describe("damage of files", () => {
  it("is found for every byte of a segment and a codec", async () => {
    const folder = copy();
    const files = [...filesOf(folder, "segment"), ...filesOf(folder, "codec")];
    const bytes = files.map(({ name }) => readFileSync(join(folder, name)));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(files.length - 1),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        async (which, share, mask) => {
          const { name, length } = files[which]!;
          const offset = Math.floor(share * length);
          flip(join(folder, name), offset, mask);
          const found = await problems(folder);
          writeFileSync(join(folder, name), bytes[which]!);
          expect(found.map(({ file }) => file)).toContain(name);
          for (const problem of found) expect(problem.offset ?? 0).toBeLessThan(length);
        },
      ),
      { numRuns: 80 },
    );
    expect(await problems(folder)).toEqual([]);
  });

  it("is named by file and block for every section, and by the table or the footer", async () => {
    const folder = copy();
    for (const type of ["segment", "codec"] as const) {
      const { name, length } = filesOf(folder, type)[0]!;
      for (const [tag, { offset, byteLength }] of await sectionsOf(folder, type, name)) {
        if (byteLength === 0) continue;
        flip(join(folder, name), offset + (byteLength >> 1));
        const [problem] = await problems(folder);
        expect(problem, tag).toMatchObject({
          file: name,
          what: expect.stringMatching(/^expected a block with the CRC/),
        });
        expect(problem!.offset).toBe((offset + (byteLength >> 1)) & ~0xffff);
        flip(join(folder, name), offset + (byteLength >> 1));
      }
      for (const [place, what] of [
        [40, /^expected the file [0-9a-f]{32}, found [0-9a-f]{32}$/],
        [length - 33, /^expected a CRC table with the CRC/],
        [length - 30, /^expected a footer with the CRC/],
      ] as const) {
        flip(join(folder, name), place);
        expect(await problems(folder)).toContainEqual({
          file: name,
          offset: expect.any(Number),
          what: expect.stringMatching(what),
        });
        flip(join(folder, name), place);
      }
    }
  });

  it.each([
    ["missing", (path: string) => rmSync(path), /^the file is missing$/],
    ["empty", (path: string) => writeFileSync(path, ""), /^expected \d+ bytes, found 0$/],
    ["cut short", (path: string) => truncateSync(path, 2000), /^expected \d+ bytes, found 2000$/],
    [
      "longer",
      (path: string) => writeFileSync(path, "more", { flag: "a" }),
      /^expected \d+ bytes, found \d+$/,
    ],
    [
      "a folder",
      (path: string) => {
        rmSync(path);
        mkdirSync(path);
      },
      /not a regular file|EISDIR/,
    ],
  ])("is found when a file is %s", async (_, damage, what) => {
    for (const type of ["segment", "codec"] as const) {
      const folder = copy();
      const { name } = filesOf(folder, type).at(-1)!;
      damage(join(folder, name));
      expect(await problems(folder)).toContainEqual(
        expect.objectContaining({ file: name, what: expect.stringMatching(what) }),
      );
    }
  });

  it("is found when two segments have changed places", async () => {
    const folder = copy();
    const [a, b] = filesOf(folder, "segment").map(({ name }) => join(folder, name));
    renameSync(a!, `${a}.x`);
    renameSync(b!, a!);
    renameSync(`${a}.x`, b!);
    const found = await problems(folder);
    for (const { name } of filesOf(folder, "segment").slice(0, 2)) {
      const what = expect.stringMatching(/^expected the file/);
      expect(found).toContainEqual({ file: name, offset: 40, what });
    }
  });
});

describe("files with right checksums that do not say what they should", () => {
  const u16 = (bytes: Buffer, at: number, value: number) => bytes.writeUInt16LE(value, 2 * at);
  const u32 = (bytes: Buffer, at: number, value: number) => bytes.writeUInt32LE(value, 4 * at);

  it.each([
    ["codes", (bytes: Buffer) => u16(bytes, 4, 60_000), /^token 4 has code 60000, there are \d+ centroids$/],
    ["norms", (bytes: Buffer) => u16(bytes, 5, bytes.readUInt16LE(10) ^ 1), /^token 5 has the inverse norm/],
    ["norms", (bytes: Buffer) => u16(bytes, 6, 0x7c00), /inverse norm of token 6 is not a positive number$/],
    ["residual", (bytes: Buffer) => (bytes[20]! ^= 0xff), /^token \d+ has the inverse norm/],
    ["postings", (bytes: Buffer) => (bytes[2]! ^= 1), /^the posting list of centroid \d+ is not the one/],
    [
      "lengths",
      (bytes: Buffer) => [u32(bytes, 0, 8), u32(bytes, 1, 10)],
      /^passage 0 has 8 tokens, in the catalog 9$/,
    ],
    [
      "document",
      (bytes: Buffer) => u32(bytes, 2, 3),
      /^passage 2 belongs to document 3, in the catalog to 2$/,
    ],
    ["info", (bytes: Buffer) => u32(bytes, 1, 8), /expected 16 dimension/],
  ])("in section %s (case %#)", async (tag, change, what) => {
    const folder = copy();
    const written = await lie(folder, "segment", filesOf(folder, "segment")[0]!, tag, change);
    const found = await problems(folder, true);
    expect(found).toContainEqual(
      expect.objectContaining({ file: written.name, what: expect.stringMatching(what) }),
    );
  });

  it.each([
    [2, 2 ** 31, /passage 2 belongs to document 2147483648, expected \d+ to \d+$/],
    [2, 0, /passage 2 belongs to document 0, expected 1 to \d+$/],
  ])("in the document of passage %i, which opening refuses", async (passage, documentNo, what) => {
    const folder = copy();
    const [first] = filesOf(folder, "segment");
    await lie(folder, "segment", first!, "document", (bytes) => u32(bytes, passage, documentNo));
    await expect(Index.open(folder)).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringMatching(what),
    });
  });

  it("in a codec", async () => {
    const folder = copy();
    const written = await lie(folder, "codec", filesOf(folder, "codec")[0]!, "cscales", (bytes) =>
      bytes.writeFloatLE(Number.NaN, 0),
    );
    expect(await problems(folder)).toEqual([
      { file: written.name, what: "a centroid scale lies outside 0..1" },
    ]);
  });
});

describe("damage of the catalog", () => {
  it.each([
    [
      "a text",
      "UPDATE texts SET text = 'changed' WHERE document_no = 4",
      /^row 4 of texts does not match its checksum$/,
    ],
    ["a passage", 'UPDATE passages SET "end" = 3 WHERE passage_no = 4', /^row 4 of passages does not match/],
    ["a missing passage", "DELETE FROM passages WHERE passage_no = 4", /^1 documents state other passages/],
    ["a commit", "UPDATE commits SET added = 4 WHERE generation = 2", /^row 2 of commits does not match/],
    ["a segment", "UPDATE segments SET tokens = 1 WHERE segment_no = 1", /row 1 of segments/],
    [
      "a tombstone that is gone",
      "DELETE FROM tombstones WHERE document_no = 1",
      /it has 2 tombstones, expected 3/,
    ],
  ])("is found in %s", async (_, statement, what) => {
    const folder = copy();
    sql(folder, statement);
    const found = await problems(folder);
    expect(found).toContainEqual({ file: "catalog.sqlite", what: expect.stringMatching(what) });
    expect(new Set(found.map((problem) => problem.what)).size).toBe(found.length);
  });

  it("is found in metadata that is no object, and nobody is told that it is one", async () => {
    const folder = copy();
    sql(folder, "UPDATE documents SET metadata = 'null' WHERE document_no = 4");
    reseal(folder, "documents");
    expect(await problems(folder)).toContainEqual({
      file: "catalog.sqlite",
      what: "1 documents have metadata that is no object",
    });
    await using index = await Index.open(folder);
    await expect(index.list()).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringMatching(/the metadata of document 4 must be an object, found null$/),
    });
  });

  it("is found when rows with right checksums contradict the segments", async () => {
    const folder = copy();
    // Passages of documents 2 and 4 change places.
    sql(folder, "UPDATE passages SET document_no = 6 - document_no WHERE document_no IN (2, 4)");
    sql(folder, "UPDATE documents SET first_passage = 6 - first_passage WHERE document_no IN (2, 4)");
    reseal(folder, "passages");
    reseal(folder, "documents");
    const { name } = filesOf(folder, "segment")[0]!;
    expect(await problems(folder)).toEqual([
      { file: "catalog.sqlite", what: "full text: the table holds other words" },
      {
        file: name,
        offset: expect.any(Number),
        what: "passage 2 belongs to document 2, in the catalog to 4",
      },
      {
        file: name,
        offset: expect.any(Number),
        what: "passage 4 belongs to document 4, in the catalog to 2",
      },
    ]);
  });

  it("is found when SQLite cannot read it", async () => {
    const folder = copy();
    writeFileSync(join(folder, "catalog.sqlite"), Buffer.alloc(8192, 7));
    expect(await verifyIndex(folder)).toMatchObject({
      ok: false,
      generation: null,
      problems: [{ file: "catalog.sqlite", what: expect.stringMatching(/not a database/) }],
    });
  });

  it("is found when commits were lost, in the log or with it", async () => {
    const folder = copy();
    writeFileSync(join(folder, "history.log"), '{"generation":9,"time":"2026-01-01T00:00:00.000Z"}\n', {
      flag: "a",
    });
    expect(await problems(folder)).toEqual([
      {
        file: "catalog.sqlite",
        what: expect.stringMatching(/^history\.log tells of generation 9, the newest one here is 5/),
      },
    ]);
  });

  it("is found in a log with commits behind a damaged frame", async () => {
    const folder = join(root, "log");
    await makeVectorIndex(folder);
    // A reader that keeps its transaction keeps the log from being emptied.
    const reader = new Database(join(folder, "catalog.sqlite"), { readonly: true });
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM commits").get();
    const catalog = Catalog.open(folder, { readOnly: true });
    catalog.close();
    const writer = new Database(join(folder, "catalog.sqlite"));
    for (let i = 0; i < 3; i++) writer.exec(`UPDATE texts SET text = 'changed ${i}' WHERE document_no = 0`);
    const copied = copyOf(folder, join(root, "log-copy"));
    writer.close();
    reader.close();
    const wal = join(copied, "catalog.sqlite-wal");
    rmSync(join(copied, "catalog.sqlite-shm"), { force: true });
    expect((await problems(copied)).filter(({ file }) => file.endsWith("-wal"))).toEqual([]);
    rmSync(join(copied, "catalog.sqlite-shm"), { force: true });
    flip(wal, 32 + 24 + 100);
    expect(await problems(copied)).toContainEqual({
      file: "catalog.sqlite-wal",
      offset: 32,
      what: "a frame is damaged: SQLite ignores the commits behind it",
    });
    flip(wal, 3);
    rmSync(join(copied, "catalog.sqlite-shm"), { force: true });
    expect(await problems(copied)).toContainEqual({
      file: "catalog.sqlite-wal",
      offset: 0,
      what: expect.stringMatching(/^its header is damaged/),
    });
  });

  it("is found in lock files", async () => {
    const folder = copy();
    const lock = "snapshots/5.lock";
    mkdirSync(join(folder, "snapshots"), { recursive: true });
    writeFileSync(join(folder, lock), "garbage");
    writeFileSync(join(folder, "write.lock"), "garbage");
    const what = "a lock file is empty, this one has 7 bytes";
    expect(await problems(folder)).toEqual([
      { file: "write.lock", what },
      { file: lock, what },
    ]);
    expect(existsSync(join(folder, lock))).toBe(true);
  });

  it("is not listed without end", async () => {
    const folder = copy();
    sql(folder, "UPDATE passages SET context = 'x'");
    sql(folder, "UPDATE texts SET text = 'x'");
    const report = await verifyIndex(folder);
    expect(report.problems.length).toBeLessThanOrEqual(MAX_PROBLEMS);
    expect(report.problems.length).toBeGreaterThan(10);
  });
});
