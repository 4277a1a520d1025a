/** `maxsim eval` and `eval sweep`: a small collection, runs, judgements that are odd or broken. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { jsonLines, maxsim as runMaxsim, writeFiles } from "../support/cli.js";
import { NOTES, QUESTIONS } from "../support/notes.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });

const HEAD = "query-id\tcorpus-id\tscore\n";
const qrels = QUESTIONS.map(([, id], i) => `q${i}\t${id}\t2\n`).join("");
/** Ranks 1, 2 and none for the first three queries. */
const run = [
  `q0 Q0 ${QUESTIONS[0]![1]} 1 2 x`,
  `q1 Q0 nothing 1 2 x`,
  `q1 Q0 ${QUESTIONS[1]![1]} 2 1 x`,
  "q2 Q0 nothing 1 2 x",
  "",
].join("\n");

interface Report {
  readonly collection: string;
  readonly index?: string;
  readonly queries: number;
  readonly judgements: number;
  readonly unknownDocuments: number;
  readonly baseline: string;
  readonly systems: ReadonlyArray<{
    readonly name: string;
    readonly file?: string;
    readonly metrics: Readonly<Record<string, number>>;
    readonly comparisons?: Readonly<Record<string, { readonly pValue: number; readonly difference: number }>>;
    readonly latency?: { readonly queries: number; readonly p50: number; readonly p95: number };
    readonly missingQueries: number;
    readonly perQuery?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  }>;
}

beforeAll(async () => {
  writeFiles(cwd, {
    "notes/corpus.jsonl": jsonLines(NOTES.map(({ id, ...rest }) => ({ _id: id, ...rest }))),
    "notes/queries.jsonl": jsonLines([
      ...QUESTIONS.map(([text], i) => ({ _id: `q${i}`, text })),
      { _id: "unjudged", text: "what is never asked" },
    ]),
    "notes/qrels/test.tsv": HEAD + qrels,
    "notes/qrels/odd.tsv": `${HEAD}${qrels}q0\t${QUESTIONS[0]![1]}\t2\nq0\tgone\t1\nnobody\ttea\t1\nq1\ttea\t-1\n`,
    "notes/qrels/strangers.tsv": `${HEAD}q0\tx\t1\n`,
    "notes/qrels/nobody.tsv": `${HEAD}n\ttea\t1\n`,
    "notes/qrels/empty.tsv": HEAD,
    "run.trec": run,
    "broken.trec": `${run}q3 Q0 d 1 high x\n`,
    "twice.trec": `${run}q0 Q0 ${QUESTIONS[0]![1]} 3 1 x\n`,
    "others.trec": "z1 Q0 d 1 1 x\n",
  });
  // Builds the index that the tests use.
  const { status, stderr } = await maxsim("eval", "notes", "--modes", "late", "--latency", "0");
  expect(stderr).toMatch(/^building index-data\/eval\/notes-4bit-[0-9a-f]{8} from notes\/corpus\.jsonl\n/);
  expect(status).toBe(0);
});

describe("a BEIR folder", () => {
  it("is searched in every mode, with one table, runs, and the index that is there", async () => {
    const { status, stdout, stderr } = await maxsim("eval", "notes", "--run-dir", "runs", "--latency", "2");
    expect(status).toBe(0);
    expect(stderr).not.toContain("building");
    expect(readdirSync(join(cwd, "index-data/eval"))).toHaveLength(1);
    const lines = stdout.split("\n");
    const n = QUESTIONS.length;
    expect(lines[0]).toBe(`notes (test): ${n} queries, ${n} judgements, ${NOTES.length} documents`);
    expect(lines[2]).toMatch(
      /^ +nDCG@10 +MRR@10 +Recall@10 +Recall@100 +MAP +Success@5 +nDCG@10 - lexical +p +p50 ms +p95 ms$/,
    );
    expect(lines.slice(3, 7).map((line) => line.split(" ")[0])).toEqual([
      "lexical",
      "late",
      "late+lexical",
      "hybrid",
    ]);
    expect(stdout).toContain("p: paired randomization test of nDCG@10 against lexical, two-sided");
    expect(stdout).toMatch(
      /ms: a search for 10 documents, one at a time, over 2 queries; encoding apart: p50 /,
    );
    expect(readdirSync(join(cwd, "runs")).sort()).toEqual([
      "hybrid.trec",
      "late+lexical.trec",
      "late.trec",
      "lexical.trec",
    ]);
    expect(readFileSync(join(cwd, "runs/hybrid.trec"), "utf8")).toMatch(
      /^q0 Q0 \S+ 1 \d\.\d+ maxsim-hybrid\n/,
    );
    // What was written is what was measured.
    const again = await maxsim("eval", "notes", "--run", "runs/late.trec", "--run", "runs/hybrid.trec");
    const values = (text: string, name: string): string[] =>
      text
        .split("\n")
        .find((line) => line.startsWith(`${name} `))!
        .split(/ +/)
        .slice(1, 7);
    expect(values(again.stdout, "late.trec")).toEqual(values(stdout, "late"));
    expect(values(again.stdout, "hybrid.trec")).toEqual(values(stdout, "hybrid"));
  });

  it("has a stable JSON form", async () => {
    const args = ["--modes", "late,lexical", "--limit", "3", "--latency", "1", "--json", "--per-query"];
    const { status, stdout, stderr } = await maxsim("eval", "notes", ...args, "--metrics", "ndcg@10,mrr");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({
      collection: "notes",
      split: "test",
      queries: 3,
      judgements: 3,
      unknownDocuments: 0,
      baseline: "lexical",
    });
    const [late, lexical] = report.systems;
    expect(Object.keys(late!.metrics)).toEqual(["nDCG@10", "MRR"]);
    expect(late!.latency).toMatchObject({ queries: 1 });
    expect(late!.latency!.p95).toBeGreaterThanOrEqual(late!.latency!.p50);
    expect(Object.keys(late!.perQuery!.MRR!)).toEqual(["q0", "q1", "q2"]);
    expect(late!.comparisons!["nDCG@10"]!.difference).toBeCloseTo(
      late!.metrics["nDCG@10"]! - lexical!.metrics["nDCG@10"]!,
      12,
    );
    expect(lexical!.comparisons).toBeUndefined();
  });

  it("whose judgements are odd is evaluated, and what is odd is named", async () => {
    const { status, stdout, stderr } = await maxsim(
      ...["eval", "notes", "--split", "odd", "--modes", "late", "--latency", "0"],
    );
    expect(status).toBe(0);
    const n = QUESTIONS.length;
    const odd = "notes/qrels/odd.tsv";
    expect(stderr).toContain(`warning: ${odd}:${n + 2}: the same as line 2\n`);
    expect(stderr).toContain(`warning: ${odd}:${n + 3}: the index does not have gone; 1 judged document of `);
    expect(stderr).toContain(
      `warning: ${odd}:${n + 4}: notes/queries.jsonl has no query "nobody"; 1 judged query in all, which are left out\n`,
    );
    expect(stdout).toContain(`notes (odd): ${n} queries, ${n + 2} judgements`);
  });

  it.each([
    ["strangers", /strangers\.tsv:2: the index has none of the 1 judged document, such as x\n/],
    ["nobody", /nobody\.tsv:2: notes\/queries\.jsonl has no query "n", nor any other that is judged\n/],
    ["empty", /empty\.tsv holds no judgements\n/],
    ["train", /notes has no split "train", found empty, nobody, odd, strangers, test\n/],
  ])("with the judgements %s is refused", async (split, message) => {
    const { status, stdout, stderr } = await maxsim("eval", "notes", "--split", split);
    expect(status).toBe(split === "train" ? 2 : 1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr).toContain("hint: ");
  });
});

describe("an index of --index", () => {
  it("is used as it is, or refused when it was built of something else", async () => {
    expect(await maxsim("index", "notes", "--index", "own")).toMatchObject({ status: 0 });
    const args = ["--modes", "late", "--latency", "0"];
    const own = await maxsim("eval", "notes", "--index", "own", ...args);
    expect(own.status).toBe(0);
    expect(own.stderr).toContain("own was not built by maxsim eval, and is used as it is\n");
    const apart = await maxsim(
      ...["eval", "--queries", "notes/queries.jsonl", "--qrels", "notes/qrels/test.tsv", "--index", "own"],
      ...args,
    );
    expect(apart.stdout).toContain(`queries: ${QUESTIONS.length} queries`);
    const values = (text: string): string => text.split("\n").find((line) => line.startsWith("late "))!;
    expect(values(apart.stdout)).toBe(values(own.stdout));
    const built = readdirSync(join(cwd, "index-data/eval"))[0]!;
    writeFiles(cwd, { "changed.jsonl": jsonLines([{ _id: "tea", text: "something else" }]) });
    const changed = await maxsim(
      ...["eval", "--queries", "notes/queries.jsonl", "--qrels", "notes/qrels/test.tsv"],
      ...["--corpus", "changed.jsonl", "--index", join("index-data/eval", built)],
    );
    expect(changed.status).toBe(2);
    expect(changed.stderr).toContain(
      "was built from another corpus, with another model, or with other options\n",
    );
  });
});

describe("runs", () => {
  it("are evaluated without an index, as trec_eval would", async () => {
    const { status, stdout, stderr } = await maxsim("eval", "notes", "--run", "run.trec", "--json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { systems } = JSON.parse(stdout) as Report;
    const n = QUESTIONS.length;
    expect(systems).toHaveLength(1);
    expect(systems[0]).toMatchObject({ name: "run.trec", file: "run.trec", missingQueries: n - 3 });
    expect(systems[0]!.metrics["MRR@10"]).toBeCloseTo((1 + 1 / 2) / n, 12);
    expect(systems[0]!.metrics["nDCG@10"]).toBeCloseTo((1 + 1 / Math.log2(3)) / n, 12);
    const skipped = await maxsim("eval", "notes", "--run", "run.trec", "--missing", "skip", "--json");
    expect((JSON.parse(skipped.stdout) as Report).systems[0]!.metrics["MRR@10"]).toBeCloseTo(1.5 / 3, 12);
  });

  it.each([
    ["broken.trec", 'broken.trec:5: the score must be a finite number, found "high"'],
    ["twice.trec", `twice.trec:5: ${QUESTIONS[0]![1]} stands in line 1 already for query q0`],
    [
      "others.trec",
      `others.trec answers none of the ${QUESTIONS.length} judged queries: it has z1, judged is q0`,
    ],
    ["no.trec", "cannot read no.trec"],
  ])("%s is refused", async (file, message) => {
    const { status, stderr } = await maxsim("eval", "notes", "--run", file);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});

describe("a sweep", () => {
  it("writes a drawing, a page and data", async () => {
    const { status, stdout } = await maxsim(
      ...["eval", "sweep", "notes", "--grid", "nprobe=1,4;refine=8", "--grid", "mode=lexical"],
      ...["--limit", "4", "--latency", "2", "--out", "swept"],
    );
    expect(status).toBe(0);
    expect(stdout).toContain(`notes (test): 4 queries, ${NOTES.length} documents\n`);
    expect(stdout).toMatch(/^. {2}nprobe=4 refine=8( +\d\.\d{4}){5} +\d+(\.\d+)? +\d+(\.\d+)?$/m);
    expect(stdout).toMatch(/^. {2}mode=lexical /m);
    for (const name of ["svg", "md", "json"]) expect(existsSync(join(cwd, `swept/sweep.${name}`))).toBe(true);
    const data = JSON.parse(readFileSync(join(cwd, "swept/sweep.json"), "utf8")) as {
      points: ReadonlyArray<{
        parameters: object;
        metrics: Record<string, number>;
        latency: { queries: number };
      }>;
    };
    expect(data.points.map(({ parameters }) => parameters)).toEqual([
      { nprobe: 1, refine: 8 },
      { nprobe: 4, refine: 8 },
      { mode: "lexical" },
    ]);
    expect(data.points.map(({ latency }) => latency.queries)).toEqual([2, 2, 2]);
    for (const { metrics } of data.points) expect(metrics["Exact@10"]).toBeGreaterThan(0);
    expect(readFileSync(join(cwd, "swept/sweep.md"), "utf8")).toContain("(sweep.svg)");
  });
});

describe("usage", () => {
  it.each([
    [[], "there are no judgements beside the index", 1],
    [["--queries", "q"], "--queries needs --qrels FILE, or a BEIR folder", 2],
    [["--qrels", "r"], "--qrels needs --queries FILE to search for", 2],
    [["--queries", "q", "--qrels", "r"], "--queries and --qrels need --index DIR or --corpus PATH", 2],
    [["notes", "--corpus", "c"], "give either a BEIR folder or --corpus", 2],
    [["notes", "--modes", "late,fuzzy"], "--modes takes lexical, late, late+lexical or hybrid", 2],
    [["notes", "--metrics", "bleu@4"], "a metric must be one of", 2],
    [["notes", "--run", "run.trec", "--baseline", "late"], "--baseline late: nothing of that name", 2],
    [["notes", "--run", "run.trec", "--run-dir", "x"], "--run-dir writes what is searched", 2],
    [["notes", "--per-query"], "--per-query goes with --json", 2],
    [["nowhere"], "is no BEIR folder: there is no queries.jsonl in it", 1],
    [["sweep", "--qrels", "r"], "--qrels needs --queries FILE to search for", 2],
    [["sweep", "notes", "--grid", "nprob=1"], 'no parameter is called "nprob"; did you mean nprobe?', 2],
    [["sweep", "notes", "--grid", "alpha=1"], "the grid sets alpha without mode=hybrid", 2],
    [["sweep", "notes", "--alpha", "1"], "unknown option '--alpha'", 2],
    [
      ["sweep", "notes", "--index", "own", "--grid", "nbits=2"],
      "nbits in a grid needs indexes of its own",
      2,
    ],
  ])("%j", async (args, message, expected) => {
    const { status, stderr } = await maxsim("eval", ...args);
    expect(stderr).toContain(message);
    expect(status).toBe(expected);
  });
});

it("evaluates what was judged", async () => {
  writeFileSync(join(cwd, "questions.tsv"), `a\t${QUESTIONS[0]![0]}\nb\t${QUESTIONS[1]![0]}\n`);
  const { child, result } = await import("../support/cli.js").then(({ startMaxsim }) =>
    startMaxsim(["judge", "--queries", "questions.tsv", "--index", "own", "-k", "2", "--modes", "late"], {
      cwd,
    }),
  );
  child.stdin!.end("3\nn\n1\n0\n");
  expect(await result).toMatchObject({ status: 0, stdout: "judged 4 answers; own/judgements/qrels.tsv\n" });
  const { stdout, status } = await maxsim("eval", "--index", "own", "--modes", "late", "--latency", "0");
  expect(status).toBe(0);
  expect(stdout).toContain(`own: 2 queries, 4 judgements, ${NOTES.length} documents\n`);
  expect(stdout).toMatch(/^ +nDCG@10 .* Success@5 +Judged@10$/m);
  expect(stdout).toMatch(/^late +1\.0000 +1\.0000 /m);
});
