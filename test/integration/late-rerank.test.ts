import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Index } from "../../src/engine/index.js";
import type { Reranker, RerankOutcome } from "../../src/rerank/types.js";
import { describeReranker } from "../support/reranker-conformance.js";
import { SyntheticCorpus } from "../support/synthetic.js";
import { tempFolder } from "../support/temp-folder.js";
import { writeTinyModel } from "../support/tiny-model.js";

const root = tempFolder();
const model = join(root, "tiny");
const WORDS = ["cat", "dog", "mat", "search", "index", "token", "fast", "run", "sat", "the"];
const QUERY = "fast search index";
let index: Index;
let reranker: Reranker;

/** Texts of 5 to 200 words: some are one passage, some are many. */
const textOf = (i: number): string =>
  Array.from({ length: 5 + ((i * 37) % 195) }, (_, j) => WORDS[(i * i + j * (3 + (i % 4))) % 10]).join(" ");
const DOCUMENTS = Array.from({ length: 60 }, (_, i) => ({ id: `e${i}`, text: `${textOf(i)}. Number ${i}.` }));

beforeAll(async () => {
  await mkdir(model);
  const lengths = { query_length: 16, document_length: 32, embedding_dim: 16 };
  await writeTinyModel(model, { "onnx_config.json": { ...lengths, do_query_expansion: false } });
  index = await Index.create(join(root, "index"), { model, threads: 2 });
  await index.add(DOCUMENTS.slice(0, 40));
  await index.add(DOCUMENTS.slice(40));
  await index.delete(["e7", "e8"]);
  reranker = index.reranker();
});
afterAll(() => index.close());

const placed = ({ results }: RerankOutcome): [number, number][] => results.map((r) => [r.index, r.score]);
const live = (): typeof DOCUMENTS => DOCUMENTS.filter(({ id }) => id !== "e7" && id !== "e8");

describe("documents of an index", () => {
  it("have the scores and the order of an exhaustive search", async () => {
    for (const query of [QUERY, "the cat sat on the mat", "number"]) {
      const { hits } = await index.search(query, { k: 100, effort: "exact" });
      const [outcome] = await reranker.rerankBatch([{ query, documents: live().map(({ id }) => ({ id })) }]);
      const expected = hits.map(({ id, score }) => [id, score]);
      expect(outcome!.results.map(({ document, score }) => [document.id, score])).toEqual(expected);
      expect(outcome!.usage.scored).toBe(58);
      const again = await reranker.rerank(query, [...hits].reverse());
      expect(again.map(({ score }) => score)).toEqual(hits.map(({ score }) => score));
      expect(hits).toContain(again[0]!.document);
    }
  });

  it("are scored by all of their passages, whatever text comes along", async () => {
    const { hits } = await index.search("cat", { k: 1, effort: "exact" });
    const { id, score } = hits[0]!;
    const some = [{ id, text: "another text" }, { id, title: "" }, { id }, { id, text: null }];
    expect(placed((await reranker.rerankBatch([{ query: "cat", documents: some }]))[0]!)).toEqual(
      some.map((_, i) => [i, score]),
    );
  });

  it("come beside texts that are encoded", async () => {
    const known = live()[3]!;
    const documents = ["dog", { id: known.id }, { id: "e7", text: known.text }, { id: "new", text: "  " }];
    const [outcome] = await reranker.rerankBatch([{ query: QUERY, documents: documents.slice(0, 3) }]);
    const scores = new Map(placed(outcome!));
    // Stored vectors are compressed, those of a text are not.
    expect(Math.abs(scores.get(1)! - scores.get(2)!)).toBeLessThan(0.2);
    expect(scores.get(0)).toBeLessThan(scores.get(2)!);
    const [alone] = await reranker.rerankBatch([{ query: QUERY, documents: [documents[2]!] }]);
    expect(alone!.results[0]!.score).toBe(scores.get(2));
  });

  it("must be there, unless they bring a text", async () => {
    await expect(reranker.rerank(QUERY, [{ id: "e1" }, { id: "e7" }])).rejects.toMatchObject({
      code: "UNKNOWN_DOCUMENT",
      message: expect.stringMatching(/^documents\[1\] has no text, and the index .* has no document "e7"$/),
    });
    const requests = [{ query: QUERY, documents: [{ id: "e1" }, { id: "x", text: " " }] }];
    await expect(reranker.rerankBatch([...requests, ...requests])).rejects.toMatchObject({
      code: "UNKNOWN_DOCUMENT",
      message: expect.stringMatching(/^requests\[0\]\.documents\[1\] /),
    });
    await expect(reranker.rerank(QUERY, [{ name: "e1" }])).rejects.toMatchObject({
      code: "INVALID_DOCUMENT",
    });
  });

  it("tell when texts beside them are cut", async () => {
    const documents = [{ id: "e1" }, "dog ".repeat(50)];
    const [outcome] = await reranker.rerankBatch([{ query: QUERY, documents }], { maxTokensPerDocument: 9 });
    expect(outcome!.warnings).toEqual([
      "1 of 1 documents are longer than 9 tokens; only their beginnings were scored",
    ]);
  });

  it("are those of one generation, and the fingerprint tells which", async () => {
    const before = await reranker.fingerprint();
    const first = await reranker.rerank(QUERY, [{ id: "e1" }]);
    await index.add([{ id: "e1", text: "fast search index" }]);
    const second = await reranker.rerank(QUERY, [{ id: "e1" }]);
    expect(second[0]!.score).toBeGreaterThan(first[0]!.score);
    expect(await reranker.fingerprint()).not.toBe(before);
  });

  it("end with the index, and with the reranker alone", async () => {
    const folder = join(root, "closing");
    const own = await Index.create(folder, { model });
    await own.add([{ id: "a", text: "cat" }]);
    const one = own.reranker();
    expect(one).toMatchObject({ name: "late", model });
    await one.close();
    await expect(one.rerank("cat", [{ id: "a" }])).rejects.toMatchObject({ code: "CLOSED" });
    const two = own.reranker();
    expect(await two.rerank("cat", [{ id: "a" }])).toHaveLength(1);
    await own.close();
    await expect(two.rerank("cat", [{ id: "a" }])).rejects.toMatchObject({ code: "CLOSED" });
    expect(() => own.reranker()).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });

  it("without vectors come last, and without a model cannot be asked for in words", async () => {
    const empty = await Index.create(join(root, "empty"), { model });
    expect(await empty.reranker().rerank("cat", ["dog", "cat"])).toHaveLength(2);
    await empty.close();
    const corpus = new SyntheticCorpus({ passages: 4, tokens: 8, dim: 16, vocabulary: 20 });
    const vectors = await Index.create(join(root, "vectors"), { model: null, dim: 16 });
    await vectors.addEmbeddings(
      corpus.passages.map((passage, i) => ({ id: `p${i}`, vectors: passage.vectors })),
    );
    const asked = vectors.reranker();
    expect(asked.model).toBe("");
    await expect(asked.rerank("cat", [{ id: "p1" }])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/without a model/),
    });
    await vectors.close();
  });
});

describeReranker("the reranker of an index, of texts", async () => index.reranker());
describeReranker("the reranker of an index, of its documents", async () => index.reranker(), {
  prepare: async (texts) => {
    const documents = texts.map((text, i) => ({ id: `conformance ${i}`, text }));
    await index.add(documents);
    return documents.map(({ id }) => ({ id }));
  },
});
