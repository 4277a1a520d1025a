/** Damage to the full-text table: it carries no checksums, so verify compares it with the passages, and repair makes it again. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import { Random } from "../../../src/common/random.js";
import { Catalog } from "../../../src/documents/catalog.js";
import type { LexicalKind } from "../../../src/lexical/types.js";
import { tempFolder } from "../../support/temp-folder.js";
import { addDocuments, INDEX_ID, makeDocuments, SETTINGS } from "./support.js";

const PAGE = 4096;
const folder = tempFolder();
const path = join(folder, "catalog.sqlite");
let sound: Buffer;
let pages: { readonly name: string; readonly pageno: number }[];
let expected: string;

function makeCatalog(lexical: LexicalKind): void {
  rmSync(path, { force: true });
  const catalog = Catalog.create(folder, { indexId: INDEX_ID, settings: { ...SETTINGS, lexical } });
  addDocuments(folder, catalog, makeDocuments(40));
  addDocuments(folder, catalog, [{ id: "code", text: "readFile opens the file of readers" }], [3, 7]);
  addDocuments(folder, catalog, makeDocuments(20, "more"), [8]);
  catalog.commit({ operation: "compact", purgeBefore: 3 });
  catalog.close();
}

beforeAll(() => {
  makeCatalog("english");
  sound = readFileSync(path);
  const db = new Database(path, { readonly: true });
  pages = db
    .prepare<[], { name: string; pageno: number }>(
      "SELECT name, pageno FROM dbstat WHERE name LIKE 'lexical%'",
    )
    .all();
  db.close();
  expected = answers();
});
beforeEach(() => write(sound));

function write(bytes: Uint8Array): void {
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
  writeFileSync(path, bytes);
}

function withCatalog<T>(readOnly: boolean, work: (catalog: Catalog) => T): T {
  const catalog = Catalog.open(folder, { readOnly });
  try {
    return work(catalog);
  } finally {
    catalog.close();
  }
}

function answers(): string {
  return withCatalog(true, (catalog) => {
    const accepted = new Uint8Array(1000).fill(1);
    const terms = ["żółw", "doc", "more", "39", "title", "passage", "readfile", "file"];
    const found = terms.map((term) =>
      catalog.searchWords({ terms: [term, "next"], accepted, limit: 200, passages: 40, budget: 1000 }),
    );
    return JSON.stringify([found, catalog.passagesWith("of more 7"), catalog.passagesWith("read file")]);
  });
}

/** What a search said, or the code of the error; another error fails the test. */
function outcome(work: () => string): string {
  try {
    return work();
  } catch (error) {
    if (isMaxsimError(error)) return error.code;
    throw error;
  }
}

const verified = (): string => outcome(() => withCatalog(true, (catalog) => catalog.verify().join("\n")));

describe("verify", () => {
  it("finds nothing in a sound table, of whatever kind", () => {
    expect(verified()).toBe("");
    for (const kind of ["words", "trigrams", "off"] as const) {
      makeCatalog(kind);
      expect(verified()).toBe("");
    }
  });

  it("notices whatever makes searches answer wrongly, or not at all", () => {
    const random = new Random(5);
    const bits = pages.flatMap(({ pageno }) => {
      const start = (pageno - 1) * PAGE;
      const content = sound.readUInt16BE(start + 5);
      return Array.from({ length: PAGE - content }, (_, i) => start + content + i);
    });
    const counts = { same: 0, refused: 0, wrong: 0 };
    for (let n = 0; n < 250; n++) {
      const damaged = Buffer.from(sound);
      const at = bits[random.below(bits.length)]!;
      const bit = random.below(8);
      damaged[at]! ^= 1 << bit;
      write(damaged);
      const found = outcome(answers);
      if (found === expected) {
        counts.same++;
        continue;
      }
      counts[found === "CORRUPT" ? "refused" : "wrong"]++;
      expect([at, bit, verified()]).not.toEqual([at, bit, ""]);
    }
    expect(counts.wrong).toBeGreaterThan(20);
    expect(counts.refused).toBeGreaterThan(20);
  }, 60_000);
});

describe("repair", () => {
  const repair = (dryRun = false): ReturnType<Catalog["repairRows"]> =>
    withCatalog(false, (catalog) => catalog.repairRows({ drop: false, dryRun }));
  const unsafely = (sql: string): void => {
    const db = new Database(path);
    db.unsafeMode(true);
    db.exec(sql);
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.close();
  };
  const zeroed = (name: string): void => {
    const bytes = Buffer.from(sound);
    for (const page of pages.filter((entry) => entry.name === name)) {
      bytes.fill(0, (page.pageno - 1) * PAGE, page.pageno * PAGE);
    }
    write(bytes);
  };

  it.each([
    ["states a version that FTS5 does not know", () => unsafely("UPDATE lexical_config SET v = 99")],
    ["lacks its settings", () => unsafely("DROP TABLE lexical_config")],
    ["lacks its blocks", () => unsafely("DROP TABLE lexical_data")],
    ["lost the record of its structure", () => unsafely("DELETE FROM lexical_data WHERE id = 10")],
    [
      "has other words",
      () => unsafely("UPDATE lexical_data SET block = replace(block, 'file', 'fire') WHERE id > 10"),
    ],
    ["lacks a passage", () => unsafely("DELETE FROM lexical_docsize WHERE id = 5")],
    ["has a page of zeros for its settings", () => zeroed("lexical_config")],
    ["has pages of zeros for its blocks", () => zeroed("lexical_data")],
    ["has pages of zeros for its index", () => zeroed("lexical_idx")],
    ["has pages of zeros for its sizes", () => zeroed("lexical_docsize")],
  ])("makes a table again that %s", (_, damage) => {
    damage();
    const before = readFileSync(path);
    expect(verified()).not.toBe("");
    expect(repair(true)).toMatchObject({
      left: [],
      generation: null,
      done: [expect.stringContaining("full-text")],
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(repair()).toMatchObject({
      left: [],
      generation: null,
      done: [expect.stringContaining("full-text")],
    });
    expect(verified()).toBe("");
    expect(answers()).toBe(expected);
  });
});

describe("a damaged text", () => {
  const damage = (more = ""): void => {
    const db = new Database(path);
    db.unsafeMode(true);
    db.exec(`UPDATE texts SET text = 'other' WHERE document_no = 5; ${more}`);
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.close();
  };

  it("is no reason to make its words again", () => {
    damage();
    expect(verified()).toBe("row 5 of texts does not match its checksum");
    const { done, left } = withCatalog(false, (catalog) =>
      catalog.repairRows({ drop: false, dryRun: false }),
    );
    expect([done, left]).toEqual([[], ["row 5 of texts does not match its checksum"]]);
    expect(answers()).toBe(expected);
  });

  it("goes with its words, also where others are damaged", () => {
    damage("UPDATE lexical_data SET block = replace(block, 'file', 'fire') WHERE id > 10");
    const repair = withCatalog(false, (catalog) => catalog.repairRows({ drop: true, dryRun: false }));
    expect(repair).toMatchObject({ left: [], lost: [{ documentNo: 5, id: "doc-5" }], generation: 5 });
    expect(verified()).toBe("");
    expect(withCatalog(true, (catalog) => catalog.passagesWith("readfile"))).toHaveLength(1);
  });
});
