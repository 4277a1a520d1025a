import { describe, expect, it } from "vitest";
import { cardLines } from "../../../src/distillation/card.js";
import type { Example } from "../../../src/distillation/examples.js";
import { queryLines, trainingFiles } from "../../../src/distillation/formats.js";
import type { PassagePlace, TrainingTexts } from "../../../src/distillation/training-texts.js";
import { TRAINING_FORMATS, type TrainingFormat } from "../../../src/distillation/types.js";

const texts = { text: ({ documentId }: PassagePlace) => `text of ${documentId}` } as TrainingTexts;

function example(id: string, scores: readonly number[], text = `query ${id}`): Example {
  const ranked = scores.map((score, i) => ({ documentId: `${id}${i}`, passage: i, score }));
  return { query: { id, text }, ranked, positive: ranked[0]!, negatives: ranked.slice(1) };
}

const EXAMPLES = [example("a", [3, 2, 1]), example("b", [5, 0.5])];
const lines = (format: TrainingFormat, examples = EXAMPLES): string[] => {
  const lists = examples.map((one) => ({ example: one, documents: one.ranked.slice(0, 2) }));
  const input = { examples, texts, negatives: 2, gradeOf: (score: number) => score / 5, lists };
  return trainingFiles(format, input).flatMap(({ lines: own }) => [...own()]);
};

describe("lines of training data", () => {
  it.each<[TrainingFormat, readonly string[]]>([
    [
      "pairs",
      [
        '{"anchor": "query a", "positive": "text of a0"}\n',
        '{"anchor": "query b", "positive": "text of b0"}\n',
      ],
    ],
    [
      "triplets",
      [
        '{"anchor": "query a", "positive": "text of a0", "negative": "text of a1"}\n',
        '{"anchor": "query a", "positive": "text of a0", "negative": "text of a2"}\n',
        '{"anchor": "query b", "positive": "text of b0", "negative": "text of b1"}\n',
      ],
    ],
    [
      "n-tuples",
      [
        '{"anchor": "query a", "positive": "text of a0", "negative_1": "text of a1", "negative_2": "text of a2", "scores": [3.0, 2.0, 1.0]}\n',
      ],
    ],
    [
      "scored",
      [
        '{"query": "query a", "passage": "text of a0", "score": 0.6}\n',
        '{"query": "query a", "passage": "text of a1", "score": 0.4}\n',
        '{"query": "query a", "passage": "text of a2", "score": 0.2}\n',
        '{"query": "query b", "passage": "text of b0", "score": 1.0}\n',
        '{"query": "query b", "passage": "text of b1", "score": 0.1}\n',
      ],
    ],
    [
      "margins",
      [
        '{"query": "query a", "positive": "text of a0", "negative": "text of a1", "label": 1.0}\n',
        '{"query": "query a", "positive": "text of a0", "negative": "text of a2", "label": 2.0}\n',
        '{"query": "query b", "positive": "text of b0", "negative": "text of b1", "label": 4.5}\n',
      ],
    ],
    [
      "kd",
      [
        '{"query_id": "a", "document_ids": ["a0#0", "a1#1"], "scores": [3.0, 2.0]}\n',
        '{"query_id": "b", "document_ids": ["b0#0", "b1#1"], "scores": [5.0, 0.5]}\n',
        '{"query_id": "a", "text": "query a"}\n',
        '{"query_id": "b", "text": "query b"}\n',
        '{"document_id": "a0#0", "text": "text of a0"}\n',
        '{"document_id": "a1#1", "text": "text of a1"}\n',
        '{"document_id": "b0#0", "text": "text of b0"}\n',
        '{"document_id": "b1#1", "text": "text of b1"}\n',
      ],
    ],
  ])("%s", (format, expected) => {
    expect(lines(format)).toEqual(expected);
  });

  it("hold any text on one line, and numbers of any size", () => {
    const odd = 'a "quote"\n\\ \u2028 \ud83d\ude00 half \ud83d';
    const values = [1e30, 1, 1e-9, -0, -1.5e-300];
    for (const format of TRAINING_FORMATS) {
      for (const line of lines(format, [example("a", values, odd)])) {
        expect(line.match(/\n/g)).toHaveLength(1);
        expect(line).not.toMatch(/\\ud83d(?!\\ude00)/i);
        JSON.parse(line);
      }
    }
    const [pair] = lines("pairs", [example("a", [2, 1], odd)]);
    expect((JSON.parse(pair!) as { anchor: string }).anchor).toBe(`${odd.slice(0, -1)}\ufffd`);
    const [row] = lines("kd", [example("a", values.slice(0, 2))]);
    expect((JSON.parse(row!) as { scores: number[] }).scores).toEqual([1e30, 1]);
  });

  it("name the sources of made queries", () => {
    const made: Example = { ...EXAMPLES[0]!, query: { id: "m1", text: "t", sources: ["d"] } };
    expect([...queryLines([made, EXAMPLES[1]!])]).toEqual([
      '{"_id": "m1", "text": "t", "metadata": {"sources": ["d"]}}\n',
      '{"_id": "b", "text": "query b"}\n',
    ]);
  });
});

describe("the card", () => {
  it("names the data sets that have rows", () => {
    const file = (name: string, rows: number) => ({ name, rows, bytes: 1, sha256: "" });
    const text = [
      ...cardLines([
        file("queries.jsonl", 2),
        file("pairs.jsonl", 2),
        file("triplets.jsonl", 0),
        file("kd/train.jsonl", 1),
      ]),
    ].join("");
    const names = [...text.matchAll(/config_name: (\S+)\n.*\n.*\n +path: (\S+)\n/g)].map((match) =>
      match.slice(1),
    );
    expect(names).toEqual([
      ["pairs", "pairs.jsonl"],
      ["train", "kd/train.jsonl"],
    ]);
  });
});
