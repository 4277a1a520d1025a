import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chooseExamples,
  commonWays,
  type ExampleOptions,
  isClearlyBelow,
  listOf,
} from "../../../src/distillation/examples.js";
import type { RankedQuery } from "../../../src/distillation/rank-queries.js";
import { gradingOf } from "../../../src/distillation/report.js";
import { NO_USAGE } from "../../../src/rerank/usage.js";

const OPTIONS: ExampleOptions = { negatives: 3, minMargin: 0.05, seed: 1, byOrder: false };

function ranked(id: string, scores: readonly number[], sources?: readonly string[]): RankedQuery {
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  const candidates = scores.map((_, i) => ({ documentId: `d${i}`, passage: 0 }));
  const ranking = { queryId: id, key: "", candidates, scores, order, usage: NO_USAGE, warnings: [] };
  return { query: { id, text: id, ...(sources === undefined ? {} : { sources }) }, rankings: [ranking] };
}

describe("chooseExamples", () => {
  it("takes the teacher's best as positive, and negatives clearly below", () => {
    const { examples } = chooseExamples([ranked("q", [0.2, 0.9, 0.89, 0.86, 0.1])], OPTIONS);
    const [example] = examples;
    expect(example!.positive).toEqual({ documentId: "d1", passage: 0, score: 0.9 });
    // 0.89 and 0.86 are more than 95 % of 0.9.
    expect(example!.negatives.map(({ documentId }) => documentId)).toEqual(["d0", "d4"]);
  });

  it("never takes the source of a made query for a negative", () => {
    const { examples } = chooseExamples([ranked("q", [0.1, 0.9, 0.2], ["d0"])], OPTIONS);
    expect(examples[0]!.negatives.map(({ documentId }) => documentId)).toEqual(["d2"]);
  });

  it("leaves out what the teacher has not ranked, and what has no order", () => {
    const failed: RankedQuery = { query: { id: "f", text: "f" }, rankings: [undefined] };
    const queries = [
      failed,
      ranked("same", [1, 1, 1]),
      ranked("one", [1]),
      ranked("none", []),
      ranked("q", [1, 2]),
    ];
    const { examples, undecided } = chooseExamples(queries, OPTIONS);
    expect(examples.map(({ query }) => query.id)).toEqual(["q"]);
    expect(undecided).toBe(3);
  });

  it("grades by order where scores cannot be compared", () => {
    const { examples } = chooseExamples([ranked("q", [-5, 100, 3, 2])], { ...OPTIONS, byOrder: true });
    expect(examples[0]!.ranked.map(({ score }) => score)).toEqual([1, 0.75, 0.5, 0.25]);
    expect(gradingOf(examples, true).kind).toBe("order");
  });

  it("chooses the same for a query whatever the others are", () => {
    const scores = Array.from({ length: 30 }, (_, i) => 1 - i / 30);
    const alone = chooseExamples([ranked("q7", scores)], OPTIONS).examples[0];
    const many = Array.from({ length: 10 }, (_, i) => ranked(`q${i}`, scores));
    const { examples } = chooseExamples(many, OPTIONS);
    expect(examples[7]).toEqual(alone);
    const choices = new Set(examples.map(({ negatives }) => JSON.stringify(negatives)));
    expect(choices.size).toBeGreaterThan(5);
    expect(chooseExamples([ranked("q7", scores)], { ...OPTIONS, seed: 2 }).examples[0]).not.toEqual(alone);
  });

  it("keeps every negative below the bound, in the teacher's order", () => {
    const scores = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 2, maxLength: 20 });
    const margin = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(scores, margin, (values, minMargin) => {
        const [example] = chooseExamples([ranked("q", values)], { ...OPTIONS, minMargin }).examples;
        if (example === undefined) return;
        const lowest = Math.min(...values);
        expect(example.positive.score).toBe(Math.max(...values));
        const own = example.negatives.map(({ score }) => score);
        expect(own).toEqual([...own].sort((a, b) => b - a));
        for (const score of own) {
          expect(isClearlyBelow(score, example.positive.score, lowest, minMargin)).toBe(true);
          expect(score).toBeLessThan(example.positive.score);
        }
      }),
    );
  });
});

describe("isClearlyBelow", () => {
  it.each([
    [0.94, 1, 0, 0.05, true],
    [0.96, 1, 0, 0.05, false],
    [1, 1, 0, 0, false],
    [0.999, 1, 0, 0, true],
    [0, 1, 0, 1, true],
    // From -10 to 0: 5 % of the way is -0.5.
    [-0.6, 0, -10, 0.05, true],
    [-0.4, 0, -10, 0.05, false],
  ])("%d below %d with the lowest %d and the margin %d: %s", (score, positive, lowest, margin, expected) => {
    expect(isClearlyBelow(score, positive, lowest, margin)).toBe(expected);
  });
});

describe("lists of documents", () => {
  const examples = chooseExamples(
    [ranked("a", [5, 4, 3, 2, 1]), ranked("b", [3, 2, 1]), ranked("c", [1, 2, 3, 4])],
    OPTIONS,
  ).examples;

  it("begin with the positive, have the same length, and are in order", () => {
    const list = listOf(examples[0]!, 3, 42)!;
    expect(list[0]).toBe(examples[0]!.positive);
    expect(list).toHaveLength(3);
    expect(list.map(({ score }) => score)).toEqual([...list.map(({ score }) => score)].sort((x, y) => y - x));
    expect(listOf(examples[1]!, 4, 42)).toBeUndefined();
  });

  it("are as long as nine of ten can be", () => {
    expect(commonWays([], 32)).toBe(0);
    expect(commonWays(examples, 32)).toBe(3);
    expect(commonWays(examples, 2)).toBe(2);
    const many = [...Array.from({ length: 19 }, () => examples[0]!), examples[1]!];
    expect(commonWays(many, 32)).toBe(5);
  });
});

describe("grades", () => {
  it("are scores within 0 and 1, else scaled", () => {
    const within = gradingOf(chooseExamples([ranked("a", [0.2, 0.9])], OPTIONS).examples, false);
    expect([within.kind, within.gradeOf(0.2)]).toEqual(["scores", 0.2]);
    const beyond = gradingOf(
      chooseExamples([ranked("a", [-2, 6]), ranked("b", [0, 2])], OPTIONS).examples,
      false,
    );
    expect(beyond.kind).toBe("scaled");
    expect([-2, 0, 2, 6].map(beyond.gradeOf)).toEqual([0, 0.25, 0.5, 1]);
  });
});
