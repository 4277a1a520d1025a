import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { MaxsimError } from "../../../src/common/errors.js";
import type { ScoreCache } from "../../../src/rerank/score-cache.js";
import type { DocumentScores, ScoreRequest, Scorer } from "../../../src/rerank/scorer.js";
import { ScoringReranker } from "../../../src/rerank/scoring-reranker.js";
import { describeReranker } from "../../support/reranker-conformance.js";

/** Words that query and document share. */
function overlap({ query, documents }: ScoreRequest): DocumentScores {
  const words = new Set(query.split(/\W+/));
  return { scores: documents.map(({ text }) => text.split(/\W+/).filter((word) => words.has(word)).length) };
}

class WordScorer implements Scorer {
  readonly name = "words";
  readonly model = "";
  readonly defaultMaxTokens = 100;
  calls: ScoreRequest[] = [];
  failure: MaxsimError | undefined;

  constructor(
    readonly dependsOn: Scorer["dependsOn"] = "document",
    readonly batches: Scorer["batches"] = "all",
  ) {}

  async fingerprint(): Promise<string> {
    return "words 1";
  }

  async score(requests: readonly ScoreRequest[]): Promise<DocumentScores[]> {
    if (this.failure !== undefined) throw this.failure;
    this.calls.push(...requests);
    return requests.map(overlap);
  }

  async close(): Promise<void> {}
}

class MapCache implements ScoreCache {
  readonly values = new Map<string, Float64Array>();

  async lookUp(keys: readonly string[]): Promise<Array<Float64Array | undefined>> {
    return keys.map((key) => this.values.get(key));
  }

  async store(entries: ReadonlyArray<{ key: string; values: Float64Array }>): Promise<void> {
    for (const { key, values } of entries) this.values.set(key, values);
  }
}

describeReranker("a scorer of single documents", async () => new ScoringReranker(new WordScorer()));
describeReranker("a scorer of lists", async () => new ScoringReranker(new WordScorer("list", "one")));
describeReranker("a scorer with a cache", async () => {
  return new ScoringReranker(new WordScorer(), { cache: new MapCache() });
});

describe("cached scores", () => {
  it("are not computed again for the same query, text and settings", async () => {
    const scorer = new WordScorer();
    const reranker = new ScoringReranker(scorer, { cache: new MapCache() });
    await reranker.rerankBatch([{ query: "a b", documents: ["a", "b c", ""] }]);
    const [outcome] = await reranker.rerankBatch([
      { query: "a b", documents: [{ text: "b c" }, "a b", "a"] },
    ]);
    expect(scorer.calls[1]!.documents.map(({ text }) => text)).toEqual(["a b"]);
    expect(outcome!.usage).toMatchObject({ scored: 1, cached: 2 });
    expect(outcome!.results.map(({ index, score }) => [index, score])).toEqual([
      [1, 2],
      [0, 1],
      [2, 1],
    ]);
    await reranker.rerank("a b", ["a"], { maxTokensPerDocument: 7 });
    await reranker.rerank("a", ["a"]);
    expect(scorer.calls).toHaveLength(4);
  });

  it("of lists hold for the whole list in its order", async () => {
    const scorer = new WordScorer("list", "one");
    const reranker = new ScoringReranker(scorer, { cache: new MapCache() });
    await reranker.rerank("a b", ["a", "b c"]);
    expect((await reranker.rerankBatch([{ query: "a b", documents: ["a", "b c"] }]))[0]!.usage.cached).toBe(
      2,
    );
    expect(scorer.calls).toHaveLength(1);
    await reranker.rerank("a b", ["b c", "a"]);
    expect(scorer.calls).toHaveLength(2);
  });
});

describe("failures", () => {
  it("are thrown, or leave the order of the first stage", async () => {
    const scorer = new WordScorer("document", "one");
    scorer.failure = new MaxsimError("SERVICE", "the service is on fire");
    await expect(new ScoringReranker(scorer).rerank("a", ["b", "a"])).rejects.toMatchObject({
      code: "SERVICE",
    });
    const lenient = new ScoringReranker(scorer, { onFailure: "first-stage" });
    const [outcome] = await lenient.rerankBatch([{ query: "a", documents: ["b", "", "a"] }]);
    expect(outcome).toMatchObject({
      reranked: false,
      warnings: [expect.stringMatching(/the service is on fire/)],
    });
    expect(outcome!.results.map(({ index }) => index)).toEqual([0, 2, 1]);
    scorer.failure = new MaxsimError("INVALID_ARGUMENT", "a wrong option");
    await expect(lenient.rerank("a", ["b"])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("end a batch: nothing is asked any more that nobody will see", async () => {
    const scorer = new WordScorer("document", "one");
    const asked: string[] = [];
    scorer.score = async (requests) => {
      asked.push(requests[0]!.query);
      await nextTurn();
      if (requests[0]!.query === "q0") throw new MaxsimError("SERVICE", "the service is on fire");
      return requests.map(overlap);
    };
    const reranker = new ScoringReranker(scorer, { concurrency: 2 });
    const requests = Array.from({ length: 20 }, (_, i) => ({ query: `q${i}`, documents: ["a"] }));
    await expect(reranker.rerankBatch(requests)).rejects.toMatchObject({ code: "SERVICE" });
    for (let turn = 0; turn < 30; turn++) await nextTurn();
    expect(asked).toEqual(["q0", "q1"]);
  });

  it("of a scorer that forgets a document are bugs", async () => {
    const scorer = new WordScorer();
    scorer.score = async () => [{ scores: [Number.NaN] }];
    await expect(new ScoringReranker(scorer).rerank("a", ["a"])).rejects.toMatchObject({ code: "INTERNAL" });
  });
});

describe("fields that are no texts", () => {
  const reranker = new ScoringReranker(new WordScorer());

  it("are read as JSON, or as nothing where there is none", async () => {
    const documents = [{ text: { a: ["b"] } }, { text: { toJSON: () => undefined } }, { text: 7 }];
    expect((await reranker.rerank("b", documents)).map(({ score }) => score)).toEqual([1, 0, 0]);
  });

  it("are refused by name where they cannot be written", async () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (const text of [circular, { big: 1n }]) {
      await expect(reranker.rerank("b", ["a", { id: "x", text }])).rejects.toMatchObject({
        code: "INVALID_DOCUMENT",
        message: expect.stringMatching(/^text of documents\[1\] \("x"\) cannot be written as JSON: \S/),
      });
    }
  });
});
