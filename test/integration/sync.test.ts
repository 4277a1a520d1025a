/** `Index.sync` against a plain model: after any edits the index is what a new one of the same files would be. */
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { silentLogger } from "../../src/common/logger.js";
import type { ProgressEvent } from "../../src/common/progress.js";
import { readerOf } from "../../src/datasets/corpus-file.js";
import { Catalog } from "../../src/documents/catalog.js";
import type { DocumentInput } from "../../src/documents/types.js";
import { Index } from "../../src/engine/index.js";
import { ModelHandle } from "../../src/engine/model-handle.js";
import { syncIndex } from "../../src/engine/sync.js";
import type { SyncOptions, SyncReport } from "../../src/engine/sync-report.js";
import { addDocuments } from "../../src/engine/writing.js";
import { selectKernels } from "../../src/kernels/select.js";
import { tempFolder } from "../support/temp-folder.js";
import { writeTinyModel } from "../support/tiny-model.js";

const root = tempFolder();
const model = join(root, "model");
const CONFIG = { query_length: 16, document_length: 32, do_query_expansion: false, embedding_dim: 16 };
let count = 0;

beforeAll(async () => {
  mkdirSync(model);
  await writeTinyModel(model, { "onnx_config.json": CONFIG });
});

const newFolder = (): string => {
  const folder = join(root, `${count++}`);
  mkdirSync(folder);
  return folder;
};

/** A time that moves on by a second with each change, so that no test depends on a clock. */
let clock = 1_700_000_000;

function write(folder: string, name: string, content: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, clock, clock++);
  return path;
}

interface Seen {
  readonly id: string;
  readonly text: string;
  readonly title: string | undefined;
  readonly source: { readonly path: string; readonly line?: number } | undefined;
  readonly metadata: object;
  readonly spans: readonly object[];
}

/** Everything that can be seen of an index, but for numbers and the order in which things were added. */
function contentOf(folder: string): Seen[] {
  const catalog = Catalog.open(folder, { readOnly: true });
  try {
    expect(catalog.verify()).toEqual([]);
    return catalog
      .listDocuments(catalog.snapshot(), { offset: 0, limit: 1_000_000 })
      .map((document) => {
        const { id, text, title, url, metadata, source, tokens } = document;
        const spans = catalog.passagesOf(document).map(({ passageNo, documentNo, ...span }) => span);
        return { id, text, title, url, metadata, source, tokens, spans };
      })
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  } finally {
    catalog.close();
  }
}

async function freshContent(files: string): Promise<Seen[]> {
  const folder = newFolder();
  const index = await emptyIndex(folder);
  await index.sync([files]);
  await index.close();
  return contentOf(folder);
}

/** An empty index, and a model that is loaded once for all syncs with it. */
async function emptyIndex(folder = newFolder()) {
  await (await Index.create(folder, { model, threads: 1 })).close();
  const catalog = Catalog.open(folder, { readOnly: true });
  const recorded = catalog.snapshot().settings.model;
  const { backend: kernels, mapper } = selectKernels();
  const context = { folder, kernels, mapper, logger: silentLogger, loaded: null };
  const handle = new ModelHandle({ recorded, wanted: undefined, threads: 1, logger: silentLogger });
  return {
    sync: (paths?: readonly string[], options?: SyncOptions) => syncIndex(context, handle, paths, options),
    add: (documents: readonly DocumentInput[]) => addDocuments(context, handle, documents, {}),
    get: (id: string) => catalog.documentById(id, catalog.snapshot()),
    info: () => catalog.snapshot(),
    close: async () => {
      catalog.close();
      await handle.close();
    },
  };
}

/** An index that was synced with a folder of these files. */
async function syncedIndex(files: Readonly<Record<string, string>>) {
  const notes = newFolder();
  for (const [name, content] of Object.entries(files)) write(notes, name, content);
  const folder = newFolder();
  const index = await emptyIndex(folder);
  const first = await index.sync([notes]);
  return { notes, folder, index, first };
}

const names = (notes: string, paths: readonly string[]): string[] =>
  paths.map((path) => path.slice(notes.length + 1));

/** What a report says happened, without what did not. */
function summary(notes: string, report: SyncReport): object {
  const { added, changed, touched, removed, kept, renamed, documents, passages } = report;
  const lists = { added, changed, touched, removed, kept };
  const short = Object.entries(lists).flatMap(([key, list]) =>
    list.length === 0 ? [] : [[key, names(notes, list)]],
  );
  const moves = renamed.map(({ from, to }) => names(notes, [from, to]).join(" > "));
  const counts = Object.entries(documents).filter(([, n]) => n > 0);
  return {
    ...Object.fromEntries(short),
    ...(moves.length === 0 ? {} : { renamed: moves }),
    documents: Object.fromEntries(counts),
    passages,
  };
}

describe("any edits", () => {
  const LONG = Array.from({ length: 60 }, (_, i) => `the cat sat on mat ${i}`).join(". ");
  const TEXTS = ["the cat", "a dog", "# Title\n\nfast search", "---\nlang: en\n---\nthe cat", LONG, " \n"];
  const PATHS = ["a.md", "b.md", "B.md", "c.txt", "sub/a.md", "sub/d.txt"];
  const TABLES = ["r.jsonl", "sub/s.jsonl"];
  const line = fc.constantFrom("the cat", "a dog", "the mat", "fast").map((text) => JSON.stringify({ text }));
  const table = fc.array(line, { minLength: 1, maxLength: 5 }).map((lines) => lines.join("\n"));
  const change = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.tuple(fc.constant("write"), fc.constantFrom(...PATHS), fc.constantFrom(...TEXTS)),
    },
    { weight: 3, arbitrary: fc.tuple(fc.constant("write"), fc.constantFrom(...TABLES), table) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constant("delete"), fc.constantFrom(...PATHS, ...TABLES), fc.constant("")),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constant("rename"), fc.constantFrom(...PATHS), fc.constantFrom(...PATHS)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constant("rename"), fc.constantFrom(...TABLES), fc.constantFrom(...TABLES)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constant("swap"), fc.constantFrom(...PATHS), fc.constantFrom(...PATHS)),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant("touch"), fc.constantFrom(...PATHS), fc.constant("")) },
  );

  function apply(tree: Map<string, string>, [kind, path, other]: readonly [string, string, string]): void {
    const content = tree.get(path);
    if (kind === "write") tree.set(path, other);
    if (content === undefined) return;
    if (kind === "delete") tree.delete(path);
    if (kind === "rename" && path !== other) {
      tree.delete(path);
      tree.set(other, content);
    }
    if (kind === "swap" && tree.has(other)) {
      tree.set(path, tree.get(other)!);
      tree.set(other, content);
    }
  }

  /** Passages of the documents that are new, or differ in more than labels. */
  function toEncode(
    before: ReadonlyMap<string, string>,
    after: ReadonlyMap<string, string>,
    seenBefore: readonly Seen[],
    seenAfter: readonly Seen[],
    notes: string,
  ): number {
    const documentsOf = (seen: readonly Seen[], path: string): Seen[] =>
      seen.filter(({ source }) => source?.path === join(notes, path));
    const key = ({ text, title, spans }: Seen): string => JSON.stringify([text, title, spans]);
    const gone = [...before.keys()].filter((path) => !after.has(path));
    let passages = 0;
    for (const path of after.keys()) {
      let origin: string | undefined = path;
      if (!before.has(path)) {
        const reader = readerOf(path);
        const at = gone.findIndex((old) => before.get(old) === after.get(path) && readerOf(old) === reader);
        origin = at < 0 ? undefined : gone.splice(at, 1)[0];
      }
      const left = origin === undefined ? [] : documentsOf(seenBefore, origin).map(key);
      for (const document of documentsOf(seenAfter, path)) {
        const at = left.indexOf(key(document));
        if (at >= 0) left.splice(at, 1);
        else passages += document.spans.length;
      }
    }
    return passages;
  }

  it("leave what a new index of the files would hold, and encode only what is new", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { minLength: 1, maxLength: 6 }), { maxLength: 3 }),
        async (steps) => {
          const { notes, folder, index } = await syncedIndex({ "keep.md": "the index", "a.md": "the cat" });
          const tree = new Map([
            ["keep.md", "the index"],
            ["a.md", "the cat"],
          ]);
          let seen = contentOf(folder);
          try {
            for (const step of steps) {
              const before = new Map(tree);
              for (const one of step) apply(tree, one);
              for (const path of before.keys()) if (!tree.has(path)) rmSync(join(notes, path));
              for (const [path, content] of tree) {
                const touched = step.some(([kind, name]) => kind === "touch" && name === path);
                if (before.get(path) !== content || touched) write(notes, path, content);
              }
              const dry = await index.sync(undefined, { dryRun: true });
              expect(contentOf(folder)).toEqual(seen);
              const report = await index.sync();
              const now = contentOf(folder);
              expect(report.passages).toBe(toEncode(before, tree, seen, now, notes));
              const { generation, tokens, ...rest } = report;
              expect({ ...dry, dryRun: false }).toMatchObject(rest);
              const again = await index.sync();
              expect(again.generation).toBe(generation);
              expect(summary(notes, again)).toEqual({ documents: {}, passages: 0 });
              seen = now;
            }
            expect(seen).toEqual(await freshContent(notes));
          } finally {
            await index.close();
          }
        },
      ),
      { numRuns: 6 },
    );
  });
});

describe("a sync", () => {
  it("tells what happened to each file, and to the documents", async () => {
    const { notes, folder, index, first } = await syncedIndex({
      "a.md": "---\nstatus: draft\n---\nthe cat",
      "b.md": "the dog",
      "c.md": "a mat",
      "d.md": "search",
      "r.jsonl": '{"id":"x","text":"fast","n":1}\n{"id":"y","text":"index"}\n{"id":"z","text":"token"}\n',
      "blob.md": "\0\0\0",
    });
    expect(summary(notes, first)).toEqual({
      added: ["a.md", "b.md", "c.md", "d.md", "r.jsonl"],
      documents: { added: 7 },
      passages: 7,
    });
    expect(first.skipped.files).toEqual([{ path: join(notes, "blob.md"), reason: "a binary file" }]);
    write(notes, "a.md", "---\nstatus: final\n---\nthe cat");
    write(notes, "b.md", "the dog");
    renameSync(join(notes, "c.md"), join(notes, "C.md"));
    rmSync(join(notes, "d.md"));
    write(notes, "e.md", "new");
    write(
      notes,
      "r.jsonl",
      '{"id":"x","text":"fast","n":2}\n{"id":"z","text":"token"}\n{"id":"w","text":"cat"}\n',
    );
    const expected = {
      added: ["e.md"],
      changed: ["a.md", "r.jsonl"],
      touched: ["b.md"],
      removed: ["d.md"],
      renamed: ["c.md > C.md"],
      // x has other metadata, z another line; y went.
      documents: { added: 2, updated: 4, removed: 2 },
      passages: 2,
    };
    expect(summary(notes, await index.sync([notes], { dryRun: true }))).toEqual(expected);
    const report = await index.sync();
    expect(summary(notes, report)).toEqual(expected);
    expect(report).toMatchObject({ generation: 2, dryRun: false, unchanged: 1 });
    expect(index.get("C.md")).toMatchObject({ text: "a mat", source: { path: join(notes, "C.md") } });
    expect(index.get("a.md")).toMatchObject({ metadata: { status: "final" } });
    expect(index.get("y")).toBeUndefined();
    await index.close();
    const opened = await Index.open(folder, { threads: 1 });
    expect((await opened.search("cat", { k: 50 })).hits).toHaveLength(7);
    await opened.close();
    expect(contentOf(folder)).toEqual(await freshContent(notes));
  });

  it("encodes a document again when its lines moved", async () => {
    const { notes, index } = await syncedIndex({ "a.md": "---\nx: 1\n---\nthe cat" });
    write(notes, "a.md", "---\nx: 1\ny: 2\n---\nthe cat");
    expect(summary(notes, await index.sync())).toEqual({
      changed: ["a.md"],
      documents: { changed: 1 },
      passages: 1,
    });
    await index.close();
  });

  it("removes only below the named paths, and leaves other documents alone", async () => {
    const { notes, index } = await syncedIndex({ "a/1.md": "the cat", "a/2.md": "a dog", "b/3.md": "a mat" });
    await index.add([{ id: "own", text: "from somewhere else" }]);
    rmSync(join(notes, "a/1.md"));
    rmSync(join(notes, "b/3.md"));
    expect(summary(notes, await index.sync([join(notes, "a")]))).toEqual({
      removed: ["a/1.md"],
      documents: { removed: 1 },
      passages: 0,
    });
    expect(index.get("b/3.md")).toBeDefined();
    write(notes, "a/new.md", "fast");
    await index.sync([join(notes, "a/new.md")]);
    expect(index.get("a/new.md")).toBeDefined();
    expect(summary(notes, await index.sync())).toMatchObject({ removed: ["b/3.md"] });
    expect(index.get("own")).toBeDefined();
    await index.close();
  });

  it("removes nothing when a folder is empty or gone, unless told to", async () => {
    const { notes, index } = await syncedIndex({ "a.md": "the cat" });
    rmSync(join(notes, "a.md"));
    await expect(index.sync()).rejects.toMatchObject({
      code: "EMPTY_CORPUS",
      message: expect.stringContaining(notes),
      hint: expect.stringContaining("--allow-empty"),
    });
    rmSync(notes, { recursive: true });
    for (const paths of [undefined, [notes]]) {
      await expect(index.sync(paths)).rejects.toMatchObject({
        code: "PATH_NOT_FOUND",
        message: expect.stringContaining(notes),
        hint: expect.stringContaining("--allow-empty"),
      });
    }
    await expect(index.sync([join(notes, "never")], { allowEmpty: true })).rejects.toMatchObject({
      code: "PATH_NOT_FOUND",
    });
    expect(index.info()).toMatchObject({ documents: 1, generation: 1 });
    expect(await index.sync(undefined, { allowEmpty: true })).toMatchObject({
      removed: [join(notes, "a.md")],
    });
    expect(index.info()).toMatchObject({ documents: 0, generation: 2 });
    await expect(index.sync()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await index.close();
  });

  it("keeps what exists and cannot be read, and removes what became something else", async () => {
    const { notes, index } = await syncedIndex({
      "big.md": "the cat",
      "link.md": "a dog",
      "gone.md": "a mat",
      "x.md": "x",
    });
    write(notes, "big.md", "the cat ".repeat(200));
    rmSync(join(notes, "link.md"));
    symlinkSync(join(notes, "x.md"), join(notes, "link.md"));
    write(notes, "gone.md", " ");
    const report = await index.sync([notes], { maxFileSize: 1000 });
    expect(summary(notes, report)).toEqual({
      changed: ["gone.md"],
      removed: ["link.md"],
      kept: ["big.md"],
      documents: { removed: 2 },
      passages: 0,
    });
    expect(report.skipped.files).toEqual([
      { path: join(notes, "big.md"), reason: "larger than 1000 bytes: 1600" },
      { path: join(notes, "link.md"), reason: expect.stringContaining("symbolic link") },
      { path: join(notes, "gone.md"), reason: "no text in it" },
    ]);
    expect(index.get("big.md")).toMatchObject({ text: "the cat" });
    // The limit is remembered, and a larger one brings the file in.
    expect(summary(notes, await index.sync())).toMatchObject({ kept: ["big.md"] });
    expect(summary(notes, await index.sync([notes], { maxFileSize: 2000 }))).toMatchObject({
      changed: ["big.md"],
    });
    await index.close();
  });

  it("remembers how each path is read", async () => {
    const { notes, index } = await syncedIndex({
      "r.jsonl": '{"id":"x","text":"fast","body":"slow"}\n',
      ".secret.md": "a dog",
      "own.md": "a mat",
    });
    const report = await index.sync([notes], { hidden: true, textColumn: "body" });
    expect(summary(notes, report)).toEqual({
      added: [".secret.md"],
      changed: ["r.jsonl"],
      documents: { added: 1, changed: 1 },
      passages: 2,
    });
    expect(summary(notes, await index.sync())).toEqual({ documents: {}, passages: 0 });
    expect(index.get("x")).toMatchObject({ text: "slow" });
    expect(summary(notes, await index.sync([notes], { hidden: false }))).toMatchObject({
      removed: [".secret.md"],
    });
    await index.close();
  });

  it("keeps the ids of roots that it met one after the other", async () => {
    const { notes, index } = await syncedIndex({ "a.md": "the cat", "sub/b.md": "a dog" });
    const more = join(newFolder(), "more");
    write(more, "a.md", "another cat");
    const single = write(newFolder(), "a.md", "a third one");
    expect((await index.sync([more])).documents).toMatchObject({ added: 1 });
    expect(index.get("more/a.md")).toMatchObject({ text: "another cat" });
    expect(index.get("a.md")).toMatchObject({ text: "the cat" });
    // A file that is named has its base name as id, which is taken.
    await expect(index.sync([single])).rejects.toMatchObject({
      code: "DUPLICATE_ID",
      message: expect.stringMatching(/"a\.md" .*\/a\.md, and in .*\/a\.md/),
    });
    const above = await index.sync([dirname(more), notes]);
    expect(summary(notes, above)).toEqual({ documents: {}, passages: 0 });
    await index.close();
  });

  it("refuses an id in two files, and lets a record move from one to the other", async () => {
    const { notes, index } = await syncedIndex({
      "1.jsonl": '{"id":"x","text":"fast"}\n',
      "2.jsonl": '{"id":"y","text":"index"}\n',
    });
    write(notes, "1.jsonl", '{"id":"x","text":"fast"}\n{"id":"y","text":"index"}\n');
    const refused = { code: "DUPLICATE_ID", message: expect.stringContaining("2.jsonl") };
    await expect(index.sync()).rejects.toMatchObject(refused);
    write(notes, "2.jsonl", '{"id":"y","text":"changed"}\n');
    await expect(index.sync()).rejects.toMatchObject(refused);
    expect(index.info()).toMatchObject({ generation: 1, documents: 2 });
    write(notes, "2.jsonl", '{"id":"w","text":"new"}\n');
    expect(summary(notes, await index.sync())).toEqual({
      changed: ["1.jsonl", "2.jsonl"],
      documents: { added: 1, updated: 1 },
      passages: 1,
    });
    await index.close();
  });

  it("leaves out the folder of the index itself", async () => {
    const notes = newFolder();
    write(notes, "a.md", "the cat");
    const index = await emptyIndex(join(notes, "index"));
    for (const generation of [1, 1]) expect(await index.sync([notes])).toMatchObject({ generation });
    expect(index.info()).toMatchObject({ documents: 1 });
    await index.close();
  });

  it("goes on from what an aborted one has encoded", async () => {
    const { notes, folder, index } = await syncedIndex({ "a.md": "the cat" });
    for (let i = 0; i < 80; i++) write(notes, `${i}.md`, `the dog ${i}`);
    const controller = new AbortController();
    const onProgress = ({ stage, done }: ProgressEvent): void => {
      if (stage === "encode" && done > 0) controller.abort();
    };
    const aborted = index.sync(undefined, { signal: controller.signal, onProgress });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    expect(index.info().generation).toBe(1);
    const report = await index.sync();
    expect(report).toMatchObject({ generation: 2, passages: 80 });
    expect(report.resumed).toBeGreaterThan(0);
    await index.close();
    expect(contentOf(folder)).toEqual(await freshContent(notes));
  });

  it("changes nothing when it is aborted, and refuses odd arguments by name", async () => {
    const { notes, index } = await syncedIndex({ "a.md": "the cat" });
    write(notes, "b.md", "a dog");
    await expect(index.sync(undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect(index.info().generation).toBe(1);
    const cases = [
      [[7 as never], {}, "paths[0]"],
      ["notes" as never, {}, "paths"],
      [undefined, { dryRun: "yes" as never }, "dryRun"],
      [undefined, { maxFileSize: 0 }, "maxFileSize"],
    ] as const;
    for (const [paths, options, name] of cases) {
      await expect(index.sync(paths, options)).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(name),
      });
    }
    await index.close();
  });
});
