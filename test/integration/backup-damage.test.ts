import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isMaxsimError, MaxsimError } from "../../src/common/errors.js";
import { Random } from "../../src/common/random.js";
import { backupIndex } from "../../src/engine/backup.js";
import { MANIFEST_NAME } from "../../src/engine/backup-manifest.js";
import { Index } from "../../src/engine/index.js";
import { restoreIndex } from "../../src/engine/restore.js";
import type { FileSystem, WritableFile } from "../../src/storage/file-system.js";
import { nodeFileSystem } from "../../src/storage/node-file-system.js";
import { TarWriter } from "../../src/storage/tar-file.js";
import { folderTree } from "../support/folder-tree.js";
import { SyntheticCorpus } from "../support/synthetic.js";
import { temporaryFolders } from "../support/temp-folder.js";

const DIM = 16;
const corpus = new SyntheticCorpus({ passages: 40, tokens: 8, dim: DIM, vocabulary: 60 });
const documents = corpus.passages.map(({ vectors }, i) => ({ id: `d${i}`, vectors, text: `document ${i}` }));
const newFolder = temporaryFolders();
const random = new Random(5);
let source: string;
let archive: Buffer;
let copy: string;

beforeAll(async () => {
  const home = await newFolder();
  source = join(home, "index");
  const index = await Index.create(source, { model: null, dim: DIM });
  await index.addEmbeddings(documents.slice(0, 25));
  await index.addEmbeddings(documents.slice(25));
  await index.delete(["d3"]);
  await index.close();
  copy = join(home, "copy");
  await backupIndex(source, copy);
  await backupIndex(source, join(home, "copy.tar"));
  archive = readFileSync(join(home, "copy.tar"));
});

/** A folder with an index in `live` that each failed restore must leave as it is. */
async function withLive(): Promise<{ folder: string; live: string; expectUntouched: () => void }> {
  const folder = await newFolder();
  const live = join(folder, "live");
  cpSync(copy, live, { recursive: true });
  writeFileSync(join(live, "write.lock"), "");
  const before = folderTree(live);
  const expectUntouched = (): void => {
    expect(folderTree(live)).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.startsWith("live"))).toEqual(["live"]);
  };
  return { folder, live, expectUntouched };
}

async function refusal(work: Promise<unknown>): Promise<MaxsimError> {
  try {
    await work;
  } catch (error) {
    if (isMaxsimError(error)) return error as MaxsimError;
    throw error;
  }
  throw new Error("it was accepted");
}

function flipped(bytes: Buffer, at: number): Buffer {
  const damaged = Buffer.from(bytes);
  damaged[at]! ^= 1 << random.below(8);
  return damaged;
}

describe("a damaged archive", () => {
  it("is refused wherever one bit is another, and the old index stays", async () => {
    const { folder, live, expectUntouched } = await withLive();
    const path = join(folder, "bad.tar");
    const places = [
      ...Array.from({ length: 60 }, () => random.below(archive.length)),
      ...Array.from({ length: 20 }, () => random.below(4096)),
      archive.length - 1,
    ];
    for (const at of places) {
      writeFileSync(path, flipped(archive, at));
      const error = await refusal(restoreIndex(path, live, { replace: true }));
      // The digit of a version can become a greater one.
      expect(["CORRUPT", "FORMAT_TOO_NEW"], `byte ${at}: ${error.message}`).toContain(error.code);
      expect(error.message).toContain(path);
    }
    expectUntouched();
  });

  it("is refused wherever it ends early", async () => {
    const { folder, live, expectUntouched } = await withLive();
    const path = join(folder, "bad.tar");
    for (const share of [0, 0.01, 0.3, 0.6, 0.9, 0.999]) {
      writeFileSync(path, archive.subarray(0, Math.floor(archive.length * share)));
      const { code, message } = await refusal(restoreIndex(path, live, { replace: true }));
      expect(code, message).toBe("CORRUPT");
    }
    writeFileSync(path, archive.subarray(0, -1));
    expect((await refusal(restoreIndex(path, live, { replace: true }))).code).toBe("CORRUPT");
    expectUntouched();
  });
});

describe("a hostile archive", () => {
  type Entries = ReadonlyArray<readonly [name: string, content: string]>;
  const listing = (files: readonly object[], more: object = {}): string =>
    JSON.stringify({
      format: "maxsim-backup",
      version: 1,
      indexId: "0".repeat(32),
      generation: 1,
      files,
      ...more,
    });
  const file = (name: string, length = 4): object => ({ name, length, sha256: "0".repeat(64) });
  const id = "0123456789abcdef".repeat(2);
  const cases: Array<readonly [why: string, entries: Entries, expected: RegExp]> = [
    ["names a path outside", [[MANIFEST_NAME, listing([file("../../evil")])]], /files\.0\.name/],
    ["names an absolute path", [[MANIFEST_NAME, listing([file("/etc/passwd")])]], /files\.0\.name/],
    ["names a file of another kind", [[MANIFEST_NAME, listing([file("write.lock")])]], /files\.0\.name/],
    [
      "names a path within a folder",
      [[MANIFEST_NAME, listing([file(`segments/../${id}.segment`)])]],
      /files\.0\.name/,
    ],
    ["names no catalog", [[MANIFEST_NAME, listing([file("history.log")])]], /catalog\.sqlite/],
    [
      "names a file twice",
      [[MANIFEST_NAME, listing([file("catalog.sqlite"), file("catalog.sqlite")])]],
      /twice/,
    ],
    ["states a negative size", [[MANIFEST_NAME, listing([file("catalog.sqlite", -1)])]], /files\.0\.length/],
    ["is newer", [[MANIFEST_NAME, listing([], { version: 2 })]], /version 2.*version 1/],
    ["has another manifest", [[MANIFEST_NAME, "[]"]], /format|object/],
    ["has no manifest", [["catalog.sqlite", "abcd"]], /first entry is "catalog\.sqlite"/],
    [
      "has an entry that it does not name",
      [
        [MANIFEST_NAME, listing([file("catalog.sqlite")])],
        ["../../evil", "evil"],
      ],
      /expected catalog\.sqlite, found "\.\.\/\.\.\/evil"/,
    ],
    [
      "states another size than its entry",
      [
        [MANIFEST_NAME, listing([file("catalog.sqlite", 2 ** 50)])],
        ["catalog.sqlite", "abcd"],
      ],
      /4 bytes, expected 1125899906842624/,
    ],
    [
      "holds other bytes than it states",
      [
        [MANIFEST_NAME, listing([file("catalog.sqlite")])],
        ["catalog.sqlite", "abcd"],
      ],
      /catalog\.sqlite in .*SHA-256/,
    ],
  ];

  it.each(cases)("that %s is refused by name", async (_, entries, expected) => {
    const { folder, live, expectUntouched } = await withLive();
    const path = join(folder, "evil.tar");
    const pieces: Buffer[] = [];
    const tar = new TarWriter(async (bytes) => {
      pieces.push(Buffer.from(bytes));
    });
    for (const [name, content] of entries) {
      await tar.entry({ name, size: content.length }, (sink) => sink(Buffer.from(content)));
    }
    await tar.end();
    writeFileSync(path, Buffer.concat(pieces));
    const error = await refusal(restoreIndex(path, live, { replace: true }));
    expect(error.message).toMatch(expected);
    expectUntouched();
  });
});

describe("a damaged folder", () => {
  const damages: Array<readonly [what: string, damage: (path: string) => void]> = [
    ["is missing", (path) => rmSync(path)],
    ["is empty", (path) => writeFileSync(path, "")],
    ["is cut short", (path) => writeFileSync(path, readFileSync(path).subarray(0, -100))],
    ["is longer", (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(64)]))],
    ["has another byte", (path) => writeFileSync(path, flipped(readFileSync(path), 1000))],
    [
      "is a folder",
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ];

  it.each(damages)("in which a segment or codec file %s is refused by name", async (_, damage) => {
    const { folder, live, expectUntouched } = await withLive();
    for (const name of Object.keys(folderTree(copy)).filter((path) => /\.(segment|codec)$/.test(path))) {
      const bad = join(folder, "bad");
      cpSync(copy, bad, { recursive: true });
      damage(join(bad, name));
      const { message } = await refusal(restoreIndex(bad, live, { replace: true }));
      expect(message).toContain(join(bad, name));
      // Nor is it copied any further.
      await refusal(backupIndex(bad, join(folder, "next.tar")));
      await refusal(backupIndex(bad, join(folder, "next")));
      rmSync(bad, { recursive: true });
    }
    expectUntouched();
    expect(readdirSync(folder)).toEqual(["live"]);
  });

  it("with flipped bits in its catalog is refused, or nothing that counts was hit", async () => {
    const { folder, expectUntouched } = await withLive();
    const catalog = readFileSync(join(copy, "catalog.sqlite"));
    // Most of a small catalog is empty pages.
    const used = [...catalog.keys()].filter((at) => catalog[at] !== 0);
    const sound = await contents(copy);
    let refused = 0;
    for (let i = 0; i < 30; i++) {
      const bad = join(folder, "bad");
      cpSync(copy, bad, { recursive: true });
      writeFileSync(join(bad, "catalog.sqlite"), flipped(catalog, used[random.below(used.length)]!));
      const target = join(folder, "restored");
      const error = await restoreIndex(bad, target).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) {
        expect(await contents(target)).toEqual(sound);
        rmSync(target, { recursive: true });
      } else {
        expect(isMaxsimError(error), String(error)).toBe(true);
        refused++;
      }
      rmSync(bad, { recursive: true });
    }
    expect(refused).toBeGreaterThan(10);
    expectUntouched();
  });
});

async function contents(folder: string): Promise<unknown> {
  const index = await Index.open(folder);
  try {
    const found = [];
    for (const { id } of documents) found.push(await index.get(id));
    const { hits } = await index.searchEmbeddings(documents[7]!.vectors, { k: 40 });
    return { found, hits };
  } finally {
    await index.close();
  }
}

/** A file system that is full, or fails in another way, from the n-th write, sync or creation on. */
function failingAt(n: number): { fileSystem: FileSystem; calls: () => number } {
  let calls = 0;
  const step = (what: string): void => {
    if (calls++ >= n) throw new MaxsimError("DISK_FULL", `no space left to ${what}`);
  };
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    async createExclusive(path) {
      step("create");
      const file = await nodeFileSystem.createExclusive(path);
      const failing: WritableFile = {
        path,
        async write(bytes, position) {
          step("write");
          return await file.write(bytes, position);
        },
        async sync() {
          step("sync");
          await file.sync();
        },
        close: () => file.close(),
      };
      return failing;
    },
    async syncFolder(path) {
      step("sync the folder");
      await nodeFileSystem.syncFolder(path);
    },
  };
  return { fileSystem, calls: () => calls };
}

describe("a failure at any point", () => {
  it.each(["copy", "copy.tar"])("of the file system leaves no backup behind: %s", async (name) => {
    const folder = await newFolder();
    const { fileSystem, calls } = failingAt(Number.POSITIVE_INFINITY);
    await backupIndex(source, join(folder, "whole", name), { fileSystem });
    const all = calls();
    expect(all).toBeGreaterThan(10);
    const before = folderTree(folder);
    // The last call makes the final name durable: a complete backup is there by then.
    for (let n = 0; n < all - 1; n++) {
      const target = join(folder, "new", name);
      const { code } = await refusal(backupIndex(source, target, failingAt(n)));
      expect(code).toBe("DISK_FULL");
      expect(folderTree(folder), `call ${n}`).toEqual(before);
    }
  });

  it("of the file system leaves the old index, or the new one and the old one beside it", async () => {
    const { folder, live } = await withLive();
    const backup = join(folder, "copy.tar");
    await backupIndex(source, backup);
    const index = await Index.open(live);
    await index.delete(["d9", "d10"]);
    await index.close();
    const old = await contents(live);
    const restored = await contents(copy);
    expect(old).not.toEqual(restored);
    const whole = failingAt(Number.POSITIVE_INFINITY);
    cpSync(live, join(folder, "old"), { recursive: true });
    await restoreIndex(backup, live, { replace: true, ...whole });
    expect(readdirSync(folder).sort()).toEqual(["copy.tar", "live", "old"]);
    const ends: string[] = [];
    for (let n = 0; n < whole.calls(); n++) {
      for (const name of ["live", "live.replaced"])
        rmSync(join(folder, name), { recursive: true, force: true });
      cpSync(join(folder, "old"), live, { recursive: true });
      const options = { replace: true, ...failingAt(n) };
      const failed = await restoreIndex(backup, live, options).then(
        () => undefined,
        (error: unknown) => error,
      );
      const names = readdirSync(folder).filter((name) => name.startsWith("live"));
      const now = await contents(live);
      const end = failed === undefined ? "done" : names.length === 1 ? "old" : "new and old";
      ends.push(end);
      if (failed !== undefined) expect(failed).toMatchObject({ code: "DISK_FULL" });
      expect(now, `call ${n}`).toEqual(end === "old" ? old : restored);
      expect(names).toEqual(end === "new and old" ? ["live", "live.replaced"] : ["live"]);
      if (end === "new and old") expect(await contents(join(folder, "live.replaced"))).toEqual(old);
    }
    // What comes after the last rename but one is the removal of the old index, which is no failure of a restore.
    expect(ends.slice(-3)).toEqual(["old", "new and old", "done"]);
    expect(new Set(ends.slice(0, -2))).toEqual(new Set(["old"]));
  });

  it("of the user's making leaves nothing, too", async () => {
    const { folder, live, expectUntouched } = await withLive();
    await backupIndex(source, join(folder, "copy.tar"));
    const before = readdirSync(folder);
    const already = { signal: AbortSignal.abort("stop") };
    expect((await refusal(backupIndex(source, join(folder, "a"), already))).code).toBe("ABORTED");
    expect(
      (await refusal(restoreIndex(join(folder, "copy.tar"), live, { ...already, replace: true }))).code,
    ).toBe("ABORTED");
    for (const stage of ["copy", "check"]) {
      const controller = new AbortController();
      const restored = restoreIndex(copy, live, {
        replace: true,
        signal: controller.signal,
        onProgress: (event) => {
          if (event.stage === stage) controller.abort("stop");
        },
      });
      expect((await refusal(restored)).code).toBe("ABORTED");
    }
    for (const target of ["a", "a.tar"]) {
      const controller = new AbortController();
      const options = { signal: controller.signal, onProgress: () => controller.abort("stop") };
      expect((await refusal(backupIndex(source, join(folder, target), options))).code).toBe("ABORTED");
    }
    expect(readdirSync(folder)).toEqual(before);
    expectUntouched();
  });
});
