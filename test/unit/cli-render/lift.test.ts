import { describe, expect, it } from "vitest";
import { type LiftResult, liftResult } from "../../../src/cli/actions/lift-report.js";
import { rankingsOf, runContenders } from "../../../src/cli/actions/lift-runs.js";
import { createColors } from "../../../src/cli/render/color.js";
import { renderLift, renderLiftPage } from "../../../src/cli/render/lift.js";
import { liftSentences, recommendation } from "../../../src/cli/render/lift-words.js";
import { MaxsimError } from "../../../src/common/errors.js";
import { measureLift } from "../../../src/evaluation/lift.js";
import type { Rankings } from "../../../src/evaluation/lift-rankings.js";
import { documentId } from "../../../src/rerank/document-text.js";
import type { ScoreRequest, Scorer } from "../../../src/rerank/scorer.js";
import { ScoringReranker } from "../../../src/rerank/scoring-reranker.js";
import type { RerankDocument } from "../../../src/rerank/types.js";

const QUERIES = Array.from({ length: 8 }, (_, i) => ({ id: `q${i}`, text: `question ${i}` }));
const IDS = ["x", "right", "y", "z"];
const qrels = new Map(QUERIES.map(({ id }) => [id, new Map([["right", 1]])]));
const first: Rankings = new Map(QUERIES.map(({ id }) => [id, IDS]));

/** Scores by id: what is named first is best. */
class IdScorer implements Scorer {
  readonly name = "ids";
  readonly model = "test";
  readonly batches = "one";
  readonly defaultMaxTokens = 100;
  readonly seen: Array<readonly [query: string, documents: number]> = [];
  failing = "";

  constructor(
    readonly dependsOn: Scorer["dependsOn"],
    private readonly best: (query: string, documents: number) => readonly string[],
  ) {}

  async fingerprint(): Promise<string> {
    return "ids";
  }

  async score(requests: readonly ScoreRequest[]) {
    return requests.map(({ query, documents }) => {
      if (query === this.failing) throw new MaxsimError("SERVICE", "the service is asleep");
      this.seen.push([query, documents.length]);
      const best = this.best(query, documents.length);
      const scores = documents.map(({ document }) => -best.indexOf(idOf(document)));
      return { scores, usage: { requests: 1, inputTokens: 10 * documents.length, cost: 0.25 } };
    });
  }

  async close(): Promise<void> {}
}

function idOf(document: RerankDocument): string {
  return typeof document === "string" ? document : (documentId(document) ?? "");
}

async function lift(
  scorers: readonly Scorer[],
  depths: readonly number[] = [2, 4],
  timed = 2,
): Promise<LiftResult> {
  const contenders = scorers.map((scorer, i) => {
    return { name: `s${i}`, reranker: new ScoringReranker(scorer, { onFailure: "first-stage" }) };
  });
  const runs = await runContenders(contenders, QUERIES, {
    depths,
    timed,
    candidates: () => IDS.slice(0, depths.at(-1)).map((id) => ({ id, text: `text of ${id}` })),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  const systems = contenders.map((contender, i) => {
    return { name: contender.name, depths: rankingsOf(contender, runs[i]!, first, depths) };
  });
  return liftResult({
    collection: { collection: "notes", split: "test", documents: 4, judgements: 8 },
    first: { name: "lexical", rankings: first, times: [3, 1, 2] },
    report: measureLift({ qrels, first, systems, depths }),
    contenders,
    runs,
    texts: new Map(QUERIES.map(({ id, text }) => [id, text])),
  });
}

const right = () => ["right", "y", "x", "z"];
const plain = { colors: createColors({ isTTY: false }, {}) };

describe("what is run", () => {
  it("is the greatest depth once, and every depth for times, of scores of single documents", async () => {
    const scorer = new IdScorer("document", right);
    const { rerankers } = await lift([scorer]);
    const calls = (documents: number): string[] =>
      scorer.seen.filter((seen) => seen[1] === documents).map(([query]) => query);
    // The first of all warms up.
    expect(calls(2).slice(1)).toEqual(["question 0", "question 1"]);
    expect(calls(4).sort()).toEqual(QUERIES.map(({ text }) => text));
    const [two, four] = rerankers[0]!.depths;
    expect(rerankers[0]).toMatchObject({ runs: "document", kind: "ids", model: "test", verdict: "worth" });
    expect(two).toMatchObject({
      latency: { queries: 2 },
      costs: { calls: 2, inputTokens: 20, cost: 0.25 },
    });
    expect(four).toMatchObject({ latency: { queries: 2 }, costs: { calls: 8, inputTokens: 40 } });
    // Among the first two the right one is best, also as a part of the order of four.
    expect(two!.metrics.get("nDCG@10")).toBe(1);
    expect(two).toMatchObject({ better: 8, worse: 0, same: 0, failed: 0 });
  });

  it("is every query at every depth, of scores that depend on the others", async () => {
    const scorer = new IdScorer("list", (_, documents) => (documents === 2 ? right() : ["x", ...right()]));
    const { rerankers } = await lift([scorer], [2, 4], 0);
    expect(scorer.seen).toHaveLength(16);
    const [two, four] = rerankers[0]!.depths;
    expect(two).toMatchObject({ verdict: "worth", costs: { calls: 8, inputTokens: 20 } });
    expect(two!.latency).toBeUndefined();
    expect(four).toMatchObject({ verdict: "no-gain", same: 8 });
    expect(rerankers[0]).toMatchObject({ runs: "list", bestDepth: 2, chosenDepth: 2 });
  });

  it("counts queries whose ranking failed, at every depth that their order is used for", async () => {
    const scorer = new IdScorer("document", right);
    scorer.failing = "question 3";
    const result = await lift([scorer]);
    const [two, four] = result.rerankers[0]!.depths;
    expect(two).toMatchObject({ failed: 1, better: 7, same: 1 });
    expect(four).toMatchObject({ failed: 1, better: 7, same: 1 });
    expect(four!.metrics.get("nDCG@10")).toBeCloseTo((7 + 1 / Math.log2(3)) / 8, 12);
  });
});

describe("what is said", () => {
  it("is worth it, with depth, room, time, costs and queries", async () => {
    const result = await lift([new IdScorer("document", right)]);
    const said = liftSentences(result, result.rerankers[0]!);
    // Two depths, all 8 queries better: twice 2 of 256 assignments.
    expect(said.slice(0, 3)).toEqual([
      "s0 is worth it: nDCG@10 at depth 2 is 1.0000 instead of 0.6309 (+58.5 %), p = 0.0156 after correction for 2 comparisons (0.0078 before).",
      "Deeper than 2 is no better.",
      "The first 2 of lexical have 100 % of the relevant documents: a perfect order of them would reach 1.0000; 100 % of that way is gone.",
    ]);
    expect(said[3]).toMatch(
      /^A query takes \d\S* ms more \(p95 \d\S* ms\), on top of 2\.00 ms for the first stage\.$/,
    );
    expect(said.slice(4)).toEqual([
      "A query costs 20 input tokens, 0.250 in the currency of its prices.",
      "Of 8 queries, 8 got better, 0 worse, 0 stayed the same.",
    ]);
  });

  it("names the worst losses, safe for a terminal", async () => {
    const wrong = new IdScorer("document", () => ["x", "y", "right", "z"]);
    const result = await lift([wrong], [4], 0);
    const strange = result.rerankers[0]!.losses.map((loss) => ({ ...loss, text: "a\u001b[2J\nb" }));
    const said = liftSentences(result, { ...result.rerankers[0]!, losses: strange });
    expect(said[0]).toBe(
      "s0 is not worth it: it makes the answers worse; nDCG@10 at depth 4 is 0.5000 instead of 0.6309 (-20.8 %), p = 0.0078.",
    );
    expect(said[1]).toBe("Only the depth 4 was tried.");
    expect(said.at(-1)).toMatch(
      /^Of 8 queries, 0 got better, 8 worse, 0 stayed the same\. Most lost: q0 "a b" \(0\.63 to 0\.50\), q1 /,
    );
  });

  it("is different for each verdict", async () => {
    const gains = (count: number) => (query: string) =>
      QUERIES.slice(0, count).some(({ text }) => text === query) ? right() : IDS;
    const few = await lift([new IdScorer("document", gains(2))], [4], 0);
    expect(liftSentences(few, few.rerankers[0]!)[0]).toMatch(
      /^s0 is not shown to be worth it: .* which may be chance, p = 0\.5000\. More judged queries would tell\.$/,
    );
    const none = await lift([new IdScorer("document", gains(0))], [4], 0);
    expect(liftSentences(none, none.rerankers[0]!)[0]).toMatch(
      /^s0 is not worth it: it brings no gain; .* \(\+0\.0 %\), p = 1\.0000\.$/,
    );
    const row = { ...few.rerankers[0]!.depths[0]!, relativeGain: 0.01 };
    const small = { ...few.rerankers[0]!, verdict: "small" as const, depths: [row] };
    expect(liftSentences(few, small)[0]).toContain("a gain below 2 % hardly pays for another stage");
  });

  it("recommends one of several", async () => {
    const result = await lift([new IdScorer("document", right), new IdScorer("list", right)]);
    expect(recommendation(result)[0]).toMatch(/^Of those that are worth it, s[01] is the fastest /);
    const one = await lift([new IdScorer("document", right), new IdScorer("list", () => IDS)]);
    expect(one.recommended).toBe("s0");
    expect(recommendation(one)).toEqual([]);
    expect((await lift([new IdScorer("list", () => IDS)])).recommended).toBeNull();
  });
});

describe("the report", () => {
  it("is a table a reranker, and one of what is possible", async () => {
    const result = await lift([new IdScorer("document", right)], [2, 4], 0);
    const text = renderLift(result, plain);
    const lines = text.split("\n");
    expect(lines.slice(0, 3)).toEqual(["notes (test): 8 queries, 8 judgements, 4 documents", "", "s0"]);
    expect(lines[3]).toMatch(/^depth +nDCG@10 +Recall@10 +Precision@5 +gain +p +better +worse +same$/);
    expect(lines[4]).toMatch(/^lexical +0\.6309 +1\.0000 +0\.2000$/);
    expect(lines[5]).toMatch(/^> 2 +1\.0000 +1\.0000 +0\.2000 +\+58\.5 % +0\.0156\* +8 +0 +0$/);
    expect(lines[6]).toMatch(/^4 +1\.0000 /);
    expect(text).toMatch(
      /a perfect order of the same candidates\ndepth +relevant among them +nDCG@10 .*\n2 +1\.0000 +1\.0000 /,
    );
    expect(text).toContain("corrected for 2 comparisons (Holm); * p < 0.05.");
    expect(text).not.toContain("ms:");
    const timed = renderLift(await lift([new IdScorer("document", right)]), plain);
    expect(timed).toMatch(/same +p50 ms +p95 ms\nlexical .* 0 +0\n/);
    expect(timed).toContain("ms: the call of the reranker, one at a time, over 2 queries.");
  });

  it("has two tables on a narrow terminal", async () => {
    const result = await lift([new IdScorer("document", right)]);
    const [, , , head, ...lines] = renderLift(result, { ...plain, width: 80 }).split("\n");
    expect(head).toMatch(/^depth +nDCG@10 +Recall@10 +Precision@5 +gain +p$/);
    expect(lines.find((line) => line.includes("better"))).toMatch(
      /^depth +better +worse +same +p50 ms +p95 ms$/,
    );
  });

  it("is a page of Markdown", async () => {
    const page = renderLiftPage(await lift([new IdScorer("document", right)], [2, 4], 0));
    expect(page).toContain(
      "# notes (test): 8 queries, 8 judgements, 4 documents\n\n## s0\n\n| depth | nDCG@10 |",
    );
    expect(page).toContain("\n| ---: | ---: | ---: |");
    expect(page).toContain("\n| \\> 2 | 1.0000 | 1.0000 | 0.2000 | +58.5 % | 0.0156\\* | 8 | 0 | 0 |\n");
    expect(page).toContain("\n- s0 is worth it: ");
    expect(page).toContain("\n## A perfect order of the same candidates\n\n| depth | relevant among them |");
  });
});
