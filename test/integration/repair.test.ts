/** What `repairIndex` mends, and that it gives up nothing unasked. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { Index } from "../../src/engine/index.js";
import { type RepairOptions, repairIndex } from "../../src/engine/repair.js";
import { verifyIndex } from "../../src/engine/verify.js";
import { copyOf, DIM, filesOf, flip, lie, makeVectorIndex, sectionsOf, sql } from "../support/damage.js";
import { SyntheticCorpus } from "../support/synthetic.js";
import { tempFolder } from "../support/temp-folder.js";

const root = tempFolder();
const sound = join(root, "sound");
let copies = 0;
const copy = (of = sound): string => copyOf(of, join(root, `copy-${copies++}`));
const SEGMENT_DOCUMENTS = 14;

/** Every document, and what searches find with every score. */
async function contents(folder: string): Promise<{ ids: string[]; hits: [string, number][][] }> {
  const index = await Index.open(folder, { threads: 1 });
  try {
    const documents = await index.list({ limit: 10_000 });
    const corpus = new SyntheticCorpus({ passages: 42, tokens: 9, dim: DIM, vocabulary: 40 });
    const hits: [string, number][][] = [];
    for (const effort of ["exact", "balanced"] as const) {
      for (const passage of [0, 3, 17, 30, 41]) {
        const found = await index.searchEmbeddings(corpus.query(passage, 4), { k: 100, effort });
        hits.push(found.hits.map(({ id, score }) => [id, score]));
      }
    }
    return { ids: documents.map(({ id }) => id), hits };
  } finally {
    await index.close();
  }
}

const without = (
  { ids, hits }: Awaited<ReturnType<typeof contents>>,
  lost: readonly (string | null)[],
): Awaited<ReturnType<typeof contents>> => ({
  ids: ids.filter((id) => !lost.includes(id)),
  hits: hits.map((found) => found.filter(([id]) => !lost.includes(id))),
});

/** Repairs, and expects a sound index of the next generation. */
async function repaired(folder: string, options: RepairOptions = {}) {
  const dry = await repairIndex(folder, { ...options, dryRun: true });
  const report = await repairIndex(folder, options);
  expect(report).toMatchObject({ ok: true, left: [], dryRun: false });
  expect(dry).toMatchObject({ ok: true, left: [], dryRun: true, lost: report.lost, encoded: report.encoded });
  expect(await verifyIndex(folder, { deep: true })).toMatchObject({ ok: true, problems: [] });
  expect(existsSync(join(folder, "repair.work"))).toBe(false);
  return report;
}

/** Expects that nothing can be done with these options, and that nothing was. */
async function unrepaired(folder: string, needs: string, options: RepairOptions = {}) {
  const before = snapshotOf(folder);
  for (const dryRun of [true, false]) {
    const report = await repairIndex(folder, { ...options, dryRun });
    expect(report).toMatchObject({ ok: false, repaired: [], left: [{ needs }] });
    expect(snapshotOf(folder)).toEqual(before);
  }
}

function snapshotOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && !/lock$|-shm$|-wal$/.test(entry.name));
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length), readFileSync(path).toString("base64")];
    }),
  );
}

let healthy: Awaited<ReturnType<typeof contents>>;
beforeAll(async () => {
  await makeVectorIndex(sound);
  healthy = await contents(sound);
});

describe("a sound index", () => {
  it("is left alone", async () => {
    const folder = copy();
    const before = snapshotOf(folder);
    const report = await repairIndex(folder);
    expect(report).toMatchObject({ ok: true, repaired: [], left: [], lost: [], generation: 5 });
    expect(snapshotOf(folder)).toEqual(before);
    await expect(repairIndex(join(root, "nothing"))).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    const index = await Index.open(folder);
    const adding = index.addEmbeddings(
      (async function* () {
        await expect(repairIndex(folder)).rejects.toMatchObject({ code: "LOCKED" });
        yield { id: "x", vectors: [new Float32Array(DIM).fill(1)] };
      })(),
    );
    await adding;
    await index.close();
  });
});

describe("segments of vectors", () => {
  it.each([1, 2, 4] as const)(
    "at %i bits come back byte for byte unless a code or residual was damaged",
    async (nbits) => {
      const base = join(root, `base-${nbits}`);
      await makeVectorIndex(base, nbits);
      const before = await contents(base);
      const { name, length } = filesOf(base, "segment")[1]!;
      const bytes = readFileSync(join(base, name));
      const sections = [...(await sectionsOf(base, "segment", name))];
      const places: [string, number][] = [
        ...sections.map(([tag, { offset, byteLength }]): [string, number] => [
          tag,
          offset + (byteLength >> 1),
        ]),
        ["header", 20],
        ["table", 70],
        ["unused table entry", 800],
        ["checksums", length - 33],
        ["footer", length - 4],
      ];
      for (const [what, offset] of places) {
        if (what === "residual" || what === "codes") continue;
        const folder = copy(base);
        flip(join(folder, name), offset);
        const report = await repaired(folder);
        expect(report, what).toMatchObject({ generation: 6, lost: [], encoded: 0 });
        expect(report.repaired).toEqual([
          { file: name, what: "was written again, byte for byte, from its codes and residuals" },
        ]);
        expect(readFileSync(join(folder, name)).equals(bytes)).toBe(true);
        expect(await contents(folder)).toEqual(before);
        const index = await Index.open(folder);
        expect(await index.history({ limit: 1 })).toMatchObject([{ generation: 6, operation: "repair" }]);
        await index.close();
      }
    },
  );

  it.each([
    ["a residual", "residual"],
    ["a code", "codes"],
  ])("with a damaged block of %s are dropped only when that is asked for", async (_, tag) => {
    const folder = copy();
    const { name } = filesOf(folder, "segment")[1]!;
    flip(join(folder, name), (await sectionsOf(folder, "segment", name)).get(tag)!.offset + 5);
    await unrepaired(folder, "dropDamaged");
    const { lost, ...report } = await repaired(folder, { dropDamaged: true });
    expect(report.repaired).toEqual([{ file: name, what: "was taken out of the index" }]);
    // Document 20 was deleted before.
    const expected = Array.from({ length: SEGMENT_DOCUMENTS }, (_x, i) => `d${SEGMENT_DOCUMENTS + i}`);
    expect(lost.map(({ id }) => id)).toEqual(expected.filter((id) => id !== "d20"));
    const after = await contents(folder);
    expect(after.ids).toContain("none");
    expect(after).toEqual(without(healthy, expected));
  });

  it.each([
    ["missing", (path: string) => rmSync(path)],
    ["a folder", (path: string) => [rmSync(path), mkdirSync(path)]],
    ["empty", (path: string) => writeFileSync(path, "")],
    ["zeros", (path: string, length: number) => writeFileSync(path, Buffer.alloc(length))],
    ["another index's", (path: string) => writeFileSync(path, "something else")],
  ])("that are %s are dropped when that is asked for", async (_, damage) => {
    const folder = copy();
    const { name, length } = filesOf(folder, "segment")[0]!;
    damage(join(folder, name), length);
    await unrepaired(folder, "dropDamaged");
    const { lost } = await repaired(folder, { dropDamaged: true });
    const expected = Array.from({ length: SEGMENT_DOCUMENTS }, (_x, i) => `d${i}`);
    expect(lost.map(({ id }) => id)).toEqual(expected.filter((id) => id !== "d1" && id !== "d3"));
  });

  it("that end early come back when only what follows from the rest is gone", async () => {
    const folder = copy();
    const { name } = filesOf(folder, "segment")[2]!;
    const bytes = readFileSync(join(folder, name));
    truncateSync(join(folder, name), (await sectionsOf(folder, "segment", name)).get("postoff")!.offset);
    await repaired(folder);
    expect(readFileSync(join(folder, name)).equals(bytes)).toBe(true);
    expect(await contents(folder)).toEqual(healthy);
  });

  it("that have changed places are told apart, and never mixed", async () => {
    const folder = copy();
    const [a, b] = filesOf(folder, "segment").map(({ name }) => join(folder, name));
    const [bytesA, bytesB] = [readFileSync(a!), readFileSync(b!)];
    writeFileSync(a!, bytesB);
    writeFileSync(b!, bytesA);
    const report = await repairIndex(folder);
    expect(report).toMatchObject({
      ok: false,
      repaired: [],
      left: [{ needs: "dropDamaged" }, { needs: "dropDamaged" }],
    });
  });

  it("lose only the documents in damaged blocks", async () => {
    const base = join(root, "blocks");
    const corpus = new SyntheticCorpus({ passages: 500, tokens: 64, dim: DIM, vocabulary: 60 });
    const index = await Index.create(base, { model: null, dim: DIM });
    await index.addEmbeddings(corpus.passages.map(({ vectors }, i) => ({ id: `d${i}`, vectors })));
    await index.delete(["d499"]);
    const query = corpus.query(3, 8);
    const { hits: before } = await index.searchEmbeddings(query, { k: 500, effort: "exact" });
    await index.close();
    const [segment] = filesOf(base, "segment");
    // 8 bytes a token: a block of 65,536 bytes holds those of 128 passages.
    flip(join(base, segment!.name), 65_536 + 100);
    flip(join(base, segment!.name), segment!.length - 4000);
    const { lost, repaired: done } = await repaired(base, { dropDamaged: true });
    expect(done).toEqual([{ file: segment!.name, what: "was written again without what is damaged" }]);
    const first = Math.floor((65_536 - 832) / (64 * 8));
    const last = Math.floor((2 * 65_536 - 832 - 1) / (64 * 8));
    const expected = Array.from({ length: last - first + 1 }, (_, i) => `d${first + i}`);
    expect(lost.map(({ id }) => id)).toEqual(expected);
    const after = await Index.open(base);
    const { hits } = await after.searchEmbeddings(query, { k: 500, effort: "exact" });
    await after.close();
    const kept = before.filter(({ id }) => !expected.includes(id));
    expect(hits.map(({ id, score }) => [id, score])).toEqual(kept.map(({ id, score }) => [id, score]));
  });

  it.each([
    ["posting lists", "postings", (bytes: Buffer) => (bytes[2]! ^= 1)],
    ["norms", "norms", (bytes: Buffer) => bytes.writeUInt16LE(0x7c00, 6)],
    ["document numbers", "document", (bytes: Buffer) => bytes.writeUInt32LE(3, 8)],
  ])("with wrong %s under right checksums get the right ones", async (_, tag, change) => {
    const folder = copy();
    const [segment] = filesOf(folder, "segment");
    const written = await lie(folder, "segment", segment!, tag, change);
    const report = await repaired(folder);
    expect(report.repaired).toEqual([
      { file: written.name, what: "was written again from its codes and residuals" },
    ]);
    // The right content has the right name.
    expect(filesOf(folder, "segment").map(({ name }) => name)).toContain(segment!.name);
    expect(await contents(folder)).toEqual(healthy);
  });

  it("are lost with their codec", async () => {
    const folder = copy();
    rmSync(join(folder, filesOf(folder, "codec").at(-1)!.name));
    await unrepaired(folder, "backup", { dropDamaged: true, rebuild: true });
  });
});

describe("the catalog", () => {
  it.each([
    ["text", "UPDATE texts SET text = 'changed' WHERE document_no = 4", ["d4"]],
    ["passage", "UPDATE passages SET tokens = 8 WHERE passage_no = 4", ["d4"]],
    ["document", "UPDATE documents SET metadata = '{}' WHERE document_no = 4", ["d4"]],
    ["passage that is gone", "DELETE FROM passages WHERE passage_no = 6", ["d6"]],
    ["passage with another number", "UPDATE passages SET passage_no = 9999 WHERE passage_no = 41", ["d40"]],
    [
      "version of a document",
      "UPDATE documents SET title = 'six' WHERE document_no = 5 AND gen_replaced IS NULL",
      ["d5"],
    ],
    [
      "old version of a document",
      "UPDATE documents SET title = 'x' WHERE document_no = 5 AND gen_replaced IS NOT NULL",
      [],
    ],
    ["tombstone", "UPDATE tombstones SET gen_deleted = 99 WHERE document_no = 1", []],
    ["old commit", "UPDATE commits SET added = 4 WHERE generation = 2", []],
  ])("loses what has a damaged row (%s), when that is asked for", async (_, statement, expected) => {
    const folder = copy();
    sql(folder, statement);
    const left = await repairIndex(folder);
    expect(left.ok).toBe(false);
    expect(left.left.every(({ needs }) => needs === "dropDamaged")).toBe(true);
    const { lost } = await repaired(folder, { dropDamaged: true });
    expect(lost.map(({ id }) => id)).toEqual(expected);
    expect(await contents(folder)).toEqual(without(healthy, expected));
    const index = await Index.open(folder);
    await index.addEmbeddings([{ id: "d4", vectors: [new Float32Array(DIM).fill(1)] }]);
    await index.compact({ all: true, graceMs: 0 });
    await index.close();
    expect(await verifyIndex(folder)).toMatchObject({ ok: true });
  });

  it("and a segment can be damaged at the same time", async () => {
    const folder = copy();
    sql(folder, "UPDATE documents SET title = 'x' WHERE document_no = 8");
    sql(folder, "DELETE FROM passages WHERE document_no = 8");
    const [first, second] = filesOf(folder, "segment");
    flip(join(folder, first!.name), first!.length - 4);
    rmSync(join(folder, second!.name));
    const report = await repairIndex(folder, { dropDamaged: true });
    expect(report).toMatchObject({ ok: true, left: [], generation: 7 });
    expect(await verifyIndex(folder, { deep: true })).toMatchObject({ ok: true });
    const lost = report.lost.map(({ id }) => id);
    expect(lost).toContain("d8");
    expect(await contents(folder)).toEqual(without(healthy, lost));
  });

  it("gets its SQL indexes back", async () => {
    const folder = copy();
    const edit = (work: (db: Database.Database) => void): void => {
      const db = new Database(join(folder, "catalog.sqlite"));
      db.unsafeMode(true);
      db.pragma("writable_schema = ON");
      work(db);
      db.pragma("wal_checkpoint(TRUNCATE)");
      db.close();
    };
    let row: unknown[] = [];
    edit((db) => {
      row = db.prepare<[], unknown[]>("SELECT * FROM sqlite_schema WHERE name = 'documents_id'").raw().get()!;
      db.exec("DELETE FROM sqlite_schema WHERE name = 'documents_id'");
    });
    // Without its index the table changes alone.
    edit((db) => db.exec("DELETE FROM documents WHERE document_no = 5 AND gen_replaced IS NOT NULL"));
    edit((db) => db.prepare("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)").run(...(row as string[])));
    const { problems } = await verifyIndex(folder);
    expect(problems[0]).toMatchObject({
      file: "catalog.sqlite",
      what: expect.stringMatching(/^SQLite: .*documents_id/),
    });
    const report = await repaired(folder);
    expect(report.repaired).toEqual([
      {
        file: "catalog.sqlite",
        what: "the SQL indexes and the full-text table were built again from the rows",
      },
    ]);
    expect(await contents(folder)).toEqual(healthy);
  });

  it.each([
    ["rows of segments in use", "UPDATE segments SET tokens = 1 WHERE segment_no = 1"],
    ["the newest commit", "UPDATE commits SET tokens = 1 WHERE generation = 5"],
    ["a tombstone is gone", "DELETE FROM tombstones WHERE document_no = 1"],
  ])("is not guessed at: %s", async (_, statement) => {
    const folder = copy();
    sql(folder, statement);
    const before = snapshotOf(folder);
    const report = await repairIndex(folder, { dropDamaged: true, rebuild: true });
    expect(report).toMatchObject({ ok: false, lost: [] });
    expect(report.left.every(({ needs }) => needs === "backup")).toBe(true);
    expect(snapshotOf(folder)).toEqual(before);
  });

  it("that SQLite cannot read is left to a backup", async () => {
    const folder = copy();
    writeFileSync(join(folder, "catalog.sqlite"), Buffer.alloc(8192, 7));
    const report = await repairIndex(folder, { dropDamaged: true });
    expect(report).toMatchObject({
      ok: false,
      generation: null,
      left: [{ file: "catalog.sqlite", needs: "backup" }],
    });
  });
});

describe("what lies beside", () => {
  it("lock files and the history are put in order", async () => {
    const folder = copy();
    mkdirSync(join(folder, "snapshots"), { recursive: true });
    writeFileSync(join(folder, "snapshots/5.lock"), "garbage");
    writeFileSync(join(folder, "write.lock"), "garbage");
    writeFileSync(
      join(folder, "history.log"),
      'nonsense\n{"generation":8,"time":"2026-01-01T00:00:00.000Z"}\n',
      { flag: "a" },
    );
    const dry = await repairIndex(folder, { dryRun: true });
    expect(dry).toMatchObject({ ok: true, left: [] });
    expect(readFileSync(join(folder, "write.lock"), "utf8")).toBe("garbage");
    const report = await repairIndex(folder);
    expect(report).toMatchObject({ ok: true, left: [], generation: 5 });
    expect(report.repaired.map(({ file, what }) => `${file} ${what}`)).toEqual([
      expect.stringMatching(/^write\.lock was removed/),
      expect.stringMatching(/^snapshots\/5\.lock was removed/),
      expect.stringMatching(/^history\.log was written again without lines/),
      expect.stringMatching(/^history\.log the commits after generation 5, up to 8, are lost/),
    ]);
    expect(await verifyIndex(folder)).toMatchObject({ ok: true, notes: [] });
    expect(readFileSync(join(folder, "history.log"), "utf8").trim().split("\n")).toHaveLength(5);
  });

  it("what a repair that was cut short left goes with the next write", async () => {
    const folder = copy();
    mkdirSync(join(folder, "repair.work/segments"), { recursive: true });
    writeFileSync(join(folder, `repair.work/segments/${"a".repeat(32)}.tmp`), "x");
    const index = await Index.open(folder);
    await index.delete(["d2"]);
    await index.close();
    expect(existsSync(join(folder, "repair.work"))).toBe(false);
  });
});
