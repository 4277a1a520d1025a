/** Adds that stop in the middle and are run again: nothing is encoded twice, and the files come out the same. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Random } from "../../src/common/random.js";
import type { DocumentInput } from "../../src/documents/types.js";
import { Index } from "../../src/engine/index.js";
import type { AddOptions, AddReport } from "../../src/engine/options.js";
import { JOURNAL_NAME } from "../../src/storage/encode-journal.js";
import { EncodePool } from "../../src/workers/encode-pool.js";
import { temporaryFolders } from "../support/temp-folder.js";
import { writeTinyModel } from "../support/tiny-model.js";

const newFolder = temporaryFolders();
const CONFIG = {
  query_length: 16,
  document_length: 32,
  do_query_expansion: false,
  embedding_dim: 16,
  skiplist_words: ["."],
};
const WORDS = "the cat sat on mat dog running fast search index token".split(" ");

/** Texts that differ, some long enough for several passages, and one without words. */
function makeDocuments(count: number, seed: number): DocumentInput[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => {
    const length = i % 10 === 0 ? 60 : 4 + (i % 9);
    const words = Array.from({ length }, () => WORDS[random.below(WORDS.length)]);
    return { id: `d${i}`, text: i === 7 ? "..." : `${seed} ${i} ${words.join(" ")}` };
  });
}

const DOCUMENTS = makeDocuments(100, 1);
let model: string;
let expected: Record<string, string>;
let whole: AddReport;

/** Passages whose encoding came to its end, over all calls since the last reset. */
let encoded = 0;
/** Called after each of them. */
let afterEncoding = (): void => undefined;

beforeAll(async () => {
  model = await newFolder();
  await writeTinyModel(model, { "onnx_config.json": CONFIG });
  const original = EncodePool.prototype.encodePassages;
  vi.spyOn(EncodePool.prototype, "encodePassages").mockImplementation(async function (
    this: EncodePool,
    texts,
    options,
  ) {
    const passages = await original.call(this, texts, options);
    encoded += texts.length;
    afterEncoding();
    return passages;
  });
  const folder = await emptyIndex();
  whole = await add(folder, DOCUMENTS);
  expected = hashes(folder);
  expect(encoded).toBe(whole.passages);
  expect(whole).toMatchObject({ documents: 100, resumed: 0, emptyPassages: 1 });
  expect(whole.passages).toBeGreaterThan(110);
  encoded = 0;
  return () => vi.restoreAllMocks();
});

afterEach(() => {
  encoded = 0;
  afterEncoding = () => undefined;
});

async function emptyIndex(): Promise<string> {
  const folder = await newFolder();
  await (await Index.create(folder, { model })).close();
  return folder;
}

async function add(
  folder: string,
  documents: readonly DocumentInput[],
  options: AddOptions = {},
): Promise<AddReport> {
  const index = await Index.open(folder, { threads: 1 });
  try {
    return await index.add(documents, options);
  } finally {
    await index.close();
  }
}

/** An add that is aborted as soon as `count` further passages, or some more, were encoded. */
async function addAborted(folder: string, documents: readonly DocumentInput[], count: number): Promise<void> {
  const controller = new AbortController();
  const enough = encoded + count;
  afterEncoding = () => {
    if (encoded >= enough) controller.abort();
  };
  await expect(add(folder, documents, { signal: controller.signal })).rejects.toMatchObject({
    code: "ABORTED",
  });
  afterEncoding = () => undefined;
}

/** SHA-256 of the catalog and of every codec and segment file. */
function hashes(folder: string): Record<string, string> {
  const names = ["codecs", "segments"].flatMap((part) =>
    readdirSync(join(folder, part)).map((name) => `${part}/${name}`),
  );
  return Object.fromEntries(
    ["catalog.sqlite", ...names.sort()].map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]),
  );
}

function hasJournal(folder: string): boolean {
  return readdirSync(folder).includes(JOURNAL_NAME);
}

describe("an add that was aborted", () => {
  it("after any number of passages goes on where it stopped, to the same files", async () => {
    for (const count of [1, 60, whole.passages]) {
      encoded = 0;
      const folder = await emptyIndex();
      await addAborted(folder, DOCUMENTS, count);
      expect(hasJournal(folder)).toBe(true);
      const before = encoded;
      expect(before).toBeGreaterThanOrEqual(count);
      expect(await add(folder, DOCUMENTS)).toEqual({ ...whole, resumed: before });
      expect(encoded).toBe(whole.passages);
      expect(hashes(folder)).toEqual(expected);
      expect(hasJournal(folder)).toBe(false);
    }
  });

  it("again and again encodes every passage once", async () => {
    const folder = await emptyIndex();
    let attempts = 0;
    while (encoded < whole.passages) {
      const before = encoded;
      await addAborted(folder, DOCUMENTS, 1);
      expect(encoded).toBeGreaterThan(before);
      attempts++;
    }
    expect(attempts).toBeGreaterThan(1);
    expect(await add(folder, DOCUMENTS)).toEqual({ ...whole, resumed: whole.passages });
    expect(encoded).toBe(whole.passages);
    expect(hashes(folder)).toEqual(expected);
  });

  it.each(["read", "train", "encode"])("in the stage %s goes on", async (stage) => {
    const folder = await emptyIndex();
    const controller = new AbortController();
    const aborted = add(folder, DOCUMENTS, {
      signal: controller.signal,
      onProgress: (event) => {
        if (event.stage === stage) controller.abort();
      },
    });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    expect(hasJournal(folder)).toBe(stage !== "read");
    expect(await add(folder, DOCUMENTS)).toEqual({
      ...whole,
      resumed: stage === "read" ? 0 : whole.passages,
    });
    expect(encoded).toBe(whole.passages);
    expect(hashes(folder)).toEqual(expected);
  });

  it("takes what is unchanged when the documents have changed", async () => {
    const folder = await emptyIndex();
    await addAborted(folder, DOCUMENTS, 60);
    const before = encoded;
    encoded = 0;
    const others = makeDocuments(40, 2).map((document) => ({ ...document, id: `other-${document.id}` }));
    const changed = [...others, ...DOCUMENTS.slice(3, 80).reverse()];
    const report = await add(folder, changed);
    expect(report.resumed).toBeGreaterThan(0);
    expect(report.resumed).toBeLessThanOrEqual(before);
    expect(encoded).toBe(report.passages - report.resumed);
    const fresh = await emptyIndex();
    expect(await add(fresh, changed)).toEqual({ ...report, resumed: 0 });
    expect(hashes(folder)).toEqual(hashes(fresh));
  });

  it("to an index with documents leaves them, and a deletion in between does not disturb", async () => {
    const folder = await emptyIndex();
    await add(folder, makeDocuments(30, 3));
    encoded = 0;
    await addAborted(folder, DOCUMENTS, 20);
    const before = encoded;
    const index = await Index.open(folder);
    expect(index.info()).toMatchObject({ generation: 1, documents: 30 });
    await index.delete(["d4"]);
    const report = await index.add(DOCUMENTS);
    expect(report).toMatchObject({ generation: 3, documents: 100, replaced: 29, resumed: before });
    expect(encoded).toBe(whole.passages);
    expect(hasJournal(folder)).toBe(false);
    await index.close();
  });

  it("encodes again what a damaged journal has lost, to the same files", async () => {
    for (const damage of ["cut", "flip"] as const) {
      const folder = await emptyIndex();
      await addAborted(folder, DOCUMENTS, 70);
      const before = encoded;
      encoded = 0;
      const path = join(folder, JOURNAL_NAME);
      const bytes = readFileSync(path);
      for (let at = 500; at < bytes.length; at += 3000) bytes[at]! ^= 16;
      writeFileSync(path, damage === "flip" ? bytes : readFileSync(path).subarray(0, bytes.length / 2));
      const report = await add(folder, DOCUMENTS);
      expect(report).toEqual({ ...whole, resumed: whole.passages - encoded });
      expect(report.resumed).toBeGreaterThan(0);
      expect(report.resumed).toBeLessThan(before);
      expect(hashes(folder)).toEqual(expected);
      encoded = 0;
    }
  });
});

it("an add that cannot use its journal says so and changes nothing", async () => {
  const folder = await emptyIndex();
  mkdirSync(join(folder, JOURNAL_NAME));
  await expect(add(folder, DOCUMENTS)).rejects.toMatchObject({
    code: "IO",
    message: expect.stringContaining(JOURNAL_NAME),
  });
  const index = await Index.open(folder);
  expect(index.info()).toMatchObject({ generation: 0, documents: 0 });
  await index.close();
});

it("an index that keeps its vectors to itself has no journal", async () => {
  const folder = await newFolder();
  const index = await Index.create(folder, { model: null, dim: 8 });
  const vectors = Array.from({ length: 5 }, (_, i) => Array.from({ length: 8 }, (__, d) => i - d));
  expect(await index.addEmbeddings([{ id: "a", vectors }])).toMatchObject({ resumed: 0 });
  expect(hasJournal(folder)).toBe(false);
  await index.close();
});
