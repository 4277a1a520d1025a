/** `maxsim list`, `get`, `update`, `delete`, `history`, `compact` and `info --segments`, one after the other on one index. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { jsonLines, maxsim as runMaxsim, startMaxsim, writeFiles } from "../support/cli.js";
import { NOTES } from "../support/notes.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const folder = join(cwd, "index-data/default");
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });

async function json(...args: string[]) {
  const { status, stdout, stderr } = await maxsim(...args, "--json");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return JSON.parse(stdout);
}

beforeAll(async () => {
  const odd = { id: "two\nlines", text: "An id can hold a line break.", metadata: { topic: "odd" } };
  const records = [...NOTES, odd].map(({ metadata, ...note }) => ({ ...note, ...metadata }));
  writeFiles(cwd, {
    "notes.jsonl": jsonLines(records),
    "garden/herbs.md": "# Herbs\n\nThyme likes sun.\n",
  });
  expect(await json("index", "notes.jsonl", "garden", "--on-duplicate", "error")).toMatchObject({
    generation: 1,
    documents: 10,
  });
  const again = await maxsim("index", "notes.jsonl", "--on-duplicate", "skip");
  expect(again).toMatchObject({ status: 0 });
  expect(again.stdout).toContain("  skipped        9 documents whose id was taken\n");
  const refused = await maxsim("index", "notes.jsonl", "--on-duplicate", "error");
  expect(refused).toMatchObject({ status: 1, stdout: "" });
  expect(refused.stderr).toContain('error: document id "tea" is in the index already\nhint: ');
});

describe("list", () => {
  it("shows a table, and what it is a part of", async () => {
    const { status, stdout, stderr } = await maxsim("list", "--limit", "2", "--filter", "exists topic");
    expect(status).toBe(0);
    expect(stdout.split("\n")).toEqual([
      expect.stringMatching(/^id {7}title {8}passages {2}tokens {2}source$/),
      expect.stringMatching(/^tea {6}Brewing tea {9}1 {6}\d\d {2}notes\.jsonl:1$/),
      expect.stringMatching(/^bicycle {2}Flat tyres {10}1 {6}\d\d {2}notes\.jsonl:2$/),
      "",
    ]);
    expect(stderr).toBe(
      "2 of 3 matching documents (10 in all) in index-data/default; go on with --offset 2\n",
    );
  });

  it("gives ids to programs as they are, and says what one line cannot hold", async () => {
    const { status, stdout, stderr } = await maxsim("list", "--ids", "--offset", "7");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "volcano\nbudget\n" });
    expect(stderr).toBe(
      "warning: 1 id with a line break left out, which one line cannot hold; see --json\n" +
        "2 of 10 documents in index-data/default\n",
    );
  });

  it("has a stable JSON form", async () => {
    expect(await json("list", "--filter", '{"topic":"kitchen"}')).toEqual({
      index: folder,
      generation: 1,
      total: 1,
      offset: 0,
      unknownFields: [],
      documents: [
        {
          id: "tea",
          title: "Brewing tea",
          metadata: { topic: "kitchen" },
          source: { path: join(cwd, "notes.jsonl"), line: 1 },
          passages: 1,
          tokens: expect.any(Number),
        },
      ],
    });
  });

  it("warns of a field that no document has", async () => {
    const { status, stdout, stderr } = await maxsim("list", "--filter", "topci = kitchen");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr).toContain(
      "warning: no document has the field topci; did you mean topic?\n0 of 0 matching",
    );
    const { unknownFields } = await json("list", "--filter", "topci = kitchen");
    expect(unknownFields).toEqual([{ field: "topci", nearest: ["topic"] }]);
  });
});

describe("get", () => {
  it("shows a document", async () => {
    const { status, stdout, stderr } = await maxsim("get", "garden/herbs.md");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(
      /^id +garden\/herbs\.md\ntitle +Herbs\nsource +garden\/herbs\.md\npassages +1: lines 1-3\ntoken vectors +\d+\n\nHerbs\n\nThyme likes sun\.\n$/,
    );
    expect(await json("get", "tea")).toMatchObject({
      ...{ index: folder, generation: 1, id: "tea", title: "Brewing tea", metadata: { topic: "kitchen" } },
      text: NOTES[0]!.text,
      passages: [{ index: 0, start: 0, end: NOTES[0]!.text.length, lineStart: 1, lineEnd: 1 }],
    });
  });

  it("prints the text alone, as it is", async () => {
    expect(await maxsim("get", "tea", "--text")).toMatchObject({
      status: 0,
      stdout: NOTES[0]!.text,
      stderr: "",
    });
  });

  it("offers what resembles an id that is not there", async () => {
    expect(await maxsim("get", "herbs.md")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: `error: the index ${folder} has no document "herbs.md"\nhint: Did you mean "garden/herbs.md"?\n`,
    });
  });
});

describe("update", () => {
  it("merges metadata, and takes a title away", async () => {
    const merge = ["--metadata", '{"year":2026,"tags":["hot"]}', "--merge", "--no-title"];
    const { status, stdout } = await maxsim("update", "tea", ...merge);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: "updated tea in index-data/default (generation 2)\n",
    });
    const { title, metadata } = await json("get", "tea");
    expect({ title, metadata }).toEqual({ metadata: { topic: "kitchen", year: 2026, tags: ["hot"] } });
    expect(await json("update", "tea", "--metadata", '{"topic":"drinks"}')).toEqual({
      ...{ index: folder, generation: 3, id: "tea" },
    });
    expect((await json("get", "tea")).metadata).toEqual({ topic: "drinks" });
  });

  it("offers what resembles an id that is not there", async () => {
    const { status, stderr } = await maxsim("update", "teas", "--title", "Tea");
    expect(status).toBe(1);
    expect(stderr).toContain('has no document "teas"\nhint: Did you mean "tea"?\n');
  });
});

describe("delete", () => {
  it("shows what it would delete, deletes it, and names what is not there", async () => {
    const dry = await maxsim("delete", "tea", "nothing", "git", "--dry-run");
    expect(dry).toMatchObject({
      status: 0,
      stdout: "- tea\n- git\ndry run, nothing was deleted; 2 documents of index-data/default would go\n",
      stderr: "warning: not in the index: nothing\n",
    });
    expect(await json("delete", "--filter", "topic = odd", "--dry-run")).toEqual({
      ...{ index: folder, generation: 3, dryRun: true, deleted: 1, missing: [], ids: ["two\nlines"] },
    });
    const wet = await maxsim("delete", "tea", "nothing", "git");
    expect(wet).toMatchObject({
      status: 0,
      stdout: "deleted 2 documents from index-data/default (generation 4)\n",
      stderr: "warning: not in the index: nothing\n",
    });
  });

  it("takes a filter, and ids from stdin", async () => {
    expect(await json("delete", "--filter", "topic = odd")).toMatchObject({ deleted: 1, dryRun: false });
    const piped = startMaxsim(["delete", "--stdin", "--json"], { cwd });
    piped.child.stdin!.end("sleep\r\n\nvolcano\nsleep\nnothing\n");
    const { status, stdout } = await piped.result;
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ deleted: 2, missing: ["nothing"] });
    expect((await json("list")).total).toBe(5);
  });

  it("fails when nothing that it was told is there", async () => {
    const { status, stdout, stderr } = await maxsim("delete", "tea", "git");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("has none of the 2 documents: tea, git\nhint: ");
    const empty = await maxsim("delete", "--stdin");
    expect(empty).toMatchObject({ status: 2, stdout: "" });
    expect(empty.stderr).toContain("error: stdin has no ids\n");
  });
});

describe("what is left", () => {
  it("is compacted, and looks the same", async () => {
    const before = await json("list");
    const { stdout } = await maxsim("info", "--segments");
    expect(stdout).toMatch(
      /\n\nsegment +live +passages +dead +token vectors +size +file\n.* segments\/[0-9a-f]+\.segment\n/,
    );
    const compacted = await maxsim("compact", "--all", "--grace", "0");
    expect(compacted).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^index: index-data\/default\n(merge .*\n)*$/),
    });
    expect(compacted.stdout).toMatch(/^(compacted in .*|nothing to compact)\n {2}segments {2}/);
    const { segmentList, unfinished } = await json("info", "--segments");
    expect(unfinished).toBe(false);
    expect(segmentList).toMatchObject([{ passages: 5, livePassages: 5 }]);
    const after = await json("list");
    expect(after.documents).toEqual(before.documents);
  });

  it("has a history", async () => {
    const { generations } = await json("history", "--limit", "100");
    const first = generations.slice(-5).reverse();
    expect(first.map(({ operation }: { operation: string }) => operation)).toEqual(
      "create add update update delete".split(" "),
    );
    expect(first[4]).toMatchObject({ generation: 4, added: 0, removed: 2, documents: 8 });
    const { stdout, stderr } = await maxsim("history", "--limit", "1");
    expect(stdout).toMatch(/^generation +time +operation +added .*\n +\d+ {2}\d{4}-\d\d-\d\d .*\n$/);
    expect(stderr).toMatch(/^1 of \d+ generations of index-data\/default; all with --limit \d+\n$/);
  });
});
