import { describe, expect, it } from "vitest";
import { evaluate, parseMetric } from "../../../src/evaluation/evaluate.js";
import { rankDocuments } from "../../../src/evaluation/ranking.js";

const qrels = new Map([
  ["q1", new Map([["a", 1]])],
  ["q2", new Map([["b", 2]])],
  ["q3", new Map([["c", 0]])],
]);

describe("rankDocuments", () => {
  it("orders by score descending and ties by id descending", () => {
    const documents = [
      { id: "a", score: 1 },
      { id: "b", score: 2 },
      { id: "c", score: 1 },
      { id: "10", score: 0 },
      { id: "9", score: 0 },
    ];
    expect(rankDocuments("q", documents)).toEqual(["b", "c", "a", "9", "10"]);
  });

  it("takes scores that 32-bit floats do not tell apart as ties", () => {
    const documents = [
      { id: "a", score: 1 + 1e-12 },
      { id: "b", score: 1 },
      { id: "c", score: 1e300 },
      { id: "d", score: 1e308 },
    ];
    expect(rankDocuments("q", documents)).toEqual(["d", "c", "b", "a"]);
  });

  it("compares ids by their UTF-8 bytes", () => {
    // U+1F600 comes after U+FF5E in UTF-8, and before it in UTF-16.
    const documents = ["\uff5e", "\u{1f600}"].map((id) => ({ id, score: 1 }));
    expect(rankDocuments("q", documents)).toEqual(["\u{1f600}", "\uff5e"]);
  });

  it("refuses scores that are not finite and documents that occur twice", () => {
    expect(() => rankDocuments("q7", [{ id: "a", score: Number.NaN }])).toThrow(/q7.*NaN.*document a/);
    const twice = [
      { id: "a", score: 1 },
      { id: "a", score: 2 },
    ];
    expect(() => rankDocuments("q7", twice)).toThrow(/q7 names document a twice/);
  });
});

describe("evaluate", () => {
  it("takes the mean over judged queries, missing ones as 0, and leaves others out", () => {
    const run = new Map([
      ["q1", [{ id: "a", score: 1 }]],
      ["unjudged", [{ id: "a", score: 1 }]],
    ]);
    const result = evaluate(run, qrels, ["mrr@10", "recall@5"]);
    expect([...result.means]).toEqual([
      ["MRR@10", 1 / 3],
      ["Recall@5", 1 / 3],
    ]);
    expect(result).toMatchObject({ judgedQueries: 3, missingQueries: 2, unjudgedQueries: 1 });
    expect([...(result.perQuery.get("MRR@10") ?? [])]).toEqual([
      ["q1", 1],
      ["q2", 0],
      ["q3", 0],
    ]);
  });

  it("lets ties fall against the run when the ids say so", () => {
    const run = new Map([
      [
        "q1",
        [
          { id: "a", score: 1 },
          { id: "z", score: 1 },
        ],
      ],
    ]);
    expect(evaluate(run, qrels, ["MRR"]).perQuery.get("MRR")?.get("q1")).toBe(1 / 2);
  });

  it("leaves missing queries out when asked to", () => {
    const run = new Map([["q1", [{ id: "a", score: 1 }]]]);
    const result = evaluate(run, qrels, ["MRR"], { missing: "skip" });
    expect(result).toMatchObject({ judgedQueries: 3, missingQueries: 2 });
    expect(result.means.get("MRR")).toBe(1);
    expect([...(result.perQuery.get("MRR") ?? [])]).toEqual([["q1", 1]]);
    expect(() => evaluate(run, qrels, ["MRR"], { missing: "no" as "skip" })).toThrow(
      /missing must be one of/,
    );
  });

  it("refuses judgements without a query", () => {
    expect(() => evaluate(new Map(), new Map())).toThrow(/at least one query/);
  });
});

describe("parseMetric", () => {
  it("reads names in any case", () => {
    expect(parseMetric("NDCG@10")).toMatchObject({ name: "nDCG@10", k: 10 });
    expect(parseMetric(" map ")).toMatchObject({ name: "MAP", k: Number.POSITIVE_INFINITY });
    expect(parseMetric("map@100")).toMatchObject({ name: "MAP@100", k: 100 });
  });

  it.each(["", "ndcg", "recall", "ndcg@0", "ndcg@-1", "ndcg@1.5", "bleu@4", "ndcg@10@10"])(
    "refuses %j",
    (text) => {
      expect(() => parseMetric(text)).toThrow(
        /a metric must be one of nDCG, MRR, Recall, MAP, Success, Judged/,
      );
    },
  );
});
