import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { Catalog } from "../../src/documents/catalog.js";
import { Index } from "../../src/engine/index.js";
import type { Hit } from "../../src/engine/options.js";
import { MERGE_FACTOR } from "../../src/indexing/merge-policy.js";
import { SyntheticCorpus } from "../support/synthetic.js";
import { temporaryFolders } from "../support/temp-folder.js";

const DIM = 32;
const corpus = new SyntheticCorpus({ passages: 240, tokens: 20, dim: DIM, vocabulary: 300 });
const queries = Array.from({ length: 10 }, (_, i) => corpus.query(24 * i, 8));
const newFolder = temporaryFolders();
let folder = "";

const document = (i: number, prefix = "d") => {
  const { vectors, tokenIds } = corpus.passages[i]!;
  return { id: `${prefix}${i}`, vectors, tokenIds, text: `text ${prefix} ${i}` };
};

/** Six segments of 30 documents, of which every third of the first four is deleted and some are replaced. */
async function build(options: { compaction?: "auto" | "off" } = { compaction: "off" }): Promise<Index> {
  await (await Index.create(folder, { model: null, dim: DIM })).close();
  const index = await Index.open(folder, { ...options, threads: 1 });
  for (let part = 0; part < 6; part++) {
    await index.addEmbeddings(Array.from({ length: 30 }, (_, i) => document(part * 30 + i)));
  }
  await index.addEmbeddings([document(7), document(40), document(200, "late")]);
  await index.delete(Array.from({ length: 40 }, (_, i) => `d${3 * i}`));
  return index;
}

/** Answers of both plans, with scores. */
async function answers(index: Index): Promise<Array<Pick<Hit, "id" | "score" | "text">[]>> {
  const found: Array<Pick<Hit, "id" | "score" | "text">[]> = [];
  for (const query of queries) {
    for (const tuning of [{ effort: "exact" as const }, { exhaustiveTokens: 0, nprobe: 2, refine: 32 }]) {
      const { hits } = await index.searchEmbeddings(query, { k: 12, ...tuning });
      found.push(hits.map(({ id, score, text }) => ({ id, score, text })));
    }
  }
  return found;
}

const problems = (): string[] => {
  const catalog = Catalog.open(folder, { readOnly: true });
  try {
    return catalog.verify();
  } finally {
    catalog.close();
  }
};

const segmentFiles = (): string[] => readdirSync(join(folder, "segments"));

beforeEach(async () => {
  folder = join(await newFolder(), "index");
});

describe("compaction", () => {
  it("keeps every answer and every score, bit for bit, and drops what was deleted", async () => {
    const index = await build();
    const before = await answers(index);
    expect(index.segments()).toHaveLength(7);
    const report = await index.compact({ all: true, graceMs: 0 });
    expect(report).toMatchObject({ segments: { before: 7, after: 1 }, droppedPassages: 42 });
    expect(report.bytes.after).toBeLessThan(report.bytes.before);
    expect(await answers(index)).toEqual(before);
    const [segment] = index.segments();
    expect(segment).toMatchObject({ passages: 143 - 2, livePassages: 143 - 2 });
    expect((await index.compact({ all: true, graceMs: 0 })).segments).toEqual({ before: 1, after: 1 });
    await index.close();
    const again = await Index.open(folder);
    expect(await answers(again)).toEqual(before);
    await again.close();
    expect(problems()).toEqual([]);
  });

  it("gives the same bytes each time", async () => {
    const sums: string[] = [];
    for (let run = 0; run < 2; run++) {
      folder = join(await newFolder(), "index");
      const index = await build();
      await index.compact({ all: true });
      await index.close();
      sums.push(
        segmentFiles().sort().join() + readFileSync(join(folder, "catalog.sqlite")).toString("base64"),
      );
    }
    expect(sums[0]).toBe(sums[1]);
  });

  it("leaves a reader its generation, and removes files and rows when it lets go", async () => {
    const index = await build();
    const reader = await Index.open(folder, { threads: 1 });
    const before = await answers(reader);
    const { generation } = reader.info();
    await index.compact({ all: true, graceMs: 0 });
    expect(segmentFiles()).toHaveLength(8);
    expect(await answers(reader)).toEqual(before);
    // Deleted documents are gone from the newest generation, and a reader of it sees the same live ones.
    await index.delete(["d1"]);
    expect(reader.info().generation).toBe(generation);
    expect(await reader.get("d1")).toMatchObject({ id: "d1" });
    expect(await answers(reader)).toEqual(before);
    await reader.close();
    await index.compact({ all: true, graceMs: 0 });
    // The second time nobody holds the generation before, which this object itself answered from.
    await index.compact({ all: true, graceMs: 0 });
    expect(segmentFiles()).toHaveLength(1);
    await index.close();
    expect(problems()).toEqual([]);
    const bytes = readFileSync(join(folder, "catalog.sqlite"));
    expect([bytes.includes("text d 117"), bytes.includes("text d 118")]).toEqual([false, true]);
  });

  it("keeps superseded files for the grace time", async () => {
    const index = await build();
    await index.compact({ all: true });
    await index.compact({ all: true });
    expect(segmentFiles()).toHaveLength(8);
    await index.close();
  });

  it("happens by itself, so that segments stay few", async () => {
    await (await Index.create(folder, { model: null, dim: DIM })).close();
    const index = await Index.open(folder, { threads: 1 });
    for (let i = 0; i < 60; i++) await index.addEmbeddings([document(i), document(i + 100, "x")]);
    expect(index.segments().length).toBeLessThan(2 * MERGE_FACTOR);
    expect(index.info().documents).toBe(120);
    const operations = (await index.history({ limit: 1000 })).map(({ operation }) => operation);
    expect(operations.filter((operation) => operation === "compact").length).toBeGreaterThan(4);
    await index.close();
    expect(problems()).toEqual([]);
  });

  it("drops a segment of which nothing is left", async () => {
    const index = await build();
    await index.delete(Array.from({ length: 240 }, (_, i) => `d${i}`));
    const report = await index.compact({ all: true, graceMs: 0 });
    expect(report.segments.after).toBe(1);
    expect(index.info()).toMatchObject({ documents: 1, segments: 1 });
    await index.delete(["late200"]);
    await index.compact({ all: true, graceMs: 0 });
    expect(index.info()).toMatchObject({ documents: 0, segments: 0, tokens: 0 });
    expect((await index.searchEmbeddings(queries[0]!)).hits).toEqual([]);
    await index.addEmbeddings([document(3)]);
    expect((await index.searchEmbeddings(queries[0]!)).hits).toHaveLength(1);
    await index.close();
    expect(problems()).toEqual([]);
  });

  it("can be aborted, and then the index is as it was", async () => {
    const index = await build();
    const before = await answers(index);
    const files = segmentFiles();
    const controller = new AbortController();
    const aborted = index.compact({
      all: true,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    expect(await answers(index)).toEqual(before);
    expect(segmentFiles()).toEqual(files);
    await index.close();
  });

  it("trains a new codec from stored vectors when it is asked to, and says what that costs", async () => {
    const index = await build();
    const before = index.info();
    const report = await index.compact({ recluster: true, graceMs: 0 });
    expect(report.recluster!.centroids.before).toBe(before.centroids);
    expect(index.info().centroids).toBe(report.recluster!.centroids.after);
    expect(report.recluster!.quality.passages).toBeGreaterThan(50);
    expect(report.recluster!.quality.cosine).toBeGreaterThan(0.98);
    expect(report.recluster!.quality.cosine).toBeLessThan(1);
    expect(report.recluster!.quality.sameTop10).toBeGreaterThan(0.7);
    expect(index.info()).toMatchObject({ segments: 1, tokens: before.tokens, documents: before.documents });
    await index.compact({ graceMs: 0 });
    expect(readdirSync(join(folder, "codecs"))).toHaveLength(1);
    await index.close();
    expect(problems()).toEqual([]);
  });

  it("of an index without vectors does nothing", async () => {
    const index = await Index.create(folder, { model: null, dim: DIM });
    for (const options of [{}, { all: true }, { recluster: true }]) {
      expect(await index.compact(options)).toMatchObject({
        generation: 0,
        segments: { before: 0, after: 0 },
      });
    }
    await expect(index.compact({ graceMs: -1 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await index.close();
    expect(
      existsSync(join(folder, "segments")) ? statSync(join(folder, "segments")).isDirectory() : true,
    ).toBe(true);
  });
});
