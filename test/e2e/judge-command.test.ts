/** `maxsim judge`: answers from a pipe and from a terminal, going on, undoing, listing. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type CliResult,
  jsonLines,
  MAIN,
  nameOrReason,
  maxsim as runMaxsim,
  startMaxsim,
  writeFiles,
} from "../support/cli.js";
import { NOTES } from "../support/notes.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });
const qrels = join(cwd, "own/judgements/qrels.tsv");
const HEAD = "query-id\tcorpus-id\tscore\n";

/** `maxsim judge` on the index "own" with these lines as answers. */
function judge(answers: string, ...args: string[]): Promise<CliResult> {
  const { child, result } = startMaxsim(["judge", "--index", "own", "--modes", "late", ...args], { cwd });
  child.stdin!.end(answers);
  return result;
}

/** Lines of qrels.tsv without its head. */
function judgements(): string[] {
  const text = readFileSync(qrels, "utf8");
  expect(text.startsWith(HEAD) && text.endsWith("\n")).toBe(true);
  return text.slice(HEAD.length).split("\n").slice(0, -1);
}

beforeAll(async () => {
  writeFiles(cwd, {
    "notes.jsonl": jsonLines(NOTES),
    "questions.jsonl": jsonLines([
      { _id: "v", text: "why do mountains explode" },
      { _id: "m", text: "how do I manage my income and expenses" },
    ]),
    "blank.tsv": "1\twhy\n2\t \n",
    "none.tsv": "\n",
  });
  expect(await maxsim("index", "notes.jsonl", "--index", "own")).toMatchObject({ status: 0 });
});

it("keeps what a pipe answers, shows no scores, and asks the rest the next time", async () => {
  const nothing = await judge("");
  expect(nothing.stderr).toContain("a query is missing: nothing was judged before");
  expect(nothing.status).toBe(2);
  const first = await judge("y\n\ns\n3\n", "how do I repair a puncture", "-k", "3");
  expect(first).toMatchObject({
    status: 0,
    stdout: "judged 2 answers, skipped 1 answer; own/judgements/qrels.tsv\n",
  });
  expect(first.stderr).toContain("how do I repair a puncture\nquery q1: 3 answers to judge\n");
  expect(first.stderr).toMatch(
    /\n1\/3 {2}notes\.jsonl:2\nFlat tyres\n {2}Take the wheel out, lever the rubber/,
  );
  expect(first.stderr).not.toMatch(/\d\.\d\d|late|lexical/);
  expect(first.stderr).toContain("measure with them: maxsim eval --index own\n");
  const [bicycle, other] = judgements();
  expect(bicycle).toBe("q1\tbicycle\t1");
  expect(other).toMatch(/^q1\t\S+\t3$/);
  // Without a query those from before go on: what was skipped is all that is open.
  const second = await judge("n\n", "-k", "3");
  expect(second.stderr).toContain("query q1: 1 answer to judge, 2 judged before\n");
  expect(judgements()).toHaveLength(3);
  const third = await judge("y\n", "how do I repair a puncture", "-k", "3");
  expect(third).toMatchObject({ status: 0, stdout: "judged 0 answers; own/judgements/qrels.tsv\n" });
});

it("undoes answer by answer, also across queries and after the last one", async () => {
  const before = judgements();
  // v: 1 2 | m: 1, back to v's second and first, then all anew; after the last one that one again.
  const answers = ["1", "s", "u", "u", "2", "0", "1", "0", "u", "3", "q", ""].join("\n");
  const { status, stdout, stderr } = await judge(answers, "--queries", "questions.jsonl", "-k", "2");
  expect({ status, stdout }).toEqual({ status: 0, stdout: "judged 4 answers; own/judgements/qrels.tsv\n" });
  expect(stderr).toContain("that was the last one (u undo, any other key ends)");
  expect(
    judgements()
      .slice(before.length)
      .map((line) => line.replace(/\t.*\t/, " ")),
  ).toEqual(["v 2", "v 0", "m 1", "m 3"]);
  const early = await judge("u\nq\n", "something that was never asked");
  expect(early.stderr).toContain("there is nothing to undo\n");
  expect(early.stdout).toContain("judged 0 answers");
});

it("lists what was judged", async () => {
  const { stdout } = await maxsim("judge", "--list", "--index", "own");
  expect(stdout).toBe(
    [
      "id  judged  relevant  query",
      "q1       3         2  how do I repair a puncture",
      "v        2         1  why do mountains explode",
      "m        2         2  how do I manage my income and expenses",
      "",
    ].join("\n"),
  );
  const { queries } = JSON.parse((await maxsim("judge", "--list", "--index", "own", "--json")).stdout) as {
    queries: ReadonlyArray<{ id: string; judgements: ReadonlyArray<{ document: string; grade: number }> }>;
  };
  expect(queries.map(({ id, judgements: made }) => [id, made.map(({ grade }) => grade)])).toEqual([
    ["q1", [1, 3, 0]],
    ["v", [2, 0]],
    ["m", [1, 3]],
  ]);
});

it("mixes the answers of modes in an order of its own, the same each time", async () => {
  const ask = async (): Promise<string[]> => {
    const { stderr } = await judge(
      "s\n".repeat(8),
      "a commit in a log",
      "--modes",
      "late,lexical",
      "-k",
      "8",
    );
    return [...stderr.matchAll(/^\d\/8 {2}notes\.jsonl:(\d)$/gm)].map(([, line]) => line!);
  };
  const order = await ask();
  expect(new Set(order).size).toBe(NOTES.length);
  expect(await ask()).toEqual(order);
  const { stdout } = await maxsim("search", "a commit in a log", "--index", "own", "-k", "8", "--json");
  const { hits } = JSON.parse(stdout) as { hits: ReadonlyArray<{ source: { line: number } }> };
  expect(order).not.toEqual(hits.map(({ source }) => String(source.line)));
});

it("leaves verify, backup and compaction alone", async () => {
  const before = readFileSync(qrels, "utf8");
  const verified = await maxsim("verify", "--index", "own");
  expect(verified).toMatchObject({ status: 0 });
  expect(verified.stdout).not.toContain("judgements");
  expect(await maxsim("compact", "--index", "own")).toMatchObject({ status: 0 });
  expect(await maxsim("backup", "copy.tar", "--index", "own")).toMatchObject({ status: 0 });
  expect(await maxsim("restore", "copy.tar", "--index", "own", "--replace")).toMatchObject({ status: 0 });
  expect(readFileSync(qrels, "utf8")).toBe(before);
});

describe("wrong usage", () => {
  it.each([
    [["a", "--queries", "questions.jsonl"], "give either a query or --queries, not both", 2],
    [["--queries", "blank.tsv"], 'blank.tsv: query "2" is empty', 1],
    [["--queries", "none.tsv"], "none.tsv holds no queries", 1],
    [["--modes", "best"], "--modes takes late, lexical or hybrid", 2],
    [["--list", "a"], "--list goes with --index alone", 2],
  ])("%j", async (args, message, expected) => {
    const { status, stderr } = await judge("", ...args);
    expect(stderr).toContain(message);
    expect(status).toBe(expected);
  });

  it("names the line that is no answer, and keeps those before it", async () => {
    const { status, stderr } = await judge("y\nmaybe\n", "which leaves are bitter", "-k", "2");
    expect(status).toBe(1);
    expect(stderr).toContain('error: line 2 of the input is no answer: "maybe"\n');
    expect(judgements().at(-1)).toMatch(/\t1$/);
  });
});

const probe = spawnSync("script", ["-qec", "stty cols 60 rows 20", "/dev/null"], { input: "" });
const reason =
  probe.error !== undefined || probe.status !== 0
    ? "no script command (of bsdutils) that runs a command in a pseudo terminal"
    : undefined;

describe.skipIf(reason)(nameOrReason("on a terminal", reason), () => {
  const onTerminal = (line: string) =>
    startMaxsim(["-qec", `stty cols 60 rows 20; "${process.execPath}" "${MAIN}" ${line}`, "/dev/null"], {
      cwd,
      command: ["script"],
    });

  it("takes single keys, within its columns", async () => {
    expect(await maxsim("index", "notes.jsonl", "--index", "keys")).toMatchObject({ status: 0 });
    const { child, result, seen } = onTerminal("judge 'why do mountains explode' --index keys -k 3");
    await seen(/relevant\?/);
    child.stdin!.write("x2");
    await seen(/2\/\d+.*relevant\?/s);
    child.stdin!.write("\u001b[A");
    child.stdin!.write("q");
    const { status, stdout } = await result;
    expect(status).toBe(0);
    const lines = stripVTControlCharacters(stdout).split(/\r?\n/);
    expect(lines).toContain("judged 1 answer; keys/judgements/qrels.tsv");
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(60);
  });

  it("keeps what was judged at Ctrl-C", async () => {
    const { child, result, seen } = onTerminal("judge 'how do I repair a puncture' --index keys");
    await seen(/relevant\?/);
    child.stdin!.write("y");
    await seen(/2\/\d+.*relevant\?/s);
    child.stdin!.write("\u0003");
    const { status, stdout } = await result;
    expect(status).toBe(130);
    expect(stripVTControlCharacters(stdout)).toMatch(/What was judged is kept; the same command goes on\./);
    expect(existsSync(join(cwd, "keys/judgements/qrels.tsv"))).toBe(true);
    expect(readFileSync(join(cwd, "keys/judgements/qrels.tsv"), "utf8")).toMatch(/\nq2\t\S+\t1\n$/);
  });
});
