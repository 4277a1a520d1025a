/** Searches whose best documents are put into a better order by a reranker, or by the index's own vectors. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ErrorCode, MaxsimError } from "../../src/common/errors.js";
import { Index } from "../../src/engine/index.js";
import type { SearchOptions, SearchRerankOptions, SearchResult } from "../../src/engine/options.js";
import type { DocumentScores, ScoreRequest, Scorer } from "../../src/rerank/scorer.js";
import { ScoringReranker } from "../../src/rerank/scoring-reranker.js";
import type { Reranker, RerankOutcome } from "../../src/rerank/types.js";
import { tempFolder } from "../support/temp-folder.js";

const DOCUMENTS = [
  { id: "tea", title: "Tea", text: "Tea leaves are steeped in hot water.", metadata: { shelf: 4 } },
  { id: "bread", title: "Bread", text: "Bread is baked from flour, water and salt.", metadata: { shelf: 1 } },
  { id: "dough", text: "Sour dough rests for a day; water makes it soft.", metadata: { shelf: 2 } },
  {
    id: "flood",
    title: "High water",
    text: `${"The harbour was closed for a week. ".repeat(40)}\n\nWhen the water came, the mill that ground flour for the bread of the town was lost.`,
    metadata: { shelf: 3 },
  },
  { id: "sea", text: "Sea water is salt.", metadata: { shelf: 5 } },
  { id: "fire", text: "A fire needs air and wood.", metadata: { shelf: 6 } },
];
const QUERY = "how is bread made from flour and water";

/** Scores by the length of what it reads, and remembers it. */
class LengthScorer implements Scorer {
  readonly name = "length";
  readonly model = "v1";
  readonly dependsOn = "document";
  readonly batches = "all";
  readonly defaultMaxTokens = 100;
  readonly calls: (readonly ScoreRequest[])[] = [];
  failure: ErrorCode | undefined;

  async fingerprint(): Promise<string> {
    return "length";
  }

  async score(requests: readonly ScoreRequest[]): Promise<DocumentScores[]> {
    this.calls.push(requests);
    if (this.failure !== undefined) throw new MaxsimError(this.failure, "it went wrong");
    return requests.map(({ documents }) => ({
      scores: documents.map(({ text }) => -text.length),
      usage: { requests: 1 },
    }));
  }

  async close(): Promise<void> {}
}

const folder = tempFolder();
let index: Index;
let scorer: LengthScorer;
let reranker: Reranker;

beforeAll(async () => {
  index = await Index.create(`${folder}/index`);
  await index.add(DOCUMENTS);
});
afterAll(async () => {
  await index.close();
});

const idsOf = ({ hits }: SearchResult): string[] => hits.map(({ id }) => id);
const byLength = (options: Partial<SearchRerankOptions> = {}): SearchOptions => {
  scorer = new LengthScorer();
  reranker = new ScoringReranker(scorer);
  return { rerank: { with: reranker, ...options } };
};

describe('rerank with "late"', () => {
  it("gives documents that words found the scores of an exhaustive search", async () => {
    const exhaustive = await index.search(QUERY, { effort: "exact", k: 10 });
    const words = await index.search(QUERY, { mode: "lexical", k: 10 });
    const result = await index.search(QUERY, { mode: "lexical", k: 10, rerank: { with: "late" } });
    const found = new Set(idsOf(words));
    expect(found.size).toBeGreaterThan(3);
    expect(idsOf(result)).toEqual(idsOf(exhaustive).filter((id) => found.has(id)));
    for (const hit of result.hits) {
      const same = exhaustive.hits.find(({ id }) => id === hit.id)!;
      expect(hit.score).toBe(same.score);
      expect(hit).toMatchObject({ text: same.text, passage: same.passage, snippet: same.snippet });
      const before = words.hits.find(({ id }) => id === hit.id)!;
      expect(hit.firstStage).toEqual({ rank: before.rank, score: before.score });
    }
    expect(result.hits.map(({ rank }) => rank)).toEqual(result.hits.map((_, i) => i + 1));
    expect(result.reranking).toMatchObject({ name: "late", reranked: true, documents: words.hits.length });
  });

  it("explains hits by the vectors that were compared", async () => {
    const result = await index.search(QUERY, { mode: "lexical", explain: true, rerank: { with: "late" } });
    for (const { matches, score } of result.hits) {
      expect(matches!.choices.reduce((sum, { similarity }) => sum + similarity, 0)).toBeCloseTo(score, 3);
    }
    expect(result.explanation).toMatchObject({
      plan: "words",
      parameters: { rerank: "late", rerankDepth: 100 },
    });
    expect(result.explanation!.stages.map(({ stage }) => stage)).toEqual([
      "encode",
      "words",
      "rerank",
      "hydrate",
    ]);
    expect(result.notes).toBeUndefined();
  });

  it("leaves what is behind the depth where it was", async () => {
    const words = await index.search(QUERY, { mode: "lexical", k: 10 });
    const result = await index.search(QUERY, { mode: "lexical", k: 10, rerank: { with: "late", depth: 2 } });
    expect(new Set(idsOf(result).slice(0, 2))).toEqual(new Set(idsOf(words).slice(0, 2)));
    expect(idsOf(result).slice(2)).toEqual(idsOf(words).slice(2));
    for (const [i, hit] of result.hits.entries()) {
      if (i < 2) expect(hit.firstStage).toBeDefined();
      else expect(hit).toEqual({ ...words.hits[i], snippet: hit.snippet });
    }
  });

  it("takes token vectors of the caller, filters and fused rankings", async () => {
    const own = await Index.create(`${folder}/own`, { model: null, dim: 8 });
    try {
      const axis = (i: number): number[] => Array.from({ length: 8 }, (_, d) => (d === i ? 1 : 0));
      await own.addEmbeddings([
        { id: "a", text: "salt and water", vectors: [axis(0), axis(1)] },
        { id: "b", text: "salt", vectors: [axis(2)] },
      ]);
      const { hits } = await own.searchEmbeddings([axis(2)], { rerank: { with: "late" } });
      expect(hits.map(({ id }) => id)).toEqual(["b", "a"]);
      await expect(own.searchEmbeddings([axis(2)], byLength())).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringMatching(/no text for rerank\.with/),
      });
    } finally {
      await own.close();
    }
    const result = await index.search(QUERY, {
      mode: "hybrid",
      filter: "shelf < 4",
      rerank: { with: "late" },
    });
    const plain = await index.search(QUERY, { effort: "exact", filter: "shelf < 4" });
    expect(idsOf(result)).toEqual(idsOf(plain));
    for (const { score, scores } of result.hits) expect(scores!.late).toBeCloseTo(score, 5);
  });
});

describe("rerank with a reranker", () => {
  it("orders by title and text of the best passage", async () => {
    const result = await index.search(QUERY, { k: 3, ...byLength() });
    const [request] = scorer.calls[0]!;
    expect(request!.query).toBe(QUERY);
    expect(request!.documents).toHaveLength(DOCUMENTS.length);
    const texts = request!.documents.map(({ text }) => text);
    expect(texts).toContain("Bread\nBread is baked from flour, water and salt.");
    expect(idsOf(result)).toEqual(["sea", "fire", "tea"]);
    expect(result.hits[0]).toMatchObject({ rank: 1, score: -"Sea water is salt.".length });
    expect(result.reranking).toMatchObject({
      ...{ name: "length", model: "v1", documents: 6, reranked: true },
      usage: { scored: 6, requests: 1 },
    });
    const late = await index.search(QUERY, { k: 10 });
    for (const { id, firstStage, text } of result.hits) {
      const before = late.hits.find((hit) => hit.id === id)!;
      expect(firstStage).toEqual({ rank: before.rank, score: before.score });
      expect(text).toBe(before.text);
    }
  });

  it("reads the fields that are named, metadata as well", async () => {
    await index.search(QUERY, byLength({ fields: ["shelf", "title"] }));
    const texts = scorer.calls[0]![0]!.documents.map(({ text }) => text);
    expect([...texts].sort()).toEqual(["1\nBread", "2", "3\nHigh water", "4\nTea", "5", "6"]);
    await expect(index.search(QUERY, byLength({ fields: [] }))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  it("puts what is behind the depth after it", async () => {
    const late = await index.search(QUERY, { k: 6 });
    const result = await index.search(QUERY, { k: 6, ...byLength({ depth: 3 }) });
    expect(scorer.calls[0]![0]!.documents).toHaveLength(3);
    expect(new Set(idsOf(result).slice(0, 3))).toEqual(new Set(idsOf(late).slice(0, 3)));
    expect(result.hits.slice(3)).toEqual(late.hits.slice(3));
  });

  it("answers a batch as single questions, in one call", async () => {
    const queries = [QUERY, "salt in the sea", "wood for a fire -tea"];
    const options = byLength();
    const batch = await index.searchBatch(queries, options);
    expect(scorer.calls).toHaveLength(1);
    for (const [i, query] of queries.entries()) {
      const alone = await index.search(query, options);
      expect(batch[i]!.hits).toEqual(alone.hits);
    }
    expect(scorer.calls.at(-1)![0]!.query).not.toContain("tea");
  });

  it("keeps the order of the first stage when a service fails, unless it must not", async () => {
    const late = await index.search(QUERY, { k: 6 });
    for (const code of ["TIMEOUT", "NETWORK", "UNAUTHORIZED", "BUDGET_EXCEEDED"] as const) {
      const options = byLength();
      scorer.failure = code;
      const result = await index.search(QUERY, { k: 6, ...options });
      expect(result.hits).toEqual(late.hits);
      expect(result.reranking).toMatchObject({ reranked: false });
      expect(result.notes).toEqual([
        expect.stringMatching(/length: the order is that of the first stage.*it went wrong/),
      ]);
    }
    for (const [code, options] of [
      ["TIMEOUT", byLength({ onFailure: "error" })],
      ["CORRUPT", byLength()],
      ["ABORTED", byLength()],
    ] as const) {
      const failing = options.rerank!.with;
      const own = new LengthScorer();
      own.failure = code;
      expect(failing).not.toBe("late");
      const wrapped = { ...options.rerank!, with: new ScoringReranker(own) };
      await expect(index.search(QUERY, { rerank: wrapped })).rejects.toMatchObject({ code });
    }
  });

  it("passes on what the reranker's own policy says", async () => {
    const own = new LengthScorer();
    own.failure = "SERVICE";
    const lenient = new ScoringReranker(own, { onFailure: "first-stage" });
    const result = await index.search(QUERY, { rerank: { with: lenient, onFailure: "error" } });
    expect(result.reranking!.reranked).toBe(false);
    expect(result.notes).toHaveLength(1);
    expect(result.hits[0]!.firstStage).toBeUndefined();
  });

  it("shows the stage, and stops when it is told to", async () => {
    const { explanation } = await index.search(QUERY, { explain: "stages", ...byLength({ depth: 4 }) });
    expect(explanation!.stages.find(({ stage }) => stage === "rerank")).toMatchObject({
      ...{ what: "documents", seen: 6, kept: 4 },
    });
    expect(explanation!.parameters).toMatchObject({ rerank: "length v1", rerankDepth: 4 });
    const signal = AbortSignal.abort();
    await expect(index.search(QUERY, { signal, ...byLength() })).rejects.toMatchObject({ code: "ABORTED" });
  });

  it.each<[string, (outcomes: RerankOutcome[]) => unknown, RegExp]>([
    ["no outcome", () => [], /one outcome for each of 1 queries, found an array of 0/],
    ["no results", ([first]) => [{ ...first, results: undefined }], /an array of results, found undefined/],
    [
      "scores that are none",
      ([first]) => [{ ...first, results: first!.results.map((one) => ({ ...one, score: Number.NaN })) }],
      /finite scores, found NaN/,
    ],
  ])("refuses one that gives %s", async (_, spoil, message) => {
    const options = byLength();
    const inner = reranker;
    const spoilt: Reranker = Object.assign(Object.create(inner), {
      rerankBatch: async (...args: Parameters<Reranker["rerankBatch"]>) =>
        spoil(await inner.rerankBatch(...args)),
    });
    await expect(index.search(QUERY, { rerank: { ...options.rerank!, with: spoilt } })).rejects.toMatchObject(
      { code: "INVALID_ARGUMENT", message: expect.stringMatching(message) },
    );
  });

  it("refuses one that loses documents", async () => {
    const options = byLength();
    const inner = reranker;
    const losing: Reranker = Object.assign(Object.create(inner), {
      rerankBatch: async (...args: Parameters<Reranker["rerankBatch"]>) => {
        const outcomes = await inner.rerankBatch(...args);
        return outcomes.map((outcome) => ({ ...outcome, results: outcome.results.slice(1) }));
      },
    });
    await expect(index.search(QUERY, { rerank: { ...options.rerank!, with: losing } })).rejects.toMatchObject(
      { code: "INVALID_ARGUMENT", message: expect.stringMatching(/each of 6 documents once, found 5/) },
    );
  });

  it.each([
    [{ with: "cohere" }, /rerank\.with must be "late" or a reranker, found "cohere"/],
    [{}, /rerank\.with must be/],
    [{ with: "late", depth: 0 }, /rerank\.depth must be an integer from 1 to 10000, found 0/],
    [{ with: "late", onFailure: "ignore" }, /rerank\.onFailure must be one of/],
    ["late", /rerank must be an object/],
  ])("refuses %j", async (rerank, message) => {
    const options = { rerank } as unknown as SearchOptions;
    await expect(index.search(QUERY, options)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(message),
    });
  });
});

it("nothing is reranked where nothing was found", async () => {
  const result = await index.search("zzz", { mode: "lexical", ...byLength() });
  expect(result.hits).toEqual([]);
  expect(scorer.calls).toEqual([]);
});
