import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { backupIndex } from "../../src/engine/backup.js";
import { Index } from "../../src/engine/index.js";
import { restoreIndex } from "../../src/engine/restore.js";
import { WriterLock } from "../../src/storage/lock.js";
import { nameOrReason } from "../support/cli.js";
import { folderTree } from "../support/folder-tree.js";
import { SyntheticCorpus } from "../support/synthetic.js";
import { temporaryFolders } from "../support/temp-folder.js";

const DIM = 32;
const corpus = new SyntheticCorpus({ passages: 120, tokens: 12, dim: DIM, vocabulary: 120 });
const documents = corpus.passages.map(({ vectors }, i) => ({ id: `d${i}`, vectors, text: `document ${i}` }));
const queries = [3, 40, 77, 110].map((p) => corpus.query(p, 6));
const newFolder = temporaryFolders();
let home: string;
let source: string;

/** Ids and scores for some queries: equal for equal indexes. */
async function answers(folder: string): Promise<unknown> {
  const index = await Index.open(folder);
  try {
    const results = await index.searchEmbeddingsBatch(queries, { k: 20 });
    const { documents: live, passages, tokens, generation } = index.info();
    const hits = results.map((result) => result.hits.map(({ id, score, text }) => [id, score, text]));
    return { hits, live, passages, tokens, generation };
  } finally {
    await index.close();
  }
}

beforeAll(async () => {
  home = await newFolder();
  source = join(home, "index");
  const index = await Index.create(source, { model: null, dim: DIM });
  await index.addEmbeddings(documents.slice(0, 60));
  await index.addEmbeddings(documents.slice(60));
  await index.addEmbeddings(documents.slice(10, 20).map((d) => ({ ...d, text: `again ${d.id}` })));
  await index.delete(["d1", "d2", "d100"]);
  await index.close();
});

describe("backup", () => {
  it("to a folder makes an index that answers the same, without locks and work files", async () => {
    const target = join(await newFolder(), "deep", "copy");
    const events: number[] = [];
    const report = await backupIndex(source, target, {
      onProgress: ({ stage, done, total, unit }) => {
        expect({ stage, unit }).toEqual({ stage: "copy", unit: "bytes" });
        expect(done).toBeLessThanOrEqual(total!);
        events.push(done);
      },
    });
    expect(report).toMatchObject({ target, format: "folder", generation: 4, documents: 117 });
    const tree = folderTree(target);
    const files = Object.keys(tree).filter((path) => !path.endsWith("/"));
    expect(files.filter((path) => !/^(segments|codecs)\//.test(path))).toEqual([
      "catalog.sqlite",
      "history.log",
    ]);
    expect(files).toHaveLength(report.files);
    expect(report.bytes).toBe(files.reduce((sum, path) => sum + readFileSync(join(target, path)).length, 0));
    expect(events.length).toBeGreaterThan(0);
    expect(readdirSync(join(target, ".."))).toEqual(["copy"]);
    expect(await answers(target)).toEqual(await answers(source));
  });

  it("to an archive is the same for the same state, byte for byte", async () => {
    const folder = await newFolder();
    const report = await backupIndex(source, join(folder, "a.tar"));
    await backupIndex(source, join(folder, "b.tar"));
    expect(report.format).toBe("tar");
    expect(readdirSync(folder)).toEqual(["a.tar", "b.tar"]);
    expect(readFileSync(join(folder, "a.tar")).equals(readFileSync(join(folder, "b.tar")))).toBe(true);
  });

  const noTar = spawnSync("tar", ["--version"]).error === undefined ? undefined : "there is no tar command";
  it.skipIf(noTar !== undefined)(
    nameOrReason("to an archive can be unpacked by tar, and opens", noTar),
    async () => {
      const folder = await newFolder();
      await backupIndex(source, join(folder, "a.tar"));
      mkdirSync(join(folder, "out"));
      expect(spawnSync("tar", ["xf", "a.tar", "-C", "out"], { cwd: folder }).status).toBe(0);
      expect(await answers(join(folder, "out"))).toEqual(await answers(source));
      // A packed folder that was unpacked by hand is a backup as well.
      await restoreIndex(join(folder, "out"), join(folder, "again"));
      expect(await answers(join(folder, "again"))).toEqual(await answers(source));
    },
  );

  it("of an index without documents is one, too", async () => {
    const folder = await newFolder();
    await (await Index.create(join(folder, "empty"), { model: null, dim: DIM })).close();
    for (const target of ["copy", "copy.tar"]) {
      await backupIndex(join(folder, "empty"), join(folder, target));
      const restored = join(folder, `restored-${target}`);
      expect(await restoreIndex(join(folder, target), restored)).toMatchObject({
        generation: 0,
        documents: 0,
        replaced: false,
        leftBehind: null,
      });
    }
  });

  it("is refused where something is, inside the index, and for a compressed archive", async () => {
    const folder = await newFolder();
    writeFileSync(join(folder, "a.tar"), "mine");
    mkdirSync(join(folder, "full"));
    writeFileSync(join(folder, "full", "file"), "mine");
    mkdirSync(join(folder, "empty"));
    const before = folderTree(folder);
    for (const target of ["a.tar", "full", "full/file"]) {
      await expect(backupIndex(source, join(folder, target))).rejects.toMatchObject({
        code: "TARGET_EXISTS",
        message: expect.stringContaining(target),
      });
    }
    for (const target of [join(source, "copy"), source, join(folder, "a.tgz"), join(folder, "a.tar.zst")]) {
      await expect(backupIndex(source, target)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    await expect(backupIndex(join(folder, "empty"), join(folder, "new", "copy"))).rejects.toMatchObject({
      code: "INDEX_NOT_FOUND",
    });
    expect(folderTree(folder)).toEqual(before);
    await backupIndex(source, join(folder, "empty"));
    expect(await answers(join(folder, "empty"))).toEqual(await answers(source));
  });

  it("while another object writes holds one whole generation each time", async () => {
    const folder = await newFolder();
    const live = join(folder, "live");
    const writer = await Index.create(live, { model: null, dim: DIM });
    await writer.addEmbeddings(documents.slice(0, 40));
    const counts = new Map([[1, 40]]);
    let writing = true;
    const write = async (): Promise<void> => {
      for (let i = 0; i < 16; i++) {
        const from = 40 + 5 * i;
        // Every second commit replaces what the one before added, so that files are superseded all the time.
        const report = await writer.addEmbeddings(documents.slice(from - (i % 2 === 1 ? 5 : 0), from + 5));
        counts.set(report.generation, writer.info().documents);
      }
      writing = false;
    };
    const copies: Array<[generation: number, documents: number]> = [];
    const copy = async (): Promise<void> => {
      for (let n = 0; writing; n++) {
        const target = join(folder, n % 2 === 0 ? `copy${n}` : `copy${n}.tar`);
        const report = await backupIndex(live, target);
        const restored = join(folder, `restored${n}`);
        await restoreIndex(target, restored);
        const index = await Index.open(restored);
        const { generation, documents: found } = index.info();
        await index.close();
        expect(generation).toBe(report.generation);
        expect(found).toBe(report.documents);
        copies.push([generation, found]);
      }
    };
    await Promise.all([write(), copy()]);
    await writer.close();
    // Generations between those of the additions merged segments, and have the documents of the one before.
    for (const [generation, found] of copies) {
      const last = Math.max(...[...counts.keys()].filter((other) => other <= generation));
      expect(found).toBe(counts.get(last));
    }
    expect(copies.length).toBeGreaterThan(1);
  });
});

describe("restore", () => {
  it.each(["copy", "copy.tar"])("brings back what was deleted since: %s", async (name) => {
    const folder = await newFolder();
    const live = join(folder, "live");
    await backupIndex(source, live);
    await backupIndex(live, join(folder, name));
    const before = await answers(live);
    const index = await Index.open(live);
    await index.delete(documents.slice(0, 100).map(({ id }) => id));
    await expect(restoreIndex(join(folder, name), live)).rejects.toMatchObject({
      code: "INDEX_EXISTS",
      hint: expect.stringContaining("--replace"),
    });
    expect(index.info().documents).toBeLessThan(20);
    // A file of the user's own, which belongs to no index, stays where it is.
    writeFileSync(join(live, "notes.txt"), "mine");
    const stages = new Set<string>();
    const report = await restoreIndex(join(folder, name), live, {
      replace: true,
      onProgress: ({ stage }) => stages.add(stage),
    });
    expect(report).toMatchObject({ folder: live, generation: 4, replaced: true, leftBehind: null });
    expect([...stages]).toEqual(["copy", "check"]);
    // An object that was open goes on with the old index.
    const { hits } = await index.searchEmbeddings(corpus.query(110, 6), { k: 30 });
    expect(hits.length).toBeLessThan(20);
    // It does not write into the new one by mistake.
    await expect(index.refresh()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(index.delete(["d50"])).rejects.toMatchObject({ code: "CLOSED" });
    await index.close();
    expect(await answers(live)).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual([name, "live"].sort());
    expect(readFileSync(join(live, "notes.txt"), "utf8")).toBe("mine");
    // It can be written to again.
    const again = await Index.open(live);
    await again.delete(["d50"]);
    expect(again.info().generation).toBe(5);
    await again.close();
  });

  it("is refused for what is no backup, into what is no index, and into itself", async () => {
    const folder = await newFolder();
    const target = join(folder, "new", "target");
    await backupIndex(source, join(folder, "copy"));
    writeFileSync(join(folder, "text.tar"), "no archive ".repeat(100));
    writeFileSync(join(folder, "empty.tar"), "");
    mkdirSync(join(folder, "other"));
    writeFileSync(join(folder, "other", "file"), "mine");
    const before = folderTree(folder);
    const refused: Array<[string, string, string]> = [
      ["missing", target, "PATH_NOT_FOUND"],
      ["text.tar", target, "CORRUPT"],
      ["empty.tar", target, "CORRUPT"],
      ["other", target, "INDEX_NOT_FOUND"],
      ["copy", join(folder, "other"), "TARGET_EXISTS"],
      ["copy", join(folder, "other", "file"), "INVALID_ARGUMENT"],
      ["copy", join(folder, "copy"), "INVALID_ARGUMENT"],
    ];
    for (const [backup, to, code] of refused) {
      const failed = restoreIndex(join(folder, backup), to, { replace: true });
      await expect(failed, backup).rejects.toMatchObject({ code });
    }
    const after = folderTree(folder);
    for (const path of Object.keys(after)) if (path.startsWith("copy/snapshots")) delete after[path];
    expect(after).toEqual(before);
  });

  it("is refused while somebody writes", async () => {
    const folder = await newFolder();
    await backupIndex(source, join(folder, "copy.tar"));
    await backupIndex(source, join(folder, "live"));
    const lock = WriterLock.acquire(join(folder, "live"));
    const failed = restoreIndex(join(folder, "copy.tar"), join(folder, "live"), { replace: true });
    await expect(failed).rejects.toMatchObject({ code: "LOCKED" });
    lock.release();
    await restoreIndex(join(folder, "copy.tar"), join(folder, "live"), { replace: true });
  });

  it("that was cut short between its renames says so, and can be done again", async () => {
    const folder = await newFolder();
    const live = join(folder, "live");
    await backupIndex(source, join(folder, "copy.tar"));
    await backupIndex(source, live);
    renameSync(live, `${live}.replaced`);
    mkdirSync(join(`${live}.restoring`, "copy", "segments"), { recursive: true });
    writeFileSync(join(`${live}.restoring`, "copy", "segments", "half"), "half");
    await expect(restoreIndex(join(folder, "copy.tar"), live)).rejects.toMatchObject({
      code: "INDEX_EXISTS",
      message: expect.stringContaining(`${live}.replaced`),
    });
    await restoreIndex(join(folder, "copy.tar"), live, { replace: true });
    expect(await answers(live)).toEqual(await answers(source));
    expect(readdirSync(folder).sort()).toEqual(["copy.tar", "live"]);
    // Cut short after them: the old index is still there.
    await backupIndex(source, `${live}.replaced`);
    await restoreIndex(join(folder, "copy.tar"), live, { replace: true });
    expect(readdirSync(folder).sort()).toEqual(["copy.tar", "live"]);
  });
});
