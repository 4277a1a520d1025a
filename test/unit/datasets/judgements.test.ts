import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readQrels } from "../../../src/datasets/qrels.js";
import { readQueries } from "../../../src/datasets/queries.js";
import { runId, writeTrecRun } from "../../../src/datasets/trec-run.js";

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
    ["q d 1\nq d 2", ":2: d has the grade 1 for q already, here it is 2"],
  ])("that are malformed are refused: %j", async (content, message) => {
    const path = write("q.txt", content);
    await expect(readQrels(path)).rejects.toMatchObject({ code: "INVALID_INPUT", message: path + message });
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
