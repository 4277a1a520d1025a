import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { beirCollection } from "../../../src/datasets/beir.js";
import { findJudgement, readQrels } from "../../../src/datasets/qrels.js";
import { readQueries } from "../../../src/datasets/queries.js";
import { readTrecRun, runId, writeTrecRun } from "../../../src/datasets/trec-run.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "maxsim-judgements-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
}

describe("queries", () => {
  test("are read from JSONL and from tabbed lines", async () => {
    const expected = [
      { id: "q1", text: "first query" },
      { id: "2", text: "second" },
    ];
    const jsonl = '{"_id": "q1", "text": "first query", "metadata": {}}\n\n{"id": 2, "text": "second"}\n';
    expect(await readQueries(write("q.jsonl", jsonl))).toEqual(expected);
    expect(await readQueries(write("q.tsv", "q1\tfirst query\r\n2\tsecond\n"))).toEqual(expected);
  });

  test.each([
    ['{"_id": "a", "text": "x"}\n{"_id": "a", "text": "y"}', ':2: the id "a" stands in line 1 already'],
    ['{"text": "x"}', ':1: no field "_id" or "id"'],
    ['{"_id": "a"}', ':1: no field "text"'],
    ["a\tb\nno tab", ":2: an id, a tab and the text were expected"],
    ["\tno id", ":1: an id, a tab"],
  ])("that are malformed are refused: %j", async (content, message) => {
    const path = write("q.txt", content);
    await expect(readQueries(path)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining(path + message),
    });
  });

  test("of a missing file are an error that names it", async () => {
    await expect(readQueries(join(root, "no.tsv"))).rejects.toMatchObject({ code: "PATH_NOT_FOUND" });
  });
});

describe("judgements", () => {
  const expected = new Map([
    [
      "q1",
      new Map([
        ["d1", 2],
        ["d 2", 0],
      ]),
    ],
    ["q2", new Map([["d1", 1]])],
  ]);

  test("of BEIR", async () => {
    const path = write("test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td 2\t0\nq2\td1\t1\n");
    expect(await readQrels(path)).toEqual(expected);
  });

  test("of TREC", async () => {
    const path = write("qrels.txt", "q1 0 d1 2\nq1\tQ0\td2\t0\r\nq2 0 d1 1\n");
    expect([...(await readQrels(path)).get("q1")!]).toEqual([
      ["d1", 2],
      ["d2", 0],
    ]);
  });

  test.each([
    ["q d 1\nq d", ":2: 3 or 4 columns were expected, found 2"],
    ["q d 1\nq d x", ':2: the grade must be a number, found "x"'],
    ["q d 1\nq d 2", ":2: d has the grade 1 for q in line 1 already, here it is 2"],
    ["q\td\t1\nq\t\t1", ":2: 3 or 4 columns were expected, found an empty one"],
  ])("that are malformed are refused: %j", async (content, message) => {
    const path = write("q.txt", content);
    await expect(readQrels(path)).rejects.toMatchObject({ code: "INVALID_INPUT", message: path + message });
  });
});

describe("judgements of a file", () => {
  const lines = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq1\td1\t2\nq2\td2\t-1\n";

  test("tell of lines that say the same again", async () => {
    const repeated: number[][] = [];
    const qrels = await readQrels(write("r.tsv", lines), { onRepeated: (...at) => repeated.push(at) });
    expect(repeated).toEqual([[4, 2]]);
    expect(qrels.get("q2")?.get("d2")).toBe(-1);
  });

  test("are found by what they say", async () => {
    const path = write("r.tsv", lines);
    expect(await findJudgement(path, ({ documentId }) => documentId === "d2")).toBe(3);
    expect(await findJudgement(path, ({ queryId }) => queryId === "q2")).toBe(5);
    expect(await findJudgement(path, ({ grade }) => grade === 7)).toBeUndefined();
  });

  test("can be none", async () => {
    expect((await readQrels(write("e.tsv", "query-id\tcorpus-id\tscore\n"))).size).toBe(0);
  });
});

describe("a BEIR folder", () => {
  const folder = (files: readonly string[]): string => {
    mkdirSync(join(root, "set", "qrels"), { recursive: true });
    for (const file of files) write(join("set", file), "");
    return join(root, "set");
  };

  test("has the split test, another one that is named, or the only one", async () => {
    const set = folder(["corpus.jsonl", "queries.jsonl", "qrels/test.tsv", "qrels/dev.tsv"]);
    expect(await beirCollection(set)).toEqual({
      corpus: join(set, "corpus.jsonl"),
      queries: join(set, "queries.jsonl"),
      qrels: join(set, "qrels", "test.tsv"),
      split: "test",
    });
    expect(await beirCollection(set, "dev")).toMatchObject({ split: "dev" });
    rmSync(join(set, "qrels", "test.tsv"));
    rmSync(join(set, "corpus.jsonl"));
    expect(await beirCollection(set)).toMatchObject({ split: "dev", corpus: undefined });
  });

  test.each([
    [["queries.jsonl", "qrels/test.tsv"], "train", 'no split "train", found test'],
    [["queries.jsonl", "qrels/dev.tsv", "qrels/train.tsv"], undefined, "no split test, found dev, train"],
    [["queries.jsonl"], undefined, "there is no qrels/*.tsv in it"],
    [["qrels/test.tsv"], undefined, "there is no queries.jsonl in it"],
  ])("that is not complete is refused: %j %s", async (files, split, message) => {
    await expect(beirCollection(folder(files), split)).rejects.toThrow(message);
  });
});

describe("runs that are read", () => {
  test("have their documents by query", async () => {
    const path = write("r.trec", "q1 Q0 d1 1 2.5 tag\n\nq2\tQ0\td1\t1\t-1e-3\ttag\r\nq1 Q0 d2 9 +.5 tag\n");
    expect(await readTrecRun(path)).toEqual(
      new Map([
        [
          "q1",
          [
            { id: "d1", score: 2.5 },
            { id: "d2", score: 0.5 },
          ],
        ],
        ["q2", [{ id: "d1", score: -0.001 }]],
      ]),
    );
  });

  test.each([
    ["q Q0 d 1 2.5", ":1: 6 columns were expected, found 5"],
    ["q Q0 d 1 2.5 t\nq Q0 e e 1 2.5 t", ":2: 6 columns were expected, found 7"],
    ["q Q0 d 1 high t", ':1: the score must be a finite number, found "high"'],
    ["q Q0 d 1 NaN t", ':1: the score must be a finite number, found "NaN"'],
    ["q Q0 d 1 1e999 t", ':1: the score must be a finite number, found "1e999"'],
    ["q Q0 d 1 2 t\nq Q0 e 2 1 t\nq Q0 d 3 1 t", ":3: d stands in line 1 already for query q"],
    ["\n", " holds no answers"],
  ])("and are malformed are refused: %j", async (content, message) => {
    const path = write("r.trec", content);
    await expect(readTrecRun(path)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: path + message,
      hint: expect.any(String),
    });
  });

  test("are what was written, but for the form of ids", async () => {
    const id = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).filter((text) => /\S/u.test(text));
    const hits = fc.uniqueArray(
      fc.record({ id, score: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
      {
        selector: (hit) => runId(hit.id),
        minLength: 1,
        maxLength: 5,
      },
    );
    await fc.assert(
      fc.asyncProperty(id, hits, async (queryId, found) => {
        const path = join(root, "run.trec");
        await writeTrecRun(path, [{ queryId, hits: found }], "tag");
        const expected = found.map((hit) => ({ id: runId(hit.id), score: hit.score + 0 }));
        expect([...(await readTrecRun(path))]).toEqual([[runId(queryId), expected]]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("runs", () => {
  test("are written in the TREC format", async () => {
    const path = join(root, "run.trec");
    const hits = [
      { id: "d1", score: 2.5 },
      { id: "a b%", score: 1 },
    ];
    await writeTrecRun(
      path,
      [
        { queryId: "q", hits },
        { queryId: "none", hits: [] },
      ],
      "tag",
    );
    expect(readFileSync(path, "utf8")).toBe("q Q0 d1 1 2.5 tag\nq Q0 a%20b%25 2 1 tag\n");
  });

  test("refuse a score that is no number, and name the file that cannot be written", async () => {
    const answer = { queryId: "q", hits: [{ id: "d", score: Number.NaN }] };
    await expect(writeTrecRun(join(root, "r"), [answer], "t")).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await expect(writeTrecRun(join(root, "no/r"), [], "t")).rejects.toMatchObject({
      code: "IO",
      message: expect.stringContaining("no/r"),
    });
  });

  test("hold ids without white space that can be decoded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (id) => {
        const written = runId(id);
        expect(/\s/u.test(written)).toBe(false);
        if (written !== id) expect(decodeURIComponent(written)).toBe(id);
      }),
    );
  });
});
