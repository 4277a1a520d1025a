import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Index } from "../../src/engine/index.js";
import { exactMaxSim, SyntheticCorpus, unit } from "../support/synthetic.js";
import { tempFolder } from "../support/temp-folder.js";

const DIM = 64;
const root = tempFolder();
const corpus = new SyntheticCorpus({ passages: 400, tokens: 24, dim: DIM, vocabulary: 500 });
const documents = corpus.passages.map(({ vectors }, i) => ({
  id: `d${i}`,
  vectors,
  text: `document number ${i}`,
}));
let index: Index;

beforeAll(async () => {
  index = await Index.create(join(root, "vectors"), { model: null, dim: DIM });
  await index.addEmbeddings(documents);
});
afterAll(() => index.close());

describe("vectors of the caller", () => {
  it("are found as exact MaxSim over the original vectors finds them", async () => {
    let overlap = 0;
    for (let p = 0; p < 400; p += 20) {
      const query = corpus.query(p, 8);
      const exact = documents
        .map(({ id, vectors }) => ({ id, score: exactMaxSim(query, vectors, DIM) }))
        .sort((a, b) => b.score - a.score);
      for (const tuning of [{ effort: "exact" as const }, { exhaustiveTokens: 0 }]) {
        const { hits } = await index.searchEmbeddings(query, { k: 10, ...tuning });
        expect(hits[0]!.id).toBe(exact[0]!.id);
        expect(Math.abs(hits[0]!.score - exact[0]!.score)).toBeLessThan(0.15);
        const found = new Set(hits.map(({ id }) => id));
        overlap += exact.slice(0, 10).filter(({ id }) => found.has(id)).length;
      }
    }
    expect(overlap / 400).toBeGreaterThan(0.85);
  });

  it("may come as rows, as numbers, and with any length", async () => {
    const own = await Index.create(join(root, "rows"), { model: null, dim: 8 });
    const row = [3, 0, 4, 0, 0, 0, 0, 0];
    await own.addEmbeddings([
      { id: "numbers", vectors: [row] },
      { id: "floats", vectors: [Float32Array.from(row).map((x) => -x)] },
      { id: "flat", vectors: Float32Array.of(0, 1, 0, 0, 0, 0, 0, 0) },
      { id: "none", vectors: [] },
    ]);
    const { hits } = await own.searchEmbeddings([row], { k: 10 });
    expect(hits.map(({ id }) => id)).toEqual(["numbers", "flat", "floats"]);
    expect(hits[0]!.score).toBeCloseTo(1, 1);
    expect(await own.get("none")).toMatchObject({ id: "none", text: "" });
    await own.close();
  });

  it("may come with vocabulary ids, which the centroids are trained by", async () => {
    const own = await Index.create(join(root, "ids"), { model: null, dim: DIM });
    const withIds = corpus.passages.map(({ vectors, tokenIds }, i) => ({ id: `d${i}`, vectors, tokenIds }));
    await own.addEmbeddings(withIds);
    const different = new Set(corpus.passages.flatMap(({ tokenIds }) => [...tokenIds])).size;
    expect(own.info().centroids).toBeGreaterThanOrEqual(different);
    const { hits } = await own.searchEmbeddings(corpus.query(7, 8), { k: 1, exhaustiveTokens: 0 });
    expect(hits[0]!.id).toBe("d7");
    for (const tokenIds of [[1, 2], Array.from({ length: 24 }, () => -1)]) {
      const bad = own.addEmbeddings([{ ...withIds[0]!, tokenIds }]);
      await expect(bad).rejects.toMatchObject({ code: "INVALID_VECTOR" });
    }
    await own.close();
  });

  it.each([
    ["another dimension", [new Float32Array(DIM - 1).fill(1)], "DIMENSION_MISMATCH"],
    ["a flat array that does not divide", new Float32Array(DIM + 3).fill(1), "DIMENSION_MISMATCH"],
    ["NaN", [new Float32Array(DIM).fill(Number.NaN)], "INVALID_VECTOR"],
    ["infinity", [[...new Float32Array(DIM - 1), Number.POSITIVE_INFINITY]], "INVALID_VECTOR"],
    ["a zero vector", [new Float32Array(DIM)], "INVALID_VECTOR"],
    ["something else", "vectors" as never, "INVALID_VECTOR"],
  ])("with %s are refused, in documents by id and in queries", async (_, vectors, code) => {
    const before = index.info();
    const added = index.addEmbeddings([
      { id: "fine", vectors: corpus.query(1, 2) },
      { id: "bad one", vectors },
    ]);
    await expect(added).rejects.toMatchObject({ code, message: expect.stringContaining('"bad one"') });
    await expect(index.searchEmbeddings(vectors)).rejects.toMatchObject({ code });
    expect(index.info()).toEqual(before);
  });

  it("need 1 to 64 rows in a query", async () => {
    await expect(index.searchEmbeddings([])).rejects.toMatchObject({ code: "INVALID_VECTOR" });
    const many = Float32Array.from({ length: 65 * DIM }, () => 1);
    await expect(index.searchEmbeddings(many)).rejects.toMatchObject({
      message: expect.stringContaining("65"),
    });
  });

  it("do not mix with text in an index without a model", async () => {
    await expect(index.search("words")).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      hint: expect.stringContaining("searchEmbeddings"),
    });
    await expect(index.add([{ id: "a", text: "words" }])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("can be added later with the frozen codec and are found at once", async () => {
    const own = await Index.create(join(root, "later"), { model: null, dim: DIM, nbits: 2 });
    await own.addEmbeddings(documents.slice(0, 300));
    await own.addEmbeddings(documents.slice(300));
    for (const p of [310, 350, 399]) {
      const { hits } = await own.searchEmbeddings(corpus.query(p, 10), { k: 1 });
      expect(hits[0]!.id).toBe(`d${p}`);
    }
    expect(own.info()).toMatchObject({ documents: 400, segments: 2, generation: 2 });
    await own.close();
  });

  it("break ties by the order of adding", async () => {
    const own = await Index.create(join(root, "ties"), { model: null, dim: DIM });
    const same = unit(Float32Array.from({ length: DIM }, (_, i) => i + 1));
    await own.addEmbeddings(Array.from({ length: 50 }, (_, i) => ({ id: `t${i}`, vectors: same })));
    const { hits } = await own.searchEmbeddings(same, { k: 20 });
    expect(hits.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, i) => `t${i}`));
    await own.close();
  });

  it("may all be the same, and later ones need not be", async () => {
    const folder = join(root, "alike");
    // Centroids hold it exactly, so that it has no residual.
    const same = Float32Array.from({ length: DIM }, (_, i) => (i === 3 ? 1 : 0));
    const own = await Index.create(folder, { model: null, dim: DIM });
    await own.addEmbeddings(Array.from({ length: 6_000 }, (_, i) => ({ id: `s${i}`, vectors: same })));
    await own.close();
    const again = await Index.open(folder);
    await again.addEmbeddings(documents.slice(0, 20));
    const { hits } = await again.searchEmbeddings(corpus.query(7, 10), { k: 1 });
    expect(hits[0]!.id).toBe("d7");
    await again.close();
  });
});
