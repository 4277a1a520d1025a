/** `maxsim search`: one question, many queries, JSON, pipes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  cliEnvironment,
  jsonLines,
  MAIN,
  maxsim as runMaxsim,
  startMaxsim,
  writeFiles,
} from "../support/cli.js";
import { NOTES, QUESTIONS } from "../support/notes.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });

beforeAll(async () => {
  writeFiles(cwd, {
    "notes.jsonl": jsonLines(NOTES),
    "docs/a-folder/with-a-rather-long-name/bird-watching.md":
      "# Watching birds\n\nBe quiet.\n\n## Water\n\nA heron stands in the reeds and waits for fish.\n",
    "queries.jsonl": jsonLines(QUESTIONS.map(([text, id]) => ({ _id: `q-${id}`, text, metadata: {} }))),
    "queries.tsv": "1\twhy do mountains explode\n2\twhen to plant vegetables\n",
    "blank.tsv": "1\twhy\n2\t \n",
    "broken.tsv": "no tab here\n",
    "none.tsv": "\n",
  });
  expect(await maxsim("index", "notes.jsonl", "docs")).toMatchObject({ status: 0 });
});

describe("one question", () => {
  it("shows rank, score, place, title and snippet on stdout, the rest on stderr", async () => {
    const { status, stdout, stderr } = await maxsim("search", "how", "do I repair", "a puncture", "-k", "2");
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^1 {2}\d+\.\d\d {2}notes\.jsonl:2 {2}Flat tyres\n {3}Take the wheel out, .*\n\n2 {2}\d+\.\d\d {2}notes\.jsonl:\d {2}/s,
    );
    expect(stdout).not.toContain("\u001b");
    expect(stderr).toMatch(
      /^2 of 9 documents in \d+ ms, after \d+ ms of loading\nindex index-data\/default\n$/,
    );
  });

  it("names the file and a line in it that exists", async () => {
    const { stdout } = await maxsim("search", "what do herons eat", "-k", "1");
    const [, path, line] = /^1 {2}\S+ {2}(\S+):(\d+)/.exec(stdout) ?? [];
    expect(path).toBe("docs/a-folder/with-a-rather-long-name/bird-watching.md");
    const lines = readFileSync(join(cwd, path!), "utf8").split("\n");
    expect(Number(line)).toBeGreaterThan(0);
    expect(Number(line)).toBeLessThanOrEqual(lines.length);
  });

  it("has a stable JSON form", async () => {
    const { status, stdout, stderr } = await maxsim(
      "search",
      "how do I repair a puncture",
      "-k",
      "3",
      "--json",
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const answer = JSON.parse(stdout);
    expect(Object.keys(answer)).toEqual([
      "query",
      "index",
      "milliseconds",
      "hits",
      "generation",
      "truncated",
    ]);
    expect(answer).toMatchObject({
      query: "how do I repair a puncture",
      index: join(cwd, "index-data/default"),
      generation: 1,
      truncated: false,
    });
    expect(answer.hits).toHaveLength(3);
    expect(answer.hits[0]).toMatchObject({
      rank: 1,
      score: expect.any(Number),
      id: "bicycle",
      title: "Flat tyres",
      text: expect.stringContaining("Take the wheel out"),
      metadata: { topic: "workshop", tags: ["repair"] },
      source: { path: join(cwd, "notes.jsonl"), line: 2 },
      passage: { index: 0, start: 0, end: expect.any(Number), lineStart: 1, lineEnd: 1 },
      snippet: { text: expect.any(String), start: 0, highlights: expect.any(Array), cutBefore: false },
    });
  });

  it("explains each stage", async () => {
    const human = await maxsim("search", "tea", "--explain");
    expect(human.stdout).toMatch(
      /\nplan: exhaustive \(.*\)\nkernels: .*\nquery tokens: .* tea .*\nstage +seen +kept +time\n/,
    );
    const { stdout } = await maxsim("search", "tea", "--explain", "--effort", "exact", "--json");
    const { explanation } = JSON.parse(stdout);
    expect(explanation.plan).toBe("exhaustive");
    expect(explanation.stages[0]).toMatchObject({ stage: "encode", what: "tokens" });
    for (const stage of explanation.stages) expect(stage.milliseconds).toBeGreaterThanOrEqual(0);
  });

  it("shows which tokens matched in the first hits, without colours by digits", async () => {
    const { stdout } = await maxsim("search", "repair a puncture", "-k", "5", "--explain");
    expect(stdout.match(/^ +query +passage +similarity$/gm)).toHaveLength(3);
    expect(stdout).toMatch(/^ +(\d~* *)+$/m);
    expect(stdout).toContain("\nunder matched tokens: their similarity in tenths");
    for (const [wanted, expected] of [
      ["1", 1],
      ["all", 5],
    ] as const) {
      const more = await maxsim("search", "repair a puncture", "-k", "5", "--explain-hits", wanted);
      expect(more.stdout.match(/^ +query +passage +similarity$/gm)).toHaveLength(expected);
      expect(more.stdout).toContain("\nplan: ");
    }
    const none = await maxsim("search", "repair a puncture", "-k", "5", "--explain-hits", "0");
    expect(none.stdout).toContain("\nplan: ");
    expect(none.stdout).not.toContain("similarity");
  });

  it("has the matches in JSON, which add up to the score", async () => {
    const { stdout } = await maxsim("search", "repair a puncture", "-k", "2", "--explain", "--json");
    const { hits } = JSON.parse(stdout);
    for (const { score, matches } of hits) {
      const sum = matches.choices.reduce(
        (total: number, choice: { similarity: number }) => total + choice.similarity,
        0,
      );
      expect(sum).toBeCloseTo(score, 2);
      expect(matches.similarities).toHaveLength(matches.query.length);
      expect(matches.similarities[0]).toHaveLength(matches.passage.length);
    }
    // Rows of numbers take a line each.
    expect(stdout).toMatch(/^ +\[-?\d\.\d+(, -?\d(\.\d+)?)+\],?$/m);
    const plain = await maxsim("search", "repair a puncture", "-k", "1", "--json");
    expect(Object.keys(JSON.parse(plain.stdout).hits[0])).not.toContain("matches");
  });

  it("says when the query was truncated", async () => {
    const long = "why is the sky so blue in summer ".repeat(40);
    const human = await maxsim("search", long, "-k", "1");
    expect(human.status).toBe(0);
    expect(human.stderr).toContain("the query was truncated: it is longer than the model takes");
    const { stdout } = await maxsim("search", long, "-k", "1", "--json");
    expect(JSON.parse(stdout).truncated).toBe(true);
  });

  it("colours when it is told to, not because of NO_COLOR or a pipe", async () => {
    const coloured = await runMaxsim(["search", "tea", "-k", "1"], { cwd, env: { FORCE_COLOR: "1" } });
    expect(coloured.stdout).toContain("\u001b[");
    const plain = await runMaxsim(["search", "tea", "-k", "1"], { cwd, env: { NO_COLOR: "1" } });
    expect(plain.stdout).not.toContain("\u001b");
  });
});

describe("modes and filters", () => {
  const ids = async (...args: string[]): Promise<string[]> => {
    const { status, stdout, stderr } = await maxsim("search", ...args, "--json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return JSON.parse(stdout).hits.map(({ id }: { id: string }) => id);
  };

  it("finds by words, and by both", async () => {
    expect(await ids("checkpoint", "--mode", "lexical")).toEqual(["sqlite"]);
    const hybrid = ["--mode", "hybrid", "--alpha", "0.4", "--fusion", "rrf", "-k", "3"];
    expect((await ids("checkpoint", ...hybrid))[0]).toBe("sqlite");
    const { stdout } = await maxsim("search", "checkpoint", ...hybrid, "--explain");
    // Sums of reciprocal ranks need more digits than MaxSim.
    expect(stdout).toMatch(/^1 {2}0\.\d{4} {2}notes\.jsonl:4 .*\n {3}late \d+\.\d\d, lexical \d+\.\d\d\n/);
  });

  it("takes quotes and minus signs as operators, or not", async () => {
    const some = await ids('how to make tea -"boiling water"', "-k", "9");
    expect(some).not.toContain("tea");
    const all = await ids('how to make tea -"boiling water"', "-k", "9", "--plain");
    expect(all[0]).toBe("tea");
  });

  it("answers from the documents that are meant", async () => {
    expect(await ids("tea", "--filter", "topic = workshop")).toEqual(["bicycle"]);
    expect(await ids("tea", "--path", "docs")).toHaveLength(1);
    expect(await ids("tea", "--path", "./docs/**/*.txt")).toEqual([]);
    expect(await ids("tea", "--path", "docs", "--path", "notes.jsonl")).toHaveLength(9);
    expect(await ids("tea", "--path", "notes.jsonl", "--filter", '{"topic":"kitchen"}')).toEqual(["tea"]);
  });

  it("takes dates, and times of files where there are none", async () => {
    expect(await ids("tea", "--since", "today", "-k", "20")).toHaveLength(9);
    expect(await ids("tea", "--since", "2999")).toEqual([]);
  });

  it("refuses a field that no document has", async () => {
    const { status, stderr } = await maxsim("search", "tea", "--filter", "topik = kitchen");
    expect(status).toBe(2);
    expect(stderr).toContain("no document has the field topik");
    expect(stderr).toContain("hint: Did you mean topic?");
  });

  it("writes a page beside what it prints, and says where it cannot", async () => {
    const { status, stdout, stderr } = await maxsim(
      "search",
      "tea",
      "-k",
      "1",
      "--html",
      "tea.html",
      "--json",
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(Object.keys(JSON.parse(stdout))).not.toContain("explanation");
    expect(readFileSync(join(cwd, "tea.html"), "utf8")).toContain("<title>tea");
    const lost = await maxsim("search", "tea", "--html", "no/such/folder.html");
    expect(lost).toMatchObject({ status: 1, stdout: "" });
    expect(lost.stderr).toContain("error: cannot write no/such/folder.html");
  });
});

describe("a file of queries", () => {
  it.each([
    ["queries.jsonl", 5, QUESTIONS.map(([, id]) => `q-${id}`)],
    ["queries.tsv", 50, ["1", "2"]],
  ])("answers %s with a TREC run of %i hits at most", async (queries, k, ids) => {
    const { status, stdout } = await maxsim(
      "search",
      "--queries",
      queries,
      "--run",
      "out.trec",
      "-k",
      String(k),
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^answered ${ids.length} queries in .*\nrun written to out\\.trec\n$`));
    const rows = readFileSync(join(cwd, "out.trec"), "utf8").trimEnd().split("\n");
    const wanted = Math.min(k, 9);
    expect(rows).toHaveLength(ids.length * wanted);
    const byQuery = new Map<string, string[][]>(ids.map((id) => [id, []]));
    for (const row of rows) {
      const columns = row.split(" ");
      expect(columns).toHaveLength(6);
      byQuery.get(columns[0]!)!.push(columns);
    }
    for (const [, answers] of byQuery) {
      expect(answers.map(([, q0]) => q0)).toEqual(answers.map(() => "Q0"));
      expect(answers.map(([, , , rank]) => rank)).toEqual(answers.map((__, i) => String(i + 1)));
      const scores = answers.map(([, , , , score]) => Number(score));
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
      expect(new Set(answers.map(([, , id]) => id)).size).toBe(wanted);
      expect(answers[0]![5]).toBe("maxsim");
    }
    if (queries === "queries.jsonl") {
      const first = [...byQuery].filter(([id, answers]) => id === `q-${answers[0]![2]}`);
      expect(first.length).toBeGreaterThanOrEqual(6);
    }
  });

  it("reports as JSON", async () => {
    const { status, stdout, stderr } = await maxsim(
      ...["search", "--queries", "queries.tsv", "--run", "json.trec", "--json"],
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      index: join(cwd, "index-data/default"),
      queries: 2,
      run: "json.trec",
      k: 10,
      seconds: expect.any(Number),
      truncated: 0,
    });
  });

  it.each([
    ["blank.tsv", 'blank.tsv: query "2" is empty'],
    ["broken.tsv", "broken.tsv:1: an id, a tab and the text were expected"],
    ["none.tsv", "none.tsv holds no queries"],
    ["missing.tsv", "cannot read"],
  ])("refuses %s", async (queries, message) => {
    const { status, stdout, stderr } = await maxsim("search", "--queries", queries, "--run", "no.trec");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("error: ");
    expect(stderr).toContain(message);
    expect(() => readFileSync(join(cwd, "no.trec"))).toThrow("ENOENT");
  });

  it("says where a run cannot be written", async () => {
    const { status, stderr } = await maxsim(
      "search",
      "--queries",
      "queries.tsv",
      "--run",
      "no/such/run.trec",
    );
    expect(status).toBe(1);
    expect(stderr).toContain("error: cannot write no/such/run.trec");
  });
});

describe("pipes", () => {
  it("ends quietly when the reader of stdout went away", async () => {
    const { child, result } = startMaxsim(["search", "tea", "-k", "9", "--json"], { cwd });
    child.stdout!.destroy();
    expect(await result).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
  });

  it.skipIf(process.platform === "win32" && "there is no sh")("stops with head", async () => {
    const script = `"${process.execPath}" "${MAIN}" search tea | head -n 1`;
    const { result } = startMaxsim(["-c", script], { cwd, command: ["sh"], env: cliEnvironment() });
    const { status, stdout, stderr } = await result;
    expect(status).toBe(0);
    expect(stdout).toMatch(/^1 {2}\S+ {2}notes\.jsonl:1 {2}Brewing tea\n$/);
    expect(stderr).not.toContain("error");
  });
});

describe("info", () => {
  it("shows what the index holds", async () => {
    const { status, stdout, stderr } = await maxsim("info");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^index +\/.*index-data\/default$/m);
    expect(stdout).toMatch(/^documents +9$/m);
    expect(stdout).toMatch(/^model +maxsim-small-en-v1$/m);
    const json = await maxsim("info", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      documents: 9,
      generation: 1,
      nbits: 4,
      seed: 42,
      dim: 128,
    });
  });
});
