import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import { Random } from "../../../src/common/random.js";
import { Catalog } from "../../../src/documents/catalog.js";
import { TABLES } from "../../../src/documents/schema.js";
import { inFolder, smallCatalog } from "./support.js";

const FLIPS = 300;

/** Everything that a reader can ask without an id. */
function readAll(folder: string): string {
  const catalog = Catalog.open(folder, { readOnly: true });
  try {
    const snapshot = catalog.snapshot();
    const documents = Array.from({ length: snapshot.nextDocument }, (_, i) => i);
    const passages = Array.from({ length: snapshot.nextPassage }, (_, i) => i);
    return JSON.stringify([
      snapshot,
      catalog.generation().deleted,
      catalog.roots(snapshot),
      catalog.sources(snapshot),
      [...catalog.documents(documents, snapshot.generation).values()],
      [...catalog.passages(passages).values()],
      catalog.listDocuments(snapshot, { offset: 0, limit: 1000 }).map((document) => document.id),
    ]);
  } finally {
    catalog.close();
  }
}

/** Looks every id up. */
function readIds(folder: string): string {
  const catalog = Catalog.open(folder, { readOnly: true });
  try {
    const ids = Array.from({ length: 40 }, (_, i) => `doc-${i}`);
    return JSON.stringify([...catalog.liveIds(ids)]);
  } finally {
    catalog.close();
  }
}

/** The answer, or the code of the error; any other error fails the test. */
function outcome(work: () => string): { answer?: string; code?: string } {
  try {
    return { answer: work() };
  } catch (error) {
    if (isMaxsimError(error)) return { code: error.code };
    throw error;
  }
}

/** True when `verify` names a problem or cannot read the catalog. */
function verifyNotices(folder: string): boolean {
  const { answer } = outcome(() => {
    const catalog = Catalog.open(folder, { readOnly: true });
    try {
      return catalog.verify().join("\n");
    } finally {
      catalog.close();
    }
  });
  return answer !== "";
}

function copyOf(folder: string, bytes: Uint8Array, n: number): string {
  const copy = join(folder, `copy-${n}`);
  mkdirSync(copy);
  writeFileSync(join(copy, "catalog.sqlite"), bytes);
  return copy;
}

describe("flipped bits", () => {
  test(`${FLIPS} of them anywhere in the catalog: the right answer or an error that says so`, () =>
    inFolder((folder) => {
      smallCatalog(folder).close();
      const bytes = readFileSync(join(folder, "catalog.sqlite"));
      const expected = readAll(folder);
      const expectedIds = readIds(folder);
      const random = new Random(7);
      const counts = { harmless: 0, noticed: 0, missedIds: 0 };
      for (let n = 0; n < FLIPS; n++) {
        const bit = random.below(bytes.length * 8);
        const damaged = Buffer.from(bytes);
        damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
        const copy = copyOf(folder, damaged, n);
        const { answer, code } = outcome(() => readAll(copy));
        if (code === undefined) expect([bit, answer]).toEqual([bit, expected]);
        const ids = outcome(() => readIds(copy));
        if (ids.code === undefined && ids.answer !== expectedIds) {
          // The index on ids is derived from the rows: a damaged one can hide an id, never give a wrong document.
          expect([bit, verifyNotices(copy)]).toEqual([bit, true]);
          expect(expectedIds).toContain(ids.answer!.slice(1, -1).split("],[")[0]);
          counts.missedIds++;
        }
        counts[code === undefined ? "harmless" : "noticed"]++;
        rmSync(copy, { recursive: true });
      }
      expect(counts.noticed).toBeGreaterThan(FLIPS / 10);
      expect(counts.missedIds).toBeLessThan(FLIPS / 20);
    }));

  test("every bit of the newest commit record's cell", () =>
    inFolder((folder) => {
      smallCatalog(folder).close();
      const bytes = readFileSync(join(folder, "catalog.sqlite"));
      const expected = readAll(folder);
      // The newest row of a table page comes first; the settings text leads to it.
      const settings = bytes.indexOf('{"dim":8');
      expect(settings).toBeGreaterThan(0);
      const start = settings - 60;
      const end = settings + 220;
      let noticed = 0;
      for (let bit = start * 8; bit < end * 8; bit += 3) {
        const damaged = Buffer.from(bytes);
        damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
        const copy = copyOf(folder, damaged, bit);
        const { answer, code } = outcome(() => readAll(copy));
        if (code === undefined) expect([bit, answer]).toEqual([bit, expected]);
        else noticed++;
        rmSync(copy, { recursive: true });
      }
      expect(noticed).toBeGreaterThan(200);
    }));
});

// SQLite takes a file of less than two bytes for a new database.
test("truncated at every page and around it", () =>
  inFolder((folder) => {
    smallCatalog(folder).close();
    const bytes = readFileSync(join(folder, "catalog.sqlite"));
    for (let at = 0; at < bytes.length; at += 4096) {
      for (const length of [at - 1, at, at + 1].filter((value) => value >= 0)) {
        const copy = copyOf(folder, bytes.subarray(0, length), length);
        const { code } = outcome(() => readAll(copy));
        expect([length, code]).toEqual([length, length <= 1 ? "INDEX_NOT_FOUND" : "CORRUPT"]);
        rmSync(copy, { recursive: true });
      }
    }
  }));

describe("changed rows", () => {
  /** Applies SQL to a copy behind the back of the checksums. */
  function damage(folder: string, n: number, sql: string): string {
    const copy = copyOf(folder, new Uint8Array(), n);
    copyFileSync(join(folder, "catalog.sqlite"), join(copy, "catalog.sqlite"));
    const db = new Database(join(copy, "catalog.sqlite"));
    expect(db.prepare(sql).run().changes).toBeGreaterThan(0);
    db.close();
    return copy;
  }

  const changes = [
    "UPDATE documents SET id = 'doc-x' WHERE document_no = 1",
    "UPDATE documents SET metadata = NULL WHERE document_no = 0",
    "UPDATE documents SET gen_added = 2 WHERE document_no = 0",
    "UPDATE texts SET text = text || '.' WHERE document_no = 5",
    "UPDATE passages SET start = start + 1 WHERE passage_no = 9",
    "UPDATE passages SET document_no = 8 WHERE passage_no = 9",
    "UPDATE passages SET context = 'Title 4' WHERE document_no = 0",
    "UPDATE tombstones SET passages = 2 WHERE document_no = 3",
    "UPDATE tombstones SET document_no = 9 WHERE document_no = 3",
    "UPDATE segments SET name = '../../etc/passwd' WHERE segment_no = 1",
    "UPDATE segments SET gen_dropped = 2 WHERE segment_no = 0",
    "UPDATE codecs SET centroids = 17",
    "UPDATE commits SET documents = 56 WHERE generation = 2",
    "UPDATE commits SET index_id = replace(index_id, '0', '1') WHERE generation = 2",
    "UPDATE documents SET checksum = checksum + 1 WHERE document_no = 59",
    "DELETE FROM commits WHERE generation = 2",
    "DELETE FROM documents WHERE document_no = 59",
    "DELETE FROM documents WHERE document_no = 20",
    "DELETE FROM texts WHERE document_no = 20",
    "DELETE FROM passages WHERE passage_no = 33",
    "DELETE FROM tombstones WHERE document_no = 4",
    "DELETE FROM segments WHERE segment_no = 0",
    "DELETE FROM codecs",
    "UPDATE roots SET options = '{}'",
    "UPDATE roots SET gen_dropped = 2",
    "DELETE FROM roots",
    "UPDATE sources SET modified = modified + 1 WHERE path = '/notes/a.md'",
    "DELETE FROM sources WHERE path = '/notes/b.md'",
  ];
  test("each is noticed when it is read, and by verify", () =>
    inFolder((folder) => {
      smallCatalog(folder).close();
      changes.forEach((sql, n) => {
        const copy = damage(folder, n, sql);
        expect([sql, outcome(() => readAll(copy)).code]).toEqual([sql, "CORRUPT"]);
        expect([sql, verifyNotices(copy)]).toEqual([sql, true]);
      });
      expect(verifyNotices(folder)).toBe(false);
      expect(
        TABLES.every((table) => changes.some((sql) => sql.includes(` ${table} `) || sql.endsWith(table))),
      ).toBe(true);
    }));
});
