import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { llmReranker } from "../../../src/rerank/llm/index.js";
import type { LlmOptions } from "../../../src/rerank/llm/options.js";
import type { ScoreCache } from "../../../src/rerank/score-cache.js";
import { chatServer, completion, judge } from "../../support/chat-server.js";
import { describeReranker, expectPermutation } from "../../support/reranker-conformance.js";

const server = await chatServer();
afterAll(() => server[Symbol.asyncDispose]());

function open(options: Partial<LlmOptions> = {}) {
  return llmReranker({ model: "words", baseUrl: server.url, retries: 0, ...options });
}

const QUICK = { documents: 8 };

describeReranker("a listwise model", async () => open());
describeReranker(
  "a listwise model with small windows and passes",
  async () => open({ windowSize: 6, passes: 2, rounds: 2, maxRise: 3, seed: 7 }),
  QUICK,
);
describeReranker("a pairwise model, each with each", async () => open({ method: "pairwise" }), QUICK);
describeReranker(
  "a pairwise model, the top",
  async () => open({ method: "pairwise", allPairs: 0, top: 2 }),
  QUICK,
);
describeReranker("a pointwise model", async () => open({ method: "pointwise" }), QUICK);

/** Documents named by their hidden relevance, and a judge that knows it. */
function hidden(relevances: readonly number[]): string[] {
  return relevances.map((relevance) => `document of relevance ${relevance} in secret`);
}

function relevanceOf(_: string, text: string): number {
  return Number(/relevance (\d+)/.exec(text)![1]);
}

/** A permutation of 0 to n - 1. */
const permutation = fc.integer({ min: 1, max: 45 }).chain((n) =>
  fc.shuffledSubarray(
    Array.from({ length: n }, (_, i) => i),
    { minLength: n, maxLength: n },
  ),
);

/** The window process with a perfect model, written down plainly. */
function windowProcess(relevances: readonly number[], size: number, step: number): number[] {
  const list = [...relevances];
  let start = Math.max(0, list.length - size);
  for (;;) {
    const window = list.slice(start, start + size).sort((a, b) => b - a);
    list.splice(start, window.length, ...window);
    if (start === 0) return list;
    start = Math.max(0, start - step);
  }
}

describe("listwise", () => {
  it("is the window process, for any list, window and step", async () => {
    await using oracle = await chatServer(judge(relevanceOf));
    const windows = fc
      .integer({ min: 2, max: 20 })
      .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 1, max: size - 1 })));
    await fc.assert(
      fc.asyncProperty(permutation, windows, async (relevances, [windowSize, step]) => {
        await using reranker = llmReranker({ model: "oracle", baseUrl: oracle.url, windowSize, step });
        const documents = hidden(relevances);
        const results = await reranker.rerank("which is best", documents);
        const found = results.map(({ index }) => relevances[index]!);
        expect(found).toEqual(windowProcess(relevances, windowSize, step));
        const best = [...relevances].sort((a, b) => b - a);
        const sure = windowSize >= relevances.length ? relevances.length : windowSize - step;
        expect(found.slice(0, sure)).toEqual(best.slice(0, sure));
      }),
      { numRuns: 40 },
    );
  });

  it("goes over 100 documents in 9 windows of 20, from the back to the front", async () => {
    await using oracle = await chatServer(judge(relevanceOf));
    const relevances = Array.from({ length: 100 }, (_, i) => i);
    await using reranker = llmReranker({ model: "oracle", baseUrl: oracle.url });
    const [outcome] = await reranker.rerankBatch([{ query: "q", documents: hidden(relevances) }]);
    expect(outcome!.results.slice(0, 10).map(({ index }) => index)).toEqual(relevances.slice(90).reverse());
    expect(oracle.requests).toHaveLength(9);
    expect(outcome!.usage).toMatchObject({ requests: 9, inputTokens: 900, outputTokens: 90, scored: 100 });
    expect(oracle.requests[0]!.prompt.passages.map(({ text }) => relevanceOf("", text))).toEqual(
      relevances.slice(80),
    );
    for (const { prompt } of oracle.requests) expect(prompt.passages).toHaveLength(20);
  });

  it("repeats rounds until nothing moves", async () => {
    await using oracle = await chatServer(judge(relevanceOf));
    await using reranker = llmReranker({
      model: "oracle",
      baseUrl: oracle.url,
      windowSize: 4,
      step: 2,
      rounds: 10,
    });
    const relevances = [0, 3, 1, 2, 7, 4, 9, 5, 6, 8];
    const results = await reranker.rerank("q", hidden(relevances));
    expect(results.map(({ index }) => relevances[index])).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(oracle.requests.length).toBeLessThan(40);
  });

  it("evens out a liking for places by shuffled passes", async () => {
    // Half by relevance, half by place: one pass in order follows the places.
    await using biased = await chatServer(({ prompt: { passages } }) => {
      const judged = passages.map(({ id, text }, place) => ({
        id,
        value: relevanceOf("", text) - 2 * place,
      }));
      return judged
        .sort((a, b) => b.value - a.value)
        .map(({ id }) => id)
        .join(" > ");
    });
    const relevances = Array.from({ length: 10 }, (_, i) => i);
    const inversions = async (passes: number): Promise<number> => {
      await using reranker = llmReranker({ model: "m", baseUrl: biased.url, passes, seed: 1 });
      const places = (await reranker.rerank("q", hidden(relevances))).map(({ index }) => relevances[index]!);
      return places.flatMap((a, i) => places.slice(i + 1).filter((b) => b > a)).length;
    };
    expect(await inversions(1)).toBe(45);
    expect(await inversions(15)).toBeLessThan(15);
  });

  it("lets no document rise further than it may", async () => {
    await using oracle = await chatServer(judge(relevanceOf));
    await using reranker = llmReranker({ model: "m", baseUrl: oracle.url, maxRise: 2 });
    const results = await reranker.rerank("q", hidden([0, 1, 2, 3, 4, 9]));
    expect(results.map(({ index }) => index)).toEqual([2, 3, 4, 5, 1, 0]);
  });
});

describe("pairwise", () => {
  it("finds the top in order, for any list", async () => {
    await using oracle = await chatServer(judge(relevanceOf));
    await fc.assert(
      fc.asyncProperty(
        permutation.filter(({ length }) => length <= 16),
        fc.integer({ min: 1, max: 4 }),
        async (relevances, top) => {
          await using reranker = llmReranker({
            model: "m",
            baseUrl: oracle.url,
            method: "pairwise",
            allPairs: 0,
            top,
          });
          const before = oracle.requests.length;
          const results = await reranker.rerank("q", hidden(relevances));
          const best = [...relevances].sort((a, b) => b - a);
          expect(results.slice(0, top).map(({ index }) => relevances[index])).toEqual(best.slice(0, top));
          expect(oracle.requests.length - before).toBeLessThanOrEqual(2 * top * (relevances.length - 1));
        },
      ),
      { numRuns: 15 },
    );
  });

  it("asks a good first stage little more than once", async () => {
    await using oracle = await chatServer(judge(relevanceOf));
    await using reranker = llmReranker({ model: "m", baseUrl: oracle.url, method: "pairwise" });
    await reranker.rerank("q", hidden([19, 18, 17, 16, 15, 14, 13, 12, 11, 10]));
    expect(oracle.requests).toHaveLength(18);
  });

  it("takes no side where the answers follow the place", async () => {
    await using first = await chatServer(({ prompt }) => prompt.passages[0]!.id);
    for (const allPairs of [0, 8]) {
      await using reranker = llmReranker({ model: "m", baseUrl: first.url, method: "pairwise", allPairs });
      const results = await reranker.rerank("q", hidden([1, 3, 2, 5]));
      expect(results.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    }
  });
});

describe("pointwise", () => {
  it("gives grades, ties in the order of the first stage", async () => {
    await using oracle = await chatServer(judge(relevanceOf));
    await using reranker = llmReranker({ model: "m", baseUrl: oracle.url, method: "pointwise" });
    const results = await reranker.rerank("q", hidden([1, 3, 1, 0, 3]));
    expect(results.map(({ index, score }) => [index, score])).toEqual([
      [1, 3],
      [4, 3],
      [0, 1],
      [2, 1],
      [3, 0],
    ]);
  });

  it("takes the mean of the grades by their probabilities where the server has them", async () => {
    await using unsure = await chatServer(({ prompt }) => {
      const sure = prompt.passages[0]!.text.includes("relevance 1");
      const top = [
        { token: "2", logprob: Math.log(0.6) },
        { token: "3", logprob: Math.log(sure ? 0.4 : 0.1) },
        { token: "0", logprob: Math.log(sure ? 1e-9 : 0.3) },
      ];
      return {
        body: completion("2", { logprobs: { content: [{ token: "2", logprob: -0.5, top_logprobs: top }] } }),
      };
    });
    await using reranker = llmReranker({ model: "m", baseUrl: unsure.url, method: "pointwise" });
    const results = await reranker.rerank("q", hidden([0, 1]));
    expect(results.map(({ index }) => index)).toEqual([1, 0]);
    expect(results[0]!.score).toBeCloseTo(2.4, 6);
    expect(results[1]!.score).toBeCloseTo(1.5, 6);
    expect(unsure.requests[0]!.body).toMatchObject({ logprobs: true, top_logprobs: 10 });
    await using plain = llmReranker({
      model: "m",
      baseUrl: unsure.url,
      method: "pointwise",
      logprobs: false,
    });
    await plain.rerank("q", hidden([0]));
    expect(unsure.requests.at(-1)!.body).not.toHaveProperty("logprobs");
  });

  it("asks without probabilities where the server refuses them, and does not try again", async () => {
    await using strict = await chatServer((request) => {
      if ("logprobs" in request.body) return { status: 400, body: { error: { message: "logprobs?" } } };
      return judge(relevanceOf)(request);
    });
    await using reranker = llmReranker({
      model: "m",
      baseUrl: strict.url,
      method: "pointwise",
      concurrency: 1,
    });
    const [outcome] = await reranker.rerankBatch([{ query: "q", documents: hidden([1, 3, 2]) }]);
    expect(outcome).toMatchObject({ reranked: true, warnings: [], usage: { requests: 4 } });
    expect(outcome!.results.map(({ index }) => index)).toEqual([1, 2, 0]);
  });

  it("asks without probabilities also where nothing is tried again", async () => {
    await using strict = await chatServer((request) => {
      if ("logprobs" in request.body) return { status: 400, body: { error: { message: "logprobs?" } } };
      return judge(relevanceOf)(request);
    });
    await using reranker = llmReranker({
      model: "m",
      baseUrl: strict.url,
      method: "pointwise",
      concurrency: 1,
      retries: 0,
    });
    const [outcome] = await reranker.rerankBatch([{ query: "q", documents: hidden([1, 3]) }]);
    expect(outcome).toMatchObject({ reranked: true, warnings: [], usage: { requests: 3 } });
    strict.reply = () => ({ status: 500, body: "" });
    const [failed] = await reranker.rerankBatch([{ query: "q", documents: hidden([1]) }]);
    expect(failed).toMatchObject({ reranked: false, usage: { requests: 1 } });
  });

  it("keeps grades, also of documents that were cut", async () => {
    const values = new Map<string, Float64Array>();
    const cache: ScoreCache = {
      lookUp: async (keys) => keys.map((key) => values.get(key)),
      store: async (entries) => {
        for (const { key, values: own } of entries) values.set(key, own);
      },
    };
    await using oracle = await chatServer(judge(relevanceOf));
    await using reranker = llmReranker({ model: "m", baseUrl: oracle.url, method: "pointwise", cache });
    const documents = [...hidden([1, 2]), `${hidden([3])[0]} ${"and so on ".repeat(500)}`];
    const [first] = await reranker.rerankBatch([{ query: "q", documents }]);
    expect(first!.warnings).toEqual(["1 of 3 documents were cut at about 400 tokens"]);
    const [second] = await reranker.rerankBatch([{ query: "q", documents: documents.toReversed() }]);
    expect(second!.usage).toMatchObject({ requests: 0, scored: 0, cached: 3 });
    expectPermutation(second!, documents.toReversed());
  });
});
