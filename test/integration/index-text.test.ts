import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProgressEvent } from "../../src/common/progress.js";
import { Index } from "../../src/engine/index.js";
import { NOTES, QUESTIONS } from "../support/notes.js";
import { tempFolder } from "../support/temp-folder.js";

const root = tempFolder();
const folder = join(root, "notes");
let index: Index;

beforeAll(async () => {
  index = await Index.create(folder);
  await index.add(NOTES);
});
afterAll(() => index.close());

describe("searching text", () => {
  it.each(QUESTIONS)("%s", async (question, id) => {
    const { hits, generation, truncated } = await index.search(question, { k: 3 });
    expect(hits[0]!.id).toBe(id);
    expect(hits.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    expect(hits[0]!.score).toBeGreaterThan(hits[1]!.score);
    expect(generation).toBe(1);
    expect(truncated).toBe(false);
  });

  it("returns the passage with its place, metadata and a snippet", async () => {
    const { hits } = await index.search("how do I repair a puncture", { k: 1 });
    const hit = hits[0]!;
    const document = NOTES.find(({ id }) => id === "bicycle")!;
    expect(hit.title).toBe("Flat tyres");
    expect(hit.metadata).toEqual({ topic: "workshop", tags: ["repair"] });
    expect(document.text.slice(hit.passage.start, hit.passage.end)).toBe(hit.text);
    expect(hit.passage).toMatchObject({ index: 0, lineStart: 1, lineEnd: 1 });
    expect(hit.snippet.text.length).toBeGreaterThan(20);
  });

  it("gives every live document when k is larger", async () => {
    const { hits } = await index.search("anything", { k: 100 });
    expect(hits).toHaveLength(NOTES.length);
    expect(new Set(hits.map(({ id }) => id)).size).toBe(NOTES.length);
  });

  it("gives the same answer pruned, exhaustive and in parallel calls", async () => {
    const query = "how does the database journal work";
    const exact = await index.search(query, { effort: "exact" });
    const pruned = await index.search(query, { exhaustiveTokens: 0, nprobe: 64 });
    expect(pruned.hits).toEqual(exact.hits);
    const many = await Promise.all(Array.from({ length: 8 }, () => index.search(query, { effort: "exact" })));
    for (const result of many) expect(result.hits).toEqual(exact.hits);
  });

  it("explains its stages", async () => {
    const { explanation } = await index.search("why do mountains explode", {
      explain: true,
      k: 1,
      exhaustiveTokens: 0,
    });
    expect(explanation?.plan).toBe("pruned");
    expect(explanation?.queryTokens).toContain("mountains");
    expect(explanation?.stages.map(({ stage }) => stage)).toEqual([
      "encode",
      "centroids",
      "probe",
      "gather",
      "approximate",
      "exact",
      "rank",
      "hydrate",
    ]);
  });

  it("cuts a query that is too long and says so", async () => {
    const { truncated, hits } = await index.search("mountain ".repeat(500), { k: 1 });
    expect(truncated).toBe(true);
    expect(hits[0]!.id).toBe("volcano");
  });

  it.each([
    ["", {}, "query"],
    ["  \n ", {}, "query"],
    ["x", { k: 0 }, "k"],
    ["x", { k: -3 }, "k"],
    ["x", { k: 1.5 }, "k"],
    ["x", { k: 1_000_000 }, "k"],
    ["x", { effort: "huge" as never }, "effort"],
    [42 as never, {}, "query"],
  ])("refuses search(%j, %j)", async (query, options, name) => {
    await expect(index.search(query, options)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(name),
    });
  });
});

describe("documents", () => {
  it("are found by id, whole", async () => {
    expect(await index.get("git")).toMatchObject({
      id: "git",
      text: NOTES[5]!.text,
      title: "Undoing a commit",
    });
    expect(await index.get("nothing")).toBeUndefined();
  });

  it("are counted with what they cost", () => {
    const info = index.info();
    expect(info).toMatchObject({
      documents: 8,
      passages: 8,
      dim: 128,
      nbits: 4,
      model: "maxsim-small-en-v1",
    });
    expect(info.tokens).toBeGreaterThan(150);
    expect(info.bytes.segments).toBeGreaterThan(info.tokens * 66);
  });
});

describe("changes", () => {
  it("replace documents of the same id, delete, and make one generation each", async () => {
    const own = await Index.create(join(root, "changes"));
    expect(await own.add(NOTES)).toMatchObject({ generation: 1, documents: 8, replaced: 0 });
    const report = await own.add([
      { id: "tea", text: "Penguins huddle on the ice to keep each other warm in the polar night." },
      { id: "new", text: "A violin has four strings and is played with a bow." },
    ]);
    expect(report).toMatchObject({ generation: 2, documents: 2, replaced: 1, passages: 2 });
    expect(own.info().documents).toBe(9);
    expect((await own.search("birds of the Antarctic", { k: 1 })).hits[0]!.id).toBe("tea");
    const all = await own.search("why does my drink taste harsh", { k: 50 });
    expect(all.hits).toHaveLength(9);
    expect(all.hits.filter(({ id }) => id === "tea")).toHaveLength(1);
    expect(await own.delete(["tea", "bicycle", "unknown", "tea"])).toEqual({ generation: 3, deleted: 2 });
    expect(await own.delete(["unknown"])).toEqual({ generation: 3, deleted: 0 });
    expect(await own.get("tea")).toBeUndefined();
    expect((await own.search("penguins", { k: 50 })).hits).toHaveLength(7);
    await own.close();
    const again = await Index.open(join(root, "changes"));
    expect((await again.search("musical instrument", { k: 1 })).hits[0]!.id).toBe("new");
    expect(again.info().generation).toBe(3);
    await again.close();
  });

  it("of another object are seen after refresh", async () => {
    const path = join(root, "refresh");
    const writer = await Index.create(path);
    await writer.add([NOTES[0]!]);
    const reader = await Index.open(path);
    await writer.add([NOTES[1]!]);
    expect((await reader.search("puncture")).hits).toHaveLength(1);
    expect(await reader.refresh()).toBe(2);
    expect((await reader.search("puncture")).hits).toHaveLength(2);
    await Promise.all([writer.close(), reader.close()]);
  });

  it("with a duplicate id name the id and leave the index as it was", async () => {
    const before = index.info();
    const twice = [
      { id: "x", text: "first", source: { path: "a.jsonl", line: 1 } },
      { id: "x", text: "second", source: { path: "a.jsonl", line: 9 } },
    ];
    await expect(index.add(twice, { onDuplicate: "error" })).rejects.toMatchObject({
      code: "DUPLICATE_ID",
      message: expect.stringMatching(/"x".*a\.jsonl.*1.*a\.jsonl.*9/),
    });
    expect(index.info()).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.startsWith("build"))).toEqual([]);
  });

  it("that are aborted leave the index as it was", async () => {
    const before = index.info();
    const controller = new AbortController();
    const onProgress = ({ stage }: ProgressEvent): void => {
      if (stage === "encode") controller.abort();
    };
    const more = Array.from({ length: 600 }, (_, i) => ({
      id: `n${i}`,
      text: `note number ${i} about rivers`,
    }));
    await expect(index.add(more, { signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect(index.info()).toEqual(before);
    expect(readdirSync(join(folder, "segments"))).toHaveLength(1);
    expect((await index.search("tea", { k: 1 })).hits).toHaveLength(1);
  });

  it("of invalid documents are refused by name", async () => {
    const cases: Array<[unknown, string]> = [
      [{ id: "", text: "x" }, "id"],
      [{ id: "a\0b", text: "x" }, "NUL"],
      [{ id: "\ud800", text: "x" }, "id"],
      [{ id: 7, text: "x" }, "id"],
      [{ id: "ok", text: 5 }, "ok"],
      [{ id: "ok", text: "x", metadata: { a: 1n } }, "ok"],
    ];
    for (const [document, word] of cases) {
      await expect(index.add([document as never])).rejects.toMatchObject({
        code: "INVALID_DOCUMENT",
        message: expect.stringContaining(word),
      });
    }
    await expect(index.add("text" as never)).rejects.toMatchObject({
      code: expect.stringMatching(/^INVALID/),
    });
    await expect(index.add(null as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("by a second writer at the same time are refused, and work afterwards", async () => {
    const path = join(root, "two-writers");
    const first = await Index.create(path);
    const second = await Index.open(path);
    let secondError: unknown;
    async function* slowly() {
      yield NOTES[0]!;
      secondError = await second.add([NOTES[1]!]).catch((error: unknown) => error);
      yield NOTES[2]!;
    }
    await first.add(slowly());
    expect(secondError).toMatchObject({ code: "LOCKED" });
    expect(await second.add([NOTES[1]!])).toMatchObject({ generation: 2 });
    await Promise.all([first.close(), second.close()]);
  });
});

describe("odd texts", () => {
  it("without words are stored, found by id, and never returned", async () => {
    const own = await Index.create(join(root, "odd"));
    const report = await own.add([
      { id: "empty", text: "" },
      { id: "space", text: " \n\t " },
      { id: "dots", text: "... !!! ---" },
      { id: "words", text: "a sentence about herons" },
    ]);
    expect(report).toMatchObject({ documents: 4, emptyPassages: 3 });
    expect(await own.get("dots")).toMatchObject({ text: "... !!! ---" });
    expect((await own.search("birds", { k: 10 })).hits.map(({ id }) => id)).toEqual(["words"]);
    await own.close();
  });

  it("alone make an index that answers with nothing and can be added to", async () => {
    const own = await Index.create(join(root, "only-empty"));
    expect((await own.search("anything")).hits).toEqual([]);
    expect(await own.add([])).toMatchObject({ generation: 0, documents: 0 });
    expect(await own.add([{ id: "empty", text: "" }])).toMatchObject({ generation: 1, emptyPassages: 1 });
    expect((await own.search("anything")).hits).toEqual([]);
    await own.add([{ id: "heron", text: "a heron stands in the reeds" }]);
    expect((await own.search("bird", { k: 3 })).hits.map(({ id }) => id)).toEqual(["heron"]);
    await own.close();
  });

  it("with NUL, lone surrogates and emoji come back well-formed", async () => {
    const own = await Index.create(join(root, "unicode"));
    await own.add([{ id: "é-日本", text: "nul \0 lone \ud800 smile 😀 done", title: "naïve" }]);
    expect((await own.get("é-日本"))?.text).toBe("nul \0 lone \ufffd smile 😀 done");
    expect((await own.search("smile", { k: 1 })).hits[0]!.id).toBe("é-日本");
    await own.close();
  });

  it("of one word and three tokens make an index", async () => {
    const own = await Index.create(join(root, "tiny"), { nbits: 1 });
    await own.add([{ id: "1", text: "heron" }]);
    expect((await own.search("heron")).hits[0]).toMatchObject({ id: "1", rank: 1 });
    await own.add(NOTES);
    expect((await own.search("how do I repair a puncture", { k: 1 })).hits[0]!.id).toBe("bicycle");
    await own.close();
  });

  it("longer than the model takes become passages, and the best one is shown", async () => {
    const own = await Index.create(join(root, "long"));
    const filler = "The committee met again and talked about the agenda of the next meeting. ".repeat(60);
    const text = `${filler}\n\nThe lighthouse keeper polished the lens every morning.\n\n${filler}`;
    const report = await own.add([{ id: "long", text }]);
    expect(report.passages).toBeGreaterThan(5);
    const { hits } = await own.search("who cleaned the lamp on the coast", { k: 3 });
    expect(hits).toHaveLength(1);
    expect(hits[0]!.text).toContain("lighthouse");
    expect(hits[0]!.passage.lineStart).toBeLessThanOrEqual(3);
    expect(hits[0]!.passage.index).toBeGreaterThan(0);
    await own.close();
  });
});

describe("files", () => {
  const hashes = (path: string): Record<string, string> =>
    Object.fromEntries(
      [
        "catalog.sqlite",
        ...["codecs", "segments"].flatMap((part) => readdirSync(join(path, part)).map((f) => `${part}/${f}`)),
      ]
        .sort()
        .map((name) => [
          name,
          createHash("sha256")
            .update(readFileSync(join(path, name)))
            .digest("hex"),
        ]),
    );

  it("are the same, byte for byte, for the same input, whatever the number of threads", async () => {
    const paths = [1, 2].map((threads) => ({ threads, path: join(root, `same-${threads}`) }));
    for (const { threads, path } of paths) {
      const own = await Index.create(path, { threads, nbits: 2 });
      await own.add(NOTES);
      await own.add([{ id: "tea", text: "replaced" }]);
      await own.close();
    }
    expect(hashes(paths[0]!.path)).toEqual(hashes(paths[1]!.path));
  });

  it("that are damaged are named, at opening", async () => {
    const path = join(root, "damaged");
    const own = await Index.create(path);
    await own.add(NOTES);
    await own.close();
    for (const part of ["segments", "codecs"]) {
      const name = readdirSync(join(path, part))[0]!;
      const file = join(path, part, name);
      const good = readFileSync(file);
      for (const at of [3, 70, Math.floor(good.length / 2), good.length - 5]) {
        const bad = Buffer.from(good);
        bad[at] = bad[at]! ^ 4;
        writeFileSync(file, bad);
        await expect(Index.open(path)).rejects.toMatchObject({
          code: "CORRUPT",
          message: expect.stringContaining(name),
        });
      }
      writeFileSync(file, good.subarray(0, good.length - 100));
      await expect(Index.open(path)).rejects.toMatchObject({ code: "CORRUPT" });
      writeFileSync(file, good);
    }
    await (await Index.open(path)).close();
  });
});

describe("opening", () => {
  it("refuses what is not an index", async () => {
    await expect(Index.open(join(root, "nowhere"))).rejects.toMatchObject({
      code: "INDEX_NOT_FOUND",
      message: expect.stringContaining("nowhere"),
    });
    await expect(Index.open(root)).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    await expect(Index.create(folder)).rejects.toMatchObject({ code: "INDEX_EXISTS" });
  });

  it.each([
    [{ nbits: 3 as never }, "nbits"],
    [{ model: null }, "dim"],
    [{ model: null, dim: 12 }, "dim"],
    [{ seed: -1 }, "seed"],
    [{ dim: 64 }, "dim"],
    [{ threads: 0 }, "threads"],
  ])("refuses create with %j", async (options, name) => {
    await expect(Index.create(join(root, "never"), options)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(name),
    });
  });

  it("refuses a model that is not there, by name", async () => {
    await expect(Index.create(join(root, "never"), { model: "./no-such-model" })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining("no-such-model"),
    });
  });
});

describe("closing", () => {
  it("waits for running calls, refuses later ones, and can be repeated", async () => {
    const own = await Index.open(folder);
    const running = own.search("how do I repair a puncture", { k: 1 });
    await own.close();
    expect((await running).hits[0]!.id).toBe("bicycle");
    await expect(own.search("x")).rejects.toMatchObject({ code: "CLOSED" });
    await expect(own.add([])).rejects.toMatchObject({ code: "CLOSED" });
    expect(() => own.info()).toThrowError(expect.objectContaining({ code: "CLOSED" }));
    await own.close();
  });
});
