import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fitsColumn, JudgementLog, judgementFiles, readJudgements } from "../../../src/engine/judgements.js";
import { temporaryFolders } from "../../support/temp-folder.js";

const newFolder = temporaryFolders();
const query = { id: "q1", text: "what is it?" };

it("keeps queries and grades as BEIR files, and goes on with them", async () => {
  const folder = await newFolder();
  expect(await readJudgements(folder)).toBeUndefined();
  const log = await JudgementLog.open(folder);
  expect(log.identify("what is it?")).toBe("q1");
  log.judge(query, "a b", 2);
  log.judge(query, "c", 0);
  log.close();
  const files = judgementFiles(folder);
  expect(readFileSync(files.queries, "utf8")).toBe('{"_id":"q1","text":"what is it?"}\n');
  expect(readFileSync(files.qrels, "utf8")).toBe("query-id\tcorpus-id\tscore\nq1\ta b\t2\nq1\tc\t0\n");
  const again = await JudgementLog.open(folder);
  expect(again.queries()).toEqual([query]);
  expect([again.grade("q1", "a b"), again.grade("q1", "x"), again.judged("q1")]).toEqual([2, undefined, 2]);
  expect(again.identify("what is it?")).toBe("q1");
  expect(again.identify("something else")).toBe("q2");
  expect(again.identify("named", "mine")).toBe("mine");
  expect(again.undo()).toBe(false);
  again.close();
  expect((await readJudgements(folder))?.qrels.get("q1")?.get("a b")).toBe(2);
});

it("takes back one judgement after the other", async () => {
  const folder = await newFolder();
  const log = await JudgementLog.open(folder);
  log.judge(query, "a", 1);
  log.judge(query, "b", 1);
  expect(log.undo()).toBe(true);
  expect(log.grade("q1", "b")).toBeUndefined();
  log.judge(query, "b", 3);
  expect([log.undo(), log.undo(), log.undo()]).toEqual([true, true, false]);
  log.close();
  expect(readFileSync(judgementFiles(folder).qrels, "utf8")).toBe("query-id\tcorpus-id\tscore\n");
  expect(await readJudgements(folder)).toEqual({ queries: [query], qrels: new Map() });
});

it("has one judge at a time", async () => {
  const folder = await newFolder();
  const log = await JudgementLog.open(folder);
  await expect(JudgementLog.open(folder)).rejects.toMatchObject({
    code: "LOCKED",
    message: expect.stringContaining("somebody else is judging"),
  });
  log.judge(query, "a", 1);
  // Who reads meanwhile sees what was judged.
  expect((await readJudgements(folder))?.qrels.get("q1")?.get("a")).toBe(1);
  log.close();
  (await JudgementLog.open(folder)).close();
});

it("takes away what a crash left of a line", async () => {
  const folder = await newFolder();
  mkdirSync(join(folder, "judgements"));
  const files = judgementFiles(folder);
  writeFileSync(files.queries, '{"_id":"q1","text":"what is it?"}\n{"_id":"q2","te');
  writeFileSync(files.qrels, "query-id\tcorpus-id\tscore\nq1\ta\t1\nq1\tb");
  expect(await readJudgements(folder)).toEqual({
    queries: [query],
    qrels: new Map([["q1", new Map([["a", 1]])]]),
  });
  const log = await JudgementLog.open(folder);
  log.judge(query, "b", 0);
  log.close();
  expect(readFileSync(files.qrels, "utf8")).toBe("query-id\tcorpus-id\tscore\nq1\ta\t1\nq1\tb\t0\n");
});

it("names a line that is no judgement", async () => {
  const folder = await newFolder();
  (await JudgementLog.open(folder)).close();
  const { qrels } = judgementFiles(folder);
  writeFileSync(qrels, "query-id\tcorpus-id\tscore\nq1\ta\tgood\n");
  await expect(readJudgements(folder)).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: `${qrels}:2: the grade must be a number, found "good"`,
  });
  await expect(JudgementLog.open(folder)).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

it("refuses what could not be read back", async () => {
  const folder = await newFolder();
  const log = await JudgementLog.open(folder);
  for (const id of ["a\tb", "a\nb", " a", ""]) {
    expect(fitsColumn(id)).toBe(false);
    expect(() => log.judge(query, id, 1)).toThrow(/the id of a judged document must have no tab/);
    expect(() => log.identify("text", id)).toThrow(/the id of a judged query must have no tab/);
  }
  for (const grade of [-1, 4, 0.5, Number.NaN]) {
    expect(() => log.judge(query, "a", grade)).toThrow(/a grade is 0 to 3/);
  }
  log.judge(query, "a", 1);
  expect(() => log.judge(query, "a", 1)).toThrow(/"a" for the query "q1" is judged already/);
  expect(() => log.identify("another text", "q1")).toThrow(/the query "q1" was judged with another text/);
  log.close();
});
