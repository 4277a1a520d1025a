/** Damage that hides rows: pages of SQLite have no checksum, so lists and look-ups compare what is there twice. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import { Random } from "../../../src/common/random.js";
import { Catalog } from "../../../src/documents/catalog.js";
import { compileFilter } from "../../../src/documents/filter/compile-filter.js";
import { parseFilter } from "../../../src/documents/filter/parse-filter.js";
import { tempFolder } from "../../support/temp-folder.js";
import { addDocuments, INDEX_ID, makeDocuments, SETTINGS } from "./support.js";

const PAGE = 4096;
const folder = tempFolder();
const path = join(folder, "catalog.sqlite");
/** Tables of several pages and a look-up that has to go through them. */
const DOCUMENTS = 400;
let sound: Buffer;
let pages: Map<string, number[]>;

beforeAll(() => {
  const catalog = Catalog.create(folder, { indexId: INDEX_ID, settings: SETTINGS });
  addDocuments(folder, catalog, makeDocuments(DOCUMENTS));
  addDocuments(folder, catalog, makeDocuments(20, "more"), [3, 7, 4, 200]);
  catalog.commit({
    operation: "update",
    updateDocuments: [10, 11, 300].map((documentNo) => ({
      documentNo,
      title: "changed",
      id: `new-${documentNo}`,
    })),
  });
  catalog.close();
  sound = readFileSync(path);
  const db = new Database(path, { readonly: true });
  pages = new Map();
  for (const [name, page] of db.prepare<[], [string, number]>("SELECT name, pageno FROM dbstat").raw().all())
    pages.set(name, [...(pages.get(name) ?? []), page]);
  db.close();
});
afterAll(() => write(sound));

function write(bytes: Uint8Array): void {
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
  writeFileSync(path, bytes);
}

const filters = ["title = changed", "exists metadata.deep or id prefix new", "not exists title"].map((text) =>
  compileFilter(parseFilter(text.replace("metadata.deep", "deep"))),
);
const ids = ["doc-0", "doc-10", "new-10", "doc-399", "nobody"];

/** Each asked of a catalog that was just opened, so that nothing is known from the question before. */
const questions: readonly (readonly [name: string, ask: (catalog: Catalog) => unknown])[] = [
  ["first page", (c) => c.listDocuments(c.snapshot(), { offset: 0, limit: 3 })],
  ["later page", (c) => c.listDocuments(c.snapshot(), { offset: 9, limit: 5 })],
  ["last page", (c) => c.listDocuments(c.snapshot(), { offset: 390, limit: 50 })],
  ["numbers after 197", (c) => c.summaries(c.snapshot(), { after: 197, offset: 1, limit: 4 })],
  ["after the last", (c) => c.summaries(c.snapshot(), { after: 419, offset: 0, limit: 4 })],
  ["live ids", (c) => [...c.liveIds(ids)]],
  ["documents of a file", (c) => c.documentsOfSource("corpus.jsonl", c.snapshot()).length],
  ...ids.map((id) => [`get ${id}`, (c: Catalog) => c.documentById(id, c.snapshot()) ?? null] as const),
];

function answer(ask: (catalog: Catalog) => unknown): unknown {
  try {
    const catalog = Catalog.open(folder, { readOnly: true });
    try {
      return JSON.stringify(ask(catalog));
    } finally {
      catalog.close();
    }
  } catch (error) {
    if (isMaxsimError(error)) return { code: error.code };
    throw error;
  }
}

/** Bits of the parts of pages that stand for something: headers, pointers, cells. */
function usedBits(names: readonly string[]): number[] {
  const bits: number[] = [];
  for (const page of names.flatMap((name) => pages.get(name)!)) {
    const start = (page - 1) * PAGE;
    const content = sound.readUInt16BE(start + 5);
    const cells = sound.readUInt16BE(start + 3);
    for (let at = 0; at < PAGE; at++) {
      if (at >= 12 + 2 * cells && at < content) continue;
      for (let bit = 0; bit < 8; bit++) bits.push(8 * (start + at) + bit);
    }
  }
  return bits;
}

/** A page's header and pointers are few bits and do most harm. */
function headerBits(names: readonly string[]): number[] {
  return usedBits(names).filter((bit) => (bit >> 3) % PAGE < 64);
}

describe.each(["documents", "documents_id", "documents_source", "texts", "tombstones"])(
  "a flipped bit in %s",
  (table) => {
    it("never hides a document from a list or a look-up, nor shows a wrong one", () => {
      write(sound);
      const expected = new Map(questions.map(([name, ask]) => [name, answer(ask)]));
      const random = new Random(11);
      const pick = (bits: readonly number[], count: number): number[] =>
        Array.from(random.sample(Math.min(count, bits.length), bits.length), (i) => bits[i]!);
      let refused = 0;
      for (const bit of [...pick(headerBits([table]), 40), ...pick(usedBits([table]), 30)]) {
        const damaged = Buffer.from(sound);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        write(damaged);
        for (const [name, ask] of questions) {
          const found = answer(ask);
          if (typeof found === "object") refused++;
          else expect([bit, name, found]).toEqual([bit, name, expected.get(name)]);
        }
      }
      expect(refused).toBeGreaterThan(20);
    }, 60_000);
  },
);

/** Applies `edit` to the bytes of an index entry or row, found by its text on a page of the table. */
function damageText(table: string, text: string, edit: (at: number, bytes: Buffer) => void): void {
  const damaged = Buffer.from(sound);
  const found = pages.get(table)!.flatMap((page) => {
    const at = sound.subarray(0, page * PAGE).indexOf(text, (page - 1) * PAGE);
    return at < 0 ? [] : [at];
  });
  expect(found.length).toBeGreaterThan(0);
  for (const at of found) edit(at, damaged);
  write(damaged);
}

const corrupt = (what: RegExp): unknown =>
  expect.objectContaining({ code: "CORRUPT", message: expect.stringMatching(what) });

describe("an id that the index of ids lost", () => {
  const lose = (): void =>
    damageText("documents_id", "doc-399", (at, bytes) => {
      bytes[at + 6] = "8".charCodeAt(0);
    });

  it("is not given to a second document", () => {
    lose();
    const catalog = Catalog.open(folder, { readOnly: false });
    expect(catalog.takenIds(["doc-399"]).size).toBe(0);
    expect(() =>
      addDocuments(folder, catalog, [
        { id: "other", text: "t" },
        { id: "doc-399", text: "t" },
      ]),
    ).toThrow(corrupt(/does not lead to document "doc-399"/) as Error);
    expect(() =>
      catalog.commit({ operation: "update", updateDocuments: [{ documentNo: 5, id: "doc-399" }] }),
    ).toThrow(corrupt(/does not lead to document "doc-399"/) as Error);
    expect(catalog.snapshot().generation).toBe(3);
    // Others are added as ever.
    addDocuments(folder, catalog, [{ id: "other", text: "t" }]);
    catalog.close();
  });

  it("is not taken for one that is not there", () => {
    lose();
    const catalog = Catalog.open(folder, { readOnly: true });
    expect(() => catalog.liveIds(["doc-1", "doc-399"])).toThrow(corrupt(/"doc-399"/) as Error);
    expect(() => catalog.numbersOf(["doc-399"], catalog.snapshot())).toThrow(corrupt(/"doc-399"/) as Error);
    // The entry leads to a document of another id.
    expect(() => catalog.liveIds(["doc-398"])).toThrow(corrupt(/documents_id leads from "doc-398"/) as Error);
    catalog.close();
  });
});

it("filters refuse a table that lacks a row, or shows one twice", () => {
  write(sound);
  const db = new Database(path);
  const [root] = db
    .prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'documents'")
    .pluck()
    .all();
  db.close();
  const leaf = pages.get("documents")!.find((page) => page !== root)!;
  const start = (leaf - 1) * PAGE;
  const edits: ((bytes: Buffer) => void)[] = [
    (bytes) => bytes.writeUInt16BE(bytes.readUInt16BE(start + 3) - 1, start + 3),
    (bytes) => bytes.copy(bytes, start + 8, start + 10, start + 12),
  ];
  for (const edit of edits) {
    const damaged = Buffer.from(sound);
    edit(damaged);
    write(damaged);
    const catalog = Catalog.open(folder, { readOnly: true });
    const snapshot = catalog.snapshot();
    for (const condition of filters) {
      expect(() => catalog.matchingDocuments(snapshot, condition)).toThrow(
        corrupt(/index of ids|live documents/) as Error,
      );
      expect(() => catalog.listDocuments(snapshot, { offset: 0, limit: 1 }, condition)).toThrow(
        corrupt(/index of ids|live documents/) as Error,
      );
    }
    expect(() => catalog.requireWhole(snapshot)).toThrow(corrupt(/index of ids|live documents/) as Error);
    catalog.close();
  }
});

it("a list of an older generation knows of deleted, changed and later documents", () => {
  write(sound);
  const catalog = Catalog.open(folder, { readOnly: true });
  const newest = catalog.snapshot();
  const first = { ...newest, generation: 1, documents: DOCUMENTS };
  const second = { ...newest, generation: 2, documents: DOCUMENTS + 16 };
  for (const limit of [2, 1000]) {
    const page = (snapshot: typeof newest, offset: number): string[] =>
      catalog
        .listDocuments(snapshot, { offset, limit })
        .map(({ id }) => id)
        .slice(0, 2);
    expect(page(first, 3)).toEqual(["doc-3", "doc-4"]);
    expect(page(second, 3)).toEqual(["doc-5", "doc-6"]);
    expect(page(newest, 7)).toEqual(["new-10", "new-11"]);
    expect(page(first, 10)).toEqual(["doc-10", "doc-11"]);
  }
  catalog.close();
});
