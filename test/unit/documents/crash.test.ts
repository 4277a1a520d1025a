import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import { Catalog } from "../../../src/documents/catalog.js";
import { removeGarbage } from "../../../src/documents/garbage.js";
import { removeIndexFiles } from "../../../src/documents/remove.js";
import { Staging } from "../../../src/documents/staging.js";
import { readSectionFile } from "../../../src/storage/section-reader.js";
import { type FileSummary, SectionFileWriter } from "../../../src/storage/section-writer.js";
import { MemoryFileSystem } from "../storage/memory-file-system.js";
import {
  addDocuments,
  fakeCodec,
  INDEX_ID,
  inFolder,
  makeDocuments,
  SETTINGS,
  smallCatalog,
  splitBlocks,
} from "./support.js";

function codeOf(work: () => unknown): string {
  try {
    work();
    return "none";
  } catch (error) {
    if (isMaxsimError(error)) return error.code;
    throw error;
  }
}

async function publishSegment(folder: string, content: string): Promise<FileSummary> {
  const writer = await SectionFileWriter.create(folder, { type: "segment", indexId: INDEX_ID });
  writer.section("bytes", 1);
  await writer.append(Buffer.from(content));
  return await writer.finish();
}

/** Commits one document with a published segment. */
async function addOne(folder: string, catalog: Catalog, id: string): Promise<FileSummary> {
  const base = catalog.snapshot();
  const staging = Staging.create(folder, {
    firstDocument: base.nextDocument,
    firstPassage: base.nextPassage,
  });
  const document = { id, text: "text" };
  staging.addDocument(document, splitBlocks(document));
  const file = await publishSegment(folder, id);
  const segment = {
    segmentNo: base.generation,
    file,
    codecNo: 0,
    firstPassage: base.nextPassage,
    lastPassage: base.nextPassage,
    passages: 1,
    tokens: 0,
  };
  catalog.commit({
    operation: "add",
    staging,
    segments: [segment],
    ...(base.codec === null ? { codec: fakeCodec(0) } : {}),
  });
  staging.remove();
  return file;
}

test("a crash between publication and commit leaves generation N, and the next writer clears up", () =>
  inFolder(async (folder) => {
    const catalog = Catalog.create(folder, { indexId: INDEX_ID, settings: SETTINGS });
    const kept = await addOne(folder, catalog, "a");
    catalog.close();

    // A writer that dies after publishing: files, staging, temporary files and no commit.
    const staging = Staging.create(folder, { firstDocument: 1, firstPassage: 1 });
    staging.addDocument({ id: "b", text: "b" }, []);
    staging.close();
    const orphan = await publishSegment(folder, "b");
    mkdirSync(join(folder, "codecs"), { recursive: true });
    const strays = [
      `segments/${"0".repeat(32)}.tmp`,
      `codecs/${"1".repeat(32)}.codec`,
      `codecs/${"1".repeat(32)}.tmp`,
      `${"2".repeat(32)}.tmp`,
    ];
    const others = [
      "segments/notes.txt",
      `segments/${"3".repeat(32)}.codec`,
      "segments/UPPER.segment",
      "mine.tmp",
    ];
    for (const name of [...strays, ...others]) writeFileSync(join(folder, name), "x");

    const next = Catalog.open(folder, { readOnly: false });
    const snapshot = next.snapshot();
    expect([snapshot.generation, snapshot.documents]).toEqual([1, 1]);
    const removed = await removeGarbage(folder, next.filesInUse(1));
    expect(removed.sort()).toEqual([...strays, "build.sqlite", orphan.name].sort());
    expect(await removeGarbage(folder, next.filesInUse(1))).toEqual([]);
    for (const name of [...others, kept.name]) expect(existsSync(join(folder, name))).toBe(true);
    // The same add again gives the same file and now counts.
    expect((await addOne(folder, next, "b")).name).toBe(orphan.name);
    expect(next.snapshot().generation).toBe(2);
    await removeGarbage(folder, next.filesInUse(2));
    for (const { file } of next.snapshot().segments) {
      await readSectionFile(join(folder, file.name), { type: "segment", indexId: INDEX_ID, ...file });
    }
    next.close();
  }));

test("removing an index takes its own files and leaves the others", () =>
  inFolder(async (folder) => {
    const index = join(folder, "index");
    const catalog = Catalog.create(index, { indexId: INDEX_ID, settings: SETTINGS });
    await addOne(index, catalog, "a");
    catalog.close();
    writeFileSync(join(index, "notes.txt"), "mine");
    await removeIndexFiles(index);
    expect(readdirSync(index)).toEqual(["notes.txt"]);
    rmSync(join(index, "notes.txt"));
    await removeIndexFiles(index);
    expect(existsSync(index)).toBe(false);
  }));

test("a full disk while a segment is written leaves the old generation and no file", () =>
  inFolder(async (folder) => {
    const catalog = smallCatalog(folder);
    const before = catalog.snapshot();
    const fileSystem = new MemoryFileSystem({ failAt: 5, failOnwards: false });
    const writer = await SectionFileWriter.create(folder, { type: "segment", indexId: INDEX_ID, fileSystem });
    writer.section("bytes", 1);
    await expect(writer.append(new Uint8Array(3 << 20))).rejects.toMatchObject({ code: "DISK_FULL" });
    await expect(writer.finish()).rejects.toThrow(/is failed/);
    await writer.abort();
    expect(fileSystem.files.size).toBe(0);
    expect(catalog.snapshot()).toEqual(before);
    expect(addDocuments(folder, catalog, makeDocuments(2, "later"))).toBe(3);
    catalog.close();
  }));

/** The connection of a catalog, to make it fail. */
function connectionOf(catalog: Catalog): Database.Database {
  return (catalog as unknown as { live: { db: Database.Database } }).live.db;
}

describe("a commit that runs out of space", () => {
  test("is not acknowledged, and the same object goes on once there is room", () =>
    inFolder((folder) => {
      const catalog = smallCatalog(folder);
      const before = catalog.snapshot();
      const db = connectionOf(catalog);
      db.pragma(`max_page_count = ${Number(db.pragma("page_count", { simple: true })) + 3}`);
      const code = codeOf(() => addDocuments(folder, catalog, makeDocuments(3000, "big")));
      expect(code).toBe("DISK_FULL");
      expect(db.open).toBe(false);
      const reader = Catalog.open(folder, { readOnly: true });
      expect(reader.snapshot()).toEqual(before);
      expect(reader.verify()).toEqual([]);
      expect(catalog.snapshot()).toEqual(before);
      expect(addDocuments(folder, catalog, makeDocuments(3000, "big"))).toBe(before.generation + 1);
      expect(reader.snapshot().documents).toBe(before.documents + 3000);
      expect(catalog.verify()).toEqual([]);
      reader.close();
      catalog.close();
    }));
});

test("a reader that holds a read transaction delays the emptying of the log, not the commit", () =>
  inFolder(async (folder) => {
    const catalog = smallCatalog(folder);
    const reader = Catalog.open(folder, { readOnly: true });
    const held = connectionOf(reader);
    held.exec("BEGIN");
    const count = held.prepare("SELECT count(*) FROM commits").pluck();
    expect(count.get()).toBe(3);
    connectionOf(catalog).pragma("busy_timeout = 10");
    expect(catalog.commit({ operation: "delete", deleteDocuments: [0] })).toBe(3);
    expect(count.get()).toBe(3);
    held.exec("COMMIT");
    expect(reader.snapshot().generation).toBe(3);
    expect(catalog.commit({ operation: "delete", deleteDocuments: [1] })).toBe(4);
    reader.close();
    catalog.close();
    expect(readdirSync(folder).sort()).toEqual(["catalog.sqlite"]);
  }));

test("readers in a thread see whole generations while a writer commits", () =>
  inFolder(async (folder) => {
    const catalog = smallCatalog(folder);
    const worker = new Worker(
      `const Database = require("better-sqlite3");
       const { parentPort, workerData } = require("node:worker_threads");
       let going = true;
       parentPort.once("message", () => { going = false; });
       const seen = [];
       const loop = () => {
         const db = new Database(workerData, { readonly: true, timeout: 5000 });
         db.transaction(() => {
           const commit = db.prepare("SELECT generation, tombstones, next_document FROM commits ORDER BY generation DESC LIMIT 1").get();
           const tombstones = db.prepare("SELECT count(*) FROM tombstones").pluck().get();
           const documents = db.prepare("SELECT count(*) FROM documents").pluck().get();
           seen.push([commit.generation, commit.tombstones === tombstones && commit.next_document === documents]);
         })();
         db.close();
         if (seen.length === 1) parentPort.postMessage("ready");
         if (going) setImmediate(loop); else { parentPort.postMessage(seen); parentPort.close(); }
       };
       loop();`,
      { eval: true, workerData: join(folder, "catalog.sqlite") },
    );
    const message = () =>
      new Promise<unknown>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
    await message();
    for (let i = 10; i < 30; i++) {
      catalog.commit({ operation: "delete", deleteDocuments: [i] });
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answer = message();
    worker.postMessage("stop");
    const seen = (await answer) as Array<[number, boolean]>;
    expect(seen.every(([, whole]) => whole)).toBe(true);
    const generations = seen.map(([generation]) => generation);
    expect(generations).toEqual([...generations].sort((a, b) => a - b));
    catalog.close();
  }));
