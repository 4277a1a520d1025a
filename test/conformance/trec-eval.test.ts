/** The metrics are those of trec_eval, to the last digits: on random judgements and runs full of ties and odd grades. */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/common/random.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { nameOrReason } from "../support/cli.js";

interface TrecEval {
  missingTrecEval(): string | undefined;
  trecEval(qrels: Table, run: Table, measures: readonly string[]): Table;
}
type Table = Record<string, Record<string, number>>;

const { missingTrecEval, trecEval } = (await import(
  fileURLToPath(new URL("../../scripts/lib/trec-eval.mjs", import.meta.url))
)) as TrecEval;
const reason = missingTrecEval();

/** Our name to trec_eval's request and its name for the value. */
const SAME: ReadonlyArray<readonly [string, string, string]> = [
  ["nDCG@1", "ndcg_cut.1", "ndcg_cut_1"],
  ["nDCG@5", "ndcg_cut.5", "ndcg_cut_5"],
  ["nDCG@10", "ndcg_cut.10", "ndcg_cut_10"],
  ["nDCG@1000", "ndcg_cut.1000", "ndcg_cut_1000"],
  ["MRR", "recip_rank", "recip_rank"],
  ["Recall@10", "recall.10", "recall_10"],
  ["Recall@100", "recall.100", "recall_100"],
  ["MAP", "map", "map"],
  ["MAP@5", "map_cut.5", "map_cut_5"],
  ["Success@1", "success.1", "success_1"],
  ["Success@5", "success.5", "success_5"],
];

const QUERIES = 300;
const DOCUMENTS = 40;

/** Ids whose order as texts is neither that of numbers nor that of UTF-16. */
function documentId(i: number): string {
  return ["", "z", "\uff5e", "\u{1f600}", "é"][i % 5]! + String(i);
}

function randomTables(seed: number): { qrels: Table; run: Table } {
  const random = new Random(seed);
  const below = (n: number): number => Math.floor(random.float() * n);
  const qrels: Table = {};
  const run: Table = {};
  for (let q = 0; q < QUERIES; q++) {
    // trec_eval itself crashes on grades below -1.
    const grades: Record<string, number> = {};
    for (let i = below(15); i >= 0; i--) grades[documentId(below(DOCUMENTS))] = below(5) - 1;
    const scores: Record<string, number> = {};
    for (let i = below(DOCUMENTS); i >= 0; i--) {
      // Few values, and some that only 64 bits tell apart: many ties.
      scores[documentId(below(DOCUMENTS))] = below(8) / 4 - 1 + below(2) * 1e-12;
    }
    if (below(20) !== 0) qrels[`q${q}`] = grades;
    if (below(20) !== 0) run[`q${q}`] = scores;
  }
  return { qrels, run };
}

describe.skipIf(reason)(nameOrReason("metrics", reason), () => {
  it.each([1, 2, 3])("are those of trec_eval, seed %d", (seed) => {
    const { qrels, run } = randomTables(seed);
    const measures = SAME.map(([, request]) => request);
    const expected = trecEval(qrels, run, measures);
    const { perQuery, means, missingQueries } = evaluate(
      new Map(
        Object.entries(run).map(([id, scores]) => [
          id,
          Object.entries(scores).map(([document, score]) => ({ id: document, score })),
        ]),
      ),
      new Map(Object.entries(qrels).map(([id, grades]) => [id, new Map(Object.entries(grades))])),
      SAME.map(([name]) => name),
      { missing: "skip" },
    );
    expect(missingQueries).toBeGreaterThan(0);
    for (const [name, , theirs] of SAME) {
      const ours = perQuery.get(name)!;
      expect([...ours.keys()].sort()).toEqual(Object.keys(expected).sort());
      for (const [id, value] of ours) {
        expect(Math.abs(value - expected[id]![theirs]!), `${name} of ${id}`).toBeLessThan(1e-9);
      }
      const values = Object.values(expected).map((of) => of[theirs]!);
      expect(means.get(name)).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 9);
    }
  });
});
