/** `maxsim distill` with a reranking service on this machine as the teacher: data, resuming after a kill, wrong usage. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DistillReport } from "../../src/distillation/report.js";
import { jsonLines, maxsim as runMaxsim, startMaxsim, writeFiles } from "../support/cli.js";
import { NOTES, QUESTIONS } from "../support/notes.js";
import { answer, goodAnswer, type LocalServer, serve } from "../support/rerank-servers.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
/** Answers from this number on are held back, so that a run can be stopped while it waits. */
let stuckFrom = Number.POSITIVE_INFINITY;
let failing = "";
let server: LocalServer;

const maxsim = (...args: string[]) => runMaxsim(args, { cwd });
const teacher = (): string => `tei:${server.url}`;
const distill = (out: string, ...args: string[]) =>
  maxsim("distill", "idx", "--out", out, "--teacher", teacher(), "--depth", "8", ...args);
const queriesSeen = (): string[] => server.seen.map(({ body }) => (body as { query: string }).query);

beforeAll(async () => {
  server = await serve(({ body }, response, number) => {
    const { query } = body as { query: string };
    if (number >= stuckFrom) return;
    if (query === failing) return answer(response, 400, { error: "no", error_type: "Validation" });
    const { json, headers } = goodAnswer("tei", body);
    answer(response, 200, json, headers);
  });
  writeFiles(cwd, {
    "notes.jsonl": jsonLines(NOTES.map(({ id, ...rest }) => ({ _id: id, ...rest }))),
    "questions.txt": QUESTIONS.map(([text]) => `${text}\n`).join("\n"),
    "questions.tsv": QUESTIONS.map(([text], i) => `q${i}\t${text}\n`).join(""),
    "empty.txt": "\n\n",
    "full/thesis.txt": "mine",
  });
  expect(await maxsim("index", "notes.jsonl", "--index", "idx")).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await server?.close();
});

const rows = (name: string): Record<string, unknown>[] =>
  readFileSync(join(cwd, name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const contents = (out: string): Record<string, string> => {
  const names = readdirSync(join(cwd, out), { recursive: true, encoding: "utf8" }).sort();
  const kept = names.filter((name) => /jsonl?$|md$/.test(name) && !name.includes("rankings"));
  return Object.fromEntries(kept.map((name) => [name, readFileSync(join(cwd, out, name), "utf8")]));
};

describe("maxsim distill", () => {
  it("makes queries from titles, and says how far to trust what it wrote", async () => {
    const { status, stdout, stderr } = await distill("made");
    expect(stderr).not.toMatch(/error|warning/);
    expect(stdout).toMatch(/^made: \d+ pairs, \d+ triplets, \d+ lists, in /);
    expect(stdout).toMatch(/^queries +\d of 7 used/m);
    expect(stdout).toMatch(
      /^first stage +hybrid: tau -?\d\.\d{3}, nDCG@10 \d\.\d{3} by the teacher's grades/m,
    );
    expect(stdout).toMatch(/^source first +\d/m);
    expect(stdout).toMatch(/^kd\/documents\.jsonl +\d+ +/m);
    expect(status).toBe(0);
    const made = rows("made/queries.jsonl").map(({ text }) => text);
    // "Eruptions" alone could mean anything.
    for (const text of made) expect(NOTES.map(({ title }) => title)).toContain(text);
    expect(made).not.toContain("Eruptions");
  });

  it("takes queries of a file, and prints the report as JSON", async () => {
    const { status, stdout, stderr } = await distill("given", "--queries", "questions.txt", "--json");
    expect([status, stderr]).toEqual([0, ""]);
    const { folder, files, ...report } = JSON.parse(stdout) as DistillReport & { folder: string };
    expect(folder).toBe(join(cwd, "given"));
    expect(report.queries.asked).toBe(QUESTIONS.length);
    expect(report.teacher.name).toBe("tei");
    expect(report.usage.requests).toBe(QUESTIONS.length);
    expect(report.sources).toBeUndefined();
    for (const { name, rows: count } of files) expect(rows(`given/${name}`)).toHaveLength(count);
  });

  it("goes on after a kill and asks nothing twice", async () => {
    const args = ["--queries", "questions.tsv", "--concurrency", "1", "--formats", "pairs,n-tuples,kd"];
    expect(await distill("whole", ...args)).toMatchObject({ status: 0 });
    server.seen.length = 0;
    // The server counts what it has seen.
    stuckFrom = 3;
    const command = ["distill", "idx", "--out", "killed", "--teacher", teacher(), "--depth", "8", ...args];
    const { child, result } = startMaxsim(command, { cwd });
    await expect.poll(() => server.seen.length, { timeout: 60_000 }).toBe(4);
    child.kill("SIGKILL");
    expect(await result).toMatchObject({ signal: "SIGKILL" });
    expect(existsSync(join(cwd, "killed/report.json"))).toBe(false);
    const answered = queriesSeen().slice(0, 3);
    stuckFrom = Number.POSITIVE_INFINITY;
    server.seen.length = 0;
    const { status, stdout } = await distill("killed", ...args);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^queries +.*, 3 ranked before/m);
    expect(queriesSeen()).toHaveLength(QUESTIONS.length - 3);
    for (const query of queriesSeen()) expect(answered).not.toContain(query);
    expect(contents("killed")).toEqual(contents("whole"));
  });

  it("stops at Ctrl-C, says that nothing is lost, and goes on", async () => {
    const args = ["--queries", "questions.tsv", "--concurrency", "2"];
    server.seen.length = 0;
    stuckFrom = 2;
    const command = ["distill", "idx", "--out", "stopped", "--teacher", teacher(), "--depth", "8", ...args];
    const { child, result } = startMaxsim(command, { cwd });
    await expect.poll(() => server.seen.length, { timeout: 60_000 }).toBe(4);
    child.kill("SIGINT");
    const { status, stderr } = await result;
    expect(status).toBe(130);
    expect(stderr).toMatch(/interrupted: .*aborted/);
    expect(stderr).toMatch(/What was ranked is kept/);
    stuckFrom = Number.POSITIVE_INFINITY;
    const again = await distill("stopped", ...args);
    expect(again.stdout).toMatch(/^queries +.*, 2 ranked before/m);
  });

  it("leaves out a query that the teacher fails for", async () => {
    failing = QUESTIONS[2]![0];
    const { status, stdout, stderr } = await distill("failed", "--queries", "questions.tsv");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^queries +.*1 failed/m);
    expect(stderr).toMatch(/warning: not ranked: query q2: /);
    expect(stderr).toMatch(/the same command asks again for what failed/);
    failing = "";
    server.seen.length = 0;
    expect(await distill("failed", "--queries", "questions.tsv")).toMatchObject({ status: 0 });
    expect(queriesSeen()).toEqual([QUESTIONS[2]![0]]);
  });

  it("refuses to go on with other settings", async () => {
    const { status, stderr } = await distill("given", "--queries", "questions.txt", "--mode", "late");
    expect(status).toBe(2);
    expect(stderr).toMatch(/rankings\.jsonl was begun with mode hybrid, now late/);
    expect(stderr).toMatch(/--restart/);
  });
});

describe("wrong usage", () => {
  it.each([
    ["no folder for the data", ["--teacher", "late"], 2, /--out DIR is missing/],
    ["no teacher", ["--out", "x"], 2, /--teacher RERANKER is missing/],
    ["an unknown teacher", ["--out", "x", "--teacher", "coher:x"], 2, /--teacher: .*did you mean cohere/],
    [
      "an unknown format",
      ["--out", "x", "--teacher", "late", "--formats", "csv"],
      2,
      /--formats takes pairs/,
    ],
    ["a margin above 1", ["--out", "x", "--teacher", "late", "--min-margin", "2"], 2, /--min-margin takes/],
    [
      "more ways than candidates",
      ["--out", "x", "--teacher", "late", "--depth", "5", "--ways", "6"],
      2,
      /--ways 6 is more than the 5/,
    ],
    [
      "queries twice",
      ["--out", "x", "--teacher", "late", "--queries", "a", "--queries-from", "titles"],
      2,
      /either/,
    ],
    [
      "a file without queries",
      ["--out", "x", "--teacher", "late", "--queries", "empty.txt"],
      1,
      /holds no queries/,
    ],
    [
      "a folder with other files",
      ["--out", "full", "--teacher", "late"],
      1,
      /full must be empty.*thesis\.txt/,
    ],
  ])("%s", async (_, args, status, message) => {
    const { stderr, ...result } = await maxsim("distill", "idx", ...args);
    expect(stderr).toMatch(message);
    expect(result.status).toBe(status);
    expect(existsSync(join(cwd, "x/rankings.jsonl"))).toBe(false);
  });

  it("names an index that is not there", async () => {
    const { status, stderr } = await maxsim("distill", "nowhere", "--out", "x", "--teacher", "late");
    expect([status, stderr]).toEqual([1, expect.stringMatching(/nowhere[\s\S]*maxsim index/)]);
  });
});
