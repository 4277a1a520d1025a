import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import { Catalog } from "../../../src/documents/catalog.js";
import { openCatalog } from "../../../src/documents/connection.js";
import {
  addDocuments,
  fakeCodec,
  fakeFile,
  INDEX_ID,
  inFolder,
  makeDocuments,
  SETTINGS,
  smallCatalog,
} from "./support.js";

/** Code and message of what `work` throws. */
function failure(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (error) {
    if (isMaxsimError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("it did not throw");
}

describe("Catalog", () => {
  test("a new index is generation 0 without documents", () =>
    inFolder((folder) => {
      const path = join(folder, "a", "b");
      const catalog = Catalog.create(path, { indexId: INDEX_ID, settings: SETTINGS });
      expect(catalog.snapshot()).toEqual({
        generation: 0,
        indexId: INDEX_ID,
        settings: SETTINGS,
        codec: null,
        segments: [],
        documents: 0,
        passages: 0,
        tokens: 0,
        nextDocument: 0,
        nextPassage: 0,
        codecs: new Map(),
        nextSegment: 1,
        nextCodec: 1,
        nextRoot: 1,
        roots: 0,
        sources: 0,
      });
      catalog.close();
      expect(failure(() => Catalog.create(path, { indexId: INDEX_ID, settings: SETTINGS })).code).toBe(
        "INDEX_EXISTS",
      );
      const again = Catalog.open(path, { readOnly: true });
      expect(again.snapshot().generation).toBe(0);
      again.close();
      expect(failure(() => again.snapshot()).code).toBe("CLOSED");
    }));

  test("gives back what was added, and what a deletion leaves", () =>
    inFolder((folder) => {
      const catalog = smallCatalog(folder);
      const snapshot = catalog.snapshot();
      const inputs = [...makeDocuments(40), ...makeDocuments(20, "more")];
      expect(snapshot).toMatchObject({ generation: 2, documents: 57, nextDocument: 60, codec: fakeCodec(0) });
      expect(snapshot.segments.map((segment) => segment.segmentNo)).toEqual([0, 1]);

      const documents = catalog.documents(
        inputs.map((_, i) => i),
        snapshot.generation,
      );
      inputs.forEach((input, i) => {
        const { documentNo, firstPassage, passages, tokens, ...content } = documents.get(i)!;
        expect(content).toEqual({ metadata: {}, ...input });
        expect(documentNo).toBe(i);
        const numbers = Array.from({ length: passages }, (_, j) => firstPassage + j);
        const found = [...catalog.passages(numbers).values()];
        expect(found.reduce((sum, passage) => sum + passage.tokens, 0)).toBe(tokens);
        expect(found.map(({ start, end }) => input.text.slice(start, end)).join("\n\n")).toBe(input.text);
        expect(found.every((passage) => passage.documentNo === i)).toBe(true);
      });
      const live = inputs.filter((_, i) => ![3, 4, 7].includes(i)).map((input) => input.id);
      expect(catalog.listDocuments(snapshot, { offset: 0, limit: 100 }).map(({ id }) => id)).toEqual(live);
      expect(catalog.listDocuments(snapshot, { offset: 2, limit: 3 }).map(({ id }) => id)).toEqual(
        live.slice(2, 5),
      );
      expect(catalog.documentById("doc-3", snapshot)).toBeUndefined();
      expect(catalog.documentById("doc-5", snapshot)?.documentNo).toBe(5);
      expect(catalog.liveIds(["doc-4", "doc-5", "nobody", "more-0"])).toEqual(
        new Map([
          ["doc-5", 5],
          ["more-0", 40],
        ]),
      );
      const dead = [3, 4, 7].flatMap((no) => {
        const { firstPassage, passages } = documents.get(no)!;
        return Array.from({ length: passages }, (_, j) => firstPassage + j);
      });
      const ranges = catalog.generation().deleted;
      expect(ranges).toHaveLength(2);
      expect(ranges.flatMap(([first, count]) => Array.from({ length: count }, (_, j) => first + j))).toEqual(
        dead,
      );
      expect(snapshot.passages).toBe(snapshot.nextPassage - dead.length);
      catalog.close();
    }));

  test("a snapshot keeps seeing its own generation", () =>
    inFolder((folder) => {
      const catalog = Catalog.create(folder, { indexId: INDEX_ID, settings: SETTINGS });
      addDocuments(folder, catalog, makeDocuments(3));
      const reader = Catalog.open(folder, { readOnly: true });
      const before = reader.snapshot();
      addDocuments(folder, catalog, [{ id: "doc-1", text: "new text" }], [1]);
      expect(reader.documentById("doc-1", before)?.documentNo).toBe(1);
      expect(reader.documents([1], before.generation).get(1)?.text).toBe(makeDocuments(3)[1]!.text);
      expect(reader.listDocuments(before, { offset: 0, limit: 9 }).map((d) => d.documentNo)).toEqual([
        0, 1, 2,
      ]);
      const after = reader.snapshot();
      expect(after.generation).toBe(2);
      expect(reader.documentById("doc-1", after)).toMatchObject({ documentNo: 3, text: "new text" });
      expect(reader.listDocuments(after, { offset: 0, limit: 9 }).map((d) => d.documentNo)).toEqual([
        0, 2, 3,
      ]);
      reader.close();
      catalog.close();
    }));

  test("a commit that contradicts itself changes nothing", () =>
    inFolder((folder) => {
      const catalog = smallCatalog(folder);
      const before = catalog.snapshot();
      const segment = {
        segmentNo: 9,
        file: fakeFile("segment", "x"),
        codecNo: 0,
        firstPassage: 0,
        lastPassage: 0,
        passages: 1,
        tokens: 1,
      };
      const refused = [
        () => catalog.commit({ operation: "delete", deleteDocuments: [3] }),
        () => catalog.commit({ operation: "delete", deleteDocuments: [0, 0] }),
        () => catalog.commit({ operation: "delete", deleteDocuments: [999] }),
        () => catalog.commit({ operation: "compact", segments: [segment] }),
        () => addDocuments(folder, catalog, [{ id: "doc-0", text: "again" }]),
        () => catalog.commit({ operation: "compact", dropSegments: [77] }),
      ];
      for (const work of refused) expect(failure(work).code).toBe("INTERNAL");
      expect(catalog.snapshot()).toEqual(before);
      expect(catalog.commit({ operation: "delete", deleteDocuments: [0] })).toBe(before.generation + 1);
      catalog.close();
    }));

  test("segments can be replaced", () =>
    inFolder((folder) => {
      const catalog = smallCatalog(folder);
      const before = catalog.snapshot();
      const merged = {
        segmentNo: 2,
        file: fakeFile("segment", "merged"),
        codecNo: 0,
        firstPassage: 0,
        lastPassage: before.nextPassage - 1,
        passages: before.nextPassage,
        tokens: before.segments.reduce((sum, segment) => sum + segment.tokens, 0),
      };
      catalog.commit({ operation: "compact", segments: [merged], dropSegments: [0, 1] });
      expect(catalog.snapshot().segments).toEqual([merged]);
      catalog.close();
    }));

  test("the same input gives the same catalog, byte for byte", async () => {
    const make = () =>
      inFolder((folder) => {
        const catalog = smallCatalog(folder);
        const reader = Catalog.open(folder, { readOnly: true });
        addDocuments(folder, catalog, makeDocuments(700, "many"), [0, 50]);
        reader.snapshot();
        catalog.close();
        reader.close();
        return readFileSync(join(folder, "catalog.sqlite"));
      });
    const [first, second] = [await make(), await make()];
    expect(first.equals(second)).toBe(true);
  });

  test("a commit leaves an empty log, and every connection syncs fully", () =>
    inFolder((folder) => {
      const catalog = smallCatalog(folder);
      expect(readFileSync(join(folder, "catalog.sqlite-wal"))).toHaveLength(0);
      catalog.close();
      for (const readOnly of [true, false]) {
        const db = openCatalog(folder, readOnly);
        expect(db.pragma("synchronous", { simple: true })).toBe(2);
        expect(db.pragma("cell_size_check", { simple: true })).toBe(1);
        expect(db.pragma("trusted_schema", { simple: true })).toBe(0);
        db.close();
      }
    }));
});

describe("what is not a catalog", () => {
  test("no folder, no catalog, an unfinished creation", () =>
    inFolder((folder) => {
      const open = (path: string) => failure(() => Catalog.open(path, { readOnly: true }));
      expect(open(join(folder, "none")).code).toBe("INDEX_NOT_FOUND");
      expect(open(folder).code).toBe("INDEX_NOT_FOUND");
      writeFileSync(join(folder, "catalog.sqlite"), "");
      expect(open(folder)).toMatchObject({
        code: "INDEX_NOT_FOUND",
        message: expect.stringMatching(/did not finish/),
      });
      const catalog = Catalog.create(folder, { indexId: INDEX_ID, settings: SETTINGS });
      expect(catalog.snapshot().generation).toBe(0);
      catalog.close();
    }));

  test("other files and other databases", () =>
    inFolder((folder) => {
      const path = join(folder, "catalog.sqlite");
      const open = () => failure(() => Catalog.open(folder, { readOnly: true }));
      mkdirSync(path);
      expect(open().code).toBe("CORRUPT");
      rmdirSync(path);
      writeFileSync(path, "not a database, but a long enough text to be taken for one\n".repeat(100));
      expect(open().code).toBe("CORRUPT");
      rmSync(path);
      const db = new Database(path);
      db.exec("CREATE TABLE t (a)");
      db.close();
      expect(open()).toMatchObject({
        code: "INDEX_NOT_FOUND",
        message: expect.stringMatching(/application id 0/),
      });
    }));

  test("a newer version is refused with both versions named", () =>
    inFolder((folder) => {
      smallCatalog(folder).close();
      const db = new Database(join(folder, "catalog.sqlite"));
      db.pragma("user_version = 7");
      db.close();
      const { code, message } = failure(() => Catalog.open(folder, { readOnly: true }));
      expect(code).toBe("FORMAT_TOO_NEW");
      expect(message).toMatch(/version 7.*version 1/);
    }));

  test("a table of another shape", () =>
    inFolder((folder) => {
      smallCatalog(folder).close();
      const db = new Database(join(folder, "catalog.sqlite"));
      db.exec("ALTER TABLE texts RENAME COLUMN text TO words");
      db.close();
      expect(failure(() => Catalog.open(folder, { readOnly: true })).code).toBe("CORRUPT");
    }));
});
