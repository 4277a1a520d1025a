import { describe, expect, it } from "vitest";
import { RerankTally, rerankSummary, usageWords } from "../../../src/cli/render/rerank-summary.js";
import { rerankedHits } from "../../../src/cli/render/reranked.js";
import { NO_USAGE } from "../../../src/rerank/usage.js";

describe("what reranking took", () => {
  const reranker = { name: "cohere", model: "rerank-v9" };

  it("is added up over calls", () => {
    const tally = new RerankTally();
    const usage = { ...NO_USAGE, scored: 3, cached: 1, requests: 1, searchUnits: 1, cost: 0.002 };
    tally.add([
      { usage, reranked: true, milliseconds: 500 },
      { usage, reranked: false, milliseconds: 500 },
    ]);
    tally.add([{ usage, reranked: true, milliseconds: 250 }]);
    tally.add([]);
    expect(rerankSummary({ reranker, cached: true }, tally)).toBe(
      "12 documents of 3 queries ranked by cohere rerank-v9 in 0.8 s, 3 scores from the cache (25 %)\n" +
        "3 calls, 3 search units, cost 0.00600\n" +
        "1 query left in the order of the first stage\n",
    );
  });

  it("says nothing of what there was not", () => {
    const local = { reranker: { name: "late", model: "" }, cached: false };
    expect(rerankSummary(local, new RerankTally())).toBe(
      "0 documents of 0 queries ranked by late in 0.0 ms\n",
    );
    expect(usageWords(NO_USAGE)).toBe("");
    const usage = { ...NO_USAGE, requests: 2, inputTokens: 1200, outputTokens: 12, cost: 0.00312 };
    expect(usageWords(usage)).toBe("2 calls, 1,200 tokens read, 12 written, cost 0.00312");
  });
});

describe("reranked candidates as hits", () => {
  it("have their place of before, title and text apart", () => {
    const documents = ["a text about tea", { id: "x", title: "Tea", text: "Hot leaves." }, { title: "Only" }];
    const results = [
      { index: 1, score: 2 },
      { index: 0, score: 1 },
      { index: 2, score: 0.5 },
    ];
    const hits = rerankedHits("tea", results, documents, ["title", "text"]);
    expect(hits).toMatchObject([
      { rank: 1, score: 2, id: "x", title: "Tea", remark: "was 2", snippet: { text: "Hot leaves." } },
      { rank: 2, id: "#1", remark: "was 1", snippet: { text: "a text about tea" } },
      { rank: 3, id: "#3", title: "Only", snippet: { text: "Only" } },
    ]);
    expect(hits[1]!.snippet.highlights.map(([start, end]) => "a text about tea".slice(start, end))).toEqual([
      "tea",
    ]);
  });
});
