import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Encoder } from "../../../src/engine/encoder.js";
import { type LateOptions, lateReranker } from "../../../src/rerank/late.js";
import type { ScoreCache } from "../../../src/rerank/score-cache.js";
import type { Reranker } from "../../../src/rerank/types.js";
import { describeReranker } from "../../support/reranker-conformance.js";
import { tempFolder } from "../../support/temp-folder.js";
import { writeTinyModel } from "../../support/tiny-model.js";

const root = tempFolder();
const model = join(root, "tiny");
const DOCUMENT_LENGTH = 32;

beforeAll(async () => {
  await mkdir(model);
  const lengths = { query_length: 16, document_length: DOCUMENT_LENGTH, embedding_dim: 16 };
  await writeTinyModel(model, {
    "onnx_config.json": { ...lengths, do_query_expansion: false, skiplist_words: ["."] },
  });
});

const open = (options: LateOptions = {}): Promise<Reranker> =>
  lateReranker({ model, threads: 2, ...options });

describeReranker("late interaction", open);

describe("late interaction", () => {
  let reranker: Reranker;
  beforeAll(async () => {
    reranker = await open();
  });
  afterAll(() => reranker.close());

  const WORDS = ["cat", "dog", "mat", "search", "index", "token", "fast", "run"];
  const TEXTS = Array.from({ length: 40 }, (_, i) =>
    Array.from({ length: 1 + (i % 9) }, (_, j) => WORDS[(i * 5 + j * 3) % 8]).join(" "),
  );
  const scoresOf = async (
    query: string,
    documents: readonly string[],
    options = {},
  ): Promise<readonly number[]> => {
    const [outcome] = await reranker.rerankBatch([{ query, documents }], options);
    const scores = new Array<number>(documents.length);
    for (const { index, score } of outcome!.results) scores[index] = score;
    return scores;
  };

  it("scores float32 MaxSim", async () => {
    await using encoder = await Encoder.load(model);
    const [query] = await encoder.encodeQueries(["fast search"]);
    const documents = await encoder.encodeDocuments(TEXTS);
    const row = (vectors: Float32Array, i: number): Float32Array => vectors.subarray(16 * i, 16 * (i + 1));
    const expected = documents.map(({ vectors, count }) => {
      let sum = 0;
      for (let q = 0; q < query!.count; q++) {
        const dots = Array.from({ length: count }, (_, t) =>
          row(query!.vectors, q).reduce((dot, x, d) => dot + x * row(vectors, t)[d]!, 0),
        );
        sum += Math.max(...dots);
      }
      return sum;
    });
    const scores = await scoresOf("fast search", TEXTS);
    scores.forEach((score, i) => {
      expect(score).toBeCloseTo(expected[i]!, 5);
    });
  });

  it("gives a text the same score, bit for bit, in whatever company", async () => {
    const alone = await Promise.all(TEXTS.slice(0, 6).map((text) => scoresOf("cat", [text])));
    const together = [...(await scoresOf("cat", [...TEXTS].reverse()))].reverse();
    expect(alone.map(([score]) => score)).toEqual(together.slice(0, 6));
    const many = Array.from({ length: 400 }, (_, i) => `${TEXTS[i % 40]} ${i}`);
    const requests = ["cat", "dog", "cat"].map((query) => ({ query, documents: [...many, ...TEXTS] }));
    const outcomes = await reranker.rerankBatch(requests);
    for (const at of [0, 2]) {
      const first = outcomes[at]!.results.filter(({ index }) => index >= 400);
      for (const { index, score } of first) expect(score).toBe(together[index - 400]);
    }
  });

  it("takes the best part of a text that the model cannot read whole", async () => {
    const filler = "dog mat ".repeat(40);
    const [long, best, whole] = await scoresOf("search token", [
      `${filler}\n\nsearch token index.\n\n${filler}`,
      "search token index.",
      filler,
    ]);
    expect(long).toBeGreaterThan(whole!);
    expect(long).toBeGreaterThanOrEqual(best!);
  });

  it("scores nothing behind maxTokensPerDocument, and says so", async () => {
    const text = `${"dog ".repeat(50)}search token`;
    const documents = [text, "cat", "dog ".repeat(50)];
    const [cut, , same] = await scoresOf("search token", documents, { maxTokensPerDocument: 40 });
    expect(cut).toBe(same);
    const [outcome] = await reranker.rerankBatch([{ query: "search token", documents }], {
      maxTokensPerDocument: 40,
    });
    expect(outcome!.warnings).toEqual([
      "2 of 3 documents are longer than 40 tokens; only their beginnings were scored",
    ]);
    expect((await reranker.rerankBatch([{ query: "search", documents }]))[0]!.warnings).toEqual([]);
  });

  it("keeps scores where there is a cache, also of texts that were cut", async () => {
    const values = new Map<string, Float64Array>();
    const cache: ScoreCache = {
      lookUp: async (keys) => keys.map((key) => values.get(key)),
      store: async (entries) => {
        for (const entry of entries) values.set(entry.key, entry.values);
      },
    };
    await using cached = await open({ cache });
    const requests = [{ query: "cat", documents: ["cat dog", "mat ".repeat(20)] }];
    const options = { maxTokensPerDocument: 10 };
    const [first] = await cached.rerankBatch(requests, options);
    const [second] = await cached.rerankBatch(requests, options);
    expect(second!.results).toEqual(first!.results);
    expect([first!.usage.scored, second!.usage.scored, second!.usage.cached]).toEqual([2, 0, 2]);
    expect([first!.warnings.length, second!.warnings.length]).toEqual([1, 0]);
  });

  it("has the model's name, and a fingerprint of its own for each model", async () => {
    expect(reranker.name).toBe("late");
    expect(reranker.model).toBe("tiny");
    const other = join(root, "other");
    await mkdir(other);
    await writeTinyModel(other, {
      "onnx_config.json": { query_length: 16, document_length: 24, embedding_dim: 16 },
    });
    await using second = await open({ model: other });
    expect(await second.fingerprint()).not.toBe(await reranker.fingerprint());
    await using third = await open();
    expect(await third.fingerprint()).toBe(await reranker.fingerprint());
  });

  it("ends what is under way when it is closed or aborted", async () => {
    const documents = Array.from({ length: 600 }, (_, i) => `${"cat dog ".repeat(100)}${i}`);
    const controller = new AbortController();
    const aborted = reranker.rerank("cat", documents, { signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    const closing = await open();
    const running = closing.rerank("cat", documents);
    await Promise.all([expect(running).rejects.toMatchObject({ code: "CLOSED" }), closing.close()]);
  });

  it("names a model that is not there, and wrong options", async () => {
    await expect(open({ model: join(root, "nothing") })).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    await expect(open({ threads: 0 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(open({ model: 7 as unknown as string })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});
