/** `maxsim lift`: a small collection, stored vectors, a run, a service, judgements of one's own, wrong usage. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { jsonLines, maxsim as runMaxsim, writeFiles } from "../support/cli.js";
import { NOTES, QUESTIONS } from "../support/notes.js";
import { answer, serve } from "../support/rerank-servers.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });

const N = QUESTIONS.length;
const HEAD = "query-id\tcorpus-id\tscore\n";
const HEAVY = { id: "heavy 100%", title: "Kettles", text: "A kettle of cast iron." };
/** The right document at rank 3, behind two others; of the first query also one that no corpus has. */
const run = QUESTIONS.flatMap(([, id], i) => {
  const others = NOTES.map((note) => note.id).filter((other) => other !== id);
  const ranking = [others[0], others[1], id, ...(i === 0 ? ["nowhere", "heavy%20100%25"] : [])];
  return ranking.map((document, rank) => `q${i} Q0 ${document} ${rank + 1} ${10 - rank} x\n`);
}).join("");

interface Report {
  readonly collection: string;
  readonly documents: number;
  readonly queries: number;
  readonly comparisons: number;
  readonly first: {
    readonly name: string;
    readonly metrics: Readonly<Record<string, number>>;
    readonly latency?: { readonly queries: number };
  };
  readonly ceilings: ReadonlyArray<{ readonly depth: number; readonly recall: number }>;
  readonly rerankers: ReadonlyArray<{
    readonly name: string;
    readonly kind: string;
    readonly runs: string;
    readonly verdict: string;
    readonly chosenDepth: number;
    readonly summary: readonly string[];
    readonly depths: ReadonlyArray<{
      readonly depth: number;
      readonly metrics: Readonly<Record<string, number>>;
      readonly better: number;
      readonly adjustedPValue: number;
      readonly latency?: { readonly queries: number; readonly p50: number };
      readonly costs?: { readonly calls: number; readonly inputTokens: number };
    }>;
  }>;
  readonly recommended: string | null;
}

beforeAll(async () => {
  const documents = [...NOTES, HEAVY].map(({ id, ...rest }) => ({ _id: id, ...rest }));
  writeFiles(cwd, {
    "notes/corpus.jsonl": jsonLines(documents),
    "notes/queries.jsonl": jsonLines(QUESTIONS.map(([text], i) => ({ _id: `q${i}`, text }))),
    "notes/qrels/test.tsv": HEAD + QUESTIONS.map(([, id], i) => `q${i}\t${id}\t1\n`).join(""),
    "run.trec": run,
    "others.trec": "z1 Q0 d 1 1 x\n",
    "elsewhere.trec": "q0 Q0 nowhere 1 1 x\n",
  });
});

describe("stored vectors", () => {
  it("rerank words, with one index, times and a verdict", async () => {
    const { status, stdout, stderr } = await maxsim("lift", "notes", "--depths", "2,4", "--latency", "2");
    expect(stderr).toMatch(/^building index-data\/eval\/notes-4bit-[0-9a-f]{8} from notes\/corpus\.jsonl\n/);
    expect(status).toBe(0);
    const lines = stdout.split("\n");
    expect(lines.slice(0, 3)).toEqual([
      `notes (test): ${N} queries, ${N} judgements, ${N + 1} documents`,
      "",
      "late",
    ]);
    expect(lines[3]).toMatch(/^depth +nDCG@10 +Recall@10 .* same +p50 ms +p95 ms$/);
    expect(lines[4]).toMatch(/^lexical +0\.\d{4} +0\.\d{4} /);
    expect(stdout).toMatch(/\nlate is (not )?(worth it|shown to be worth it): nDCG@10 at depth [24] is /);
    expect(stdout).toContain("a perfect order of the same candidates\n");
    expect(readdirSync(join(cwd, "index-data/eval"))).toHaveLength(1);
  });

  it("give what an exhaustive search gives, where every document is a candidate", async () => {
    const args = ["--first", "hybrid", "--depths", "10,200", "--latency", "1", "--json"];
    const { status, stdout, stderr } = await maxsim("lift", "notes", ...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ collection: "notes", documents: N + 1, queries: N, comparisons: 1 });
    expect(report.first).toMatchObject({ name: "hybrid", latency: { queries: 1 } });
    // No query has more than nine candidates: the depth 200 is the depth 10.
    expect(report.ceilings).toMatchObject([{ depth: 10, recall: 1 }]);
    const [late] = report.rerankers;
    expect(late).toMatchObject({ name: "late", kind: "late", runs: "document", chosenDepth: 10 });
    expect(late!.summary[0]).toMatch(/^late is /);
    const modes = ["--modes", "late,hybrid", "--latency", "0", "--effort", "exact", "--json"];
    const evaluated = JSON.parse((await maxsim("eval", "notes", ...modes)).stdout) as {
      systems: ReadonlyArray<{ metrics: Record<string, number> }>;
    };
    const [searched, fused] = evaluated.systems;
    for (const metric of ["nDCG@10", "Recall@10"]) {
      expect(late!.depths[0]!.metrics[metric]).toBeCloseTo(searched!.metrics[metric]!, 12);
      expect(report.first.metrics[metric]).toBeCloseTo(fused!.metrics[metric]!, 12);
    }
  });
});

describe("a run", () => {
  it("is reranked by a service without an index, at what it costs", async () => {
    // Knows the answers: the text of the right document is best.
    await using server = await serve(({ body }, response) => {
      const { query, texts } = body as { query: string; texts: string[] };
      const id = QUESTIONS.find(([question]) => question === query)?.[1];
      const right = NOTES.find((note) => note.id === id)?.text ?? "nothing";
      const scores = texts.map((text, index) => ({ index, score: text.includes(right) ? 1 : 0 }));
      answer(response, 200, scores, { "x-compute-tokens": "7" });
    });
    const before = existsSync(join(cwd, "index-data")) ? readdirSync(join(cwd, "index-data/eval")) : [];
    const { status, stdout, stderr } = await maxsim(
      ...["lift", "notes", "--run", "run.trec", "--with", `tei:${server.url}`],
      ...["--depths", "3,4", "--latency", "1", "--markdown"],
    );
    expect(stderr).toContain(
      `warning: run.trec: the corpus has no document nowhere; 1 document of ${N + 2}, left out\n`,
    );
    expect(status).toBe(0);
    expect(stdout).toContain(
      `- tei:${server.url} is worth it: nDCG@10 at depth 3 is 1.0000 instead of 0.5000 (+100.0 %), p = 0.0156 after correction for 2 comparisons (0.0078 before).\n`,
    );
    expect(stdout).toContain("- A query costs 7 input tokens.\n");
    expect(stdout).toContain("| \\> 3 | 1.0000 | 1.0000 | 0.2000 | +100.0 % | 0.0156\\* | 8 | 0 | 0 |");
    // The warm-up, both depths of the timed query, the greatest depth of the others.
    expect(server.seen).toHaveLength(1 + 2 + (N - 1));
    expect(existsSync(join(cwd, "index-data")) ? readdirSync(join(cwd, "index-data/eval")) : []).toEqual(
      before,
    );
  });

  it("keeps its order where ranking fails and that is asked for, else ends with the error", async () => {
    await using server = await serve((_, response) => answer(response, 401, { error: "no" }));
    const args = ["lift", "notes", "--run", "run.trec", "--with", `tei:${server.url}`, "--latency", "0"];
    const failed = await maxsim(...args);
    expect({ status: failed.status, stdout: failed.stdout }).toEqual({ status: 1, stdout: "" });
    expect(failed.stderr).toContain("error: ");
    const kept = await maxsim(...args, "--on-failure", "first-stage");
    expect(kept.status).toBe(0);
    expect(kept.stdout).toContain("is not worth it: it brings no gain;");
    expect(kept.stdout).toContain(`Ranking failed for ${N} queries at depth `);
    expect(kept.stderr).toContain("further warnings of this reranker are not shown");
  });

  it.each([
    ["others.trec", `answers none of the ${N} judged queries: it has z1, judged is q0`],
    ["elsewhere.trec", "the corpus has none of its 1 document, such as nowhere"],
    ["missing.trec", "missing.trec"],
  ])("that cannot be used is refused: %s", async (file, message) => {
    const { status, stderr } = await maxsim(
      "lift",
      "notes",
      "--run",
      file,
      "--with",
      "tei:http://127.0.0.1:9",
    );
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});

describe("judgements of one's own", () => {
  it("are used beside the index", async () => {
    writeFiles(cwd, {
      "own.jsonl": jsonLines(NOTES),
    });
    expect((await maxsim("index", "own.jsonl", "--index", "own-index")).status).toBe(0);
    writeFiles(cwd, {
      "own-index/judgements/queries.jsonl": jsonLines([{ _id: "q1", text: QUESTIONS[0]![0] }]),
      "own-index/judgements/qrels.tsv": `${HEAD}q1\t${QUESTIONS[0]![1]}\t3\n`,
    });
    const { status, stdout } = await maxsim("lift", "--index", "own-index", "--latency", "0");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^own-index: 1 query, 1 judgement, 8 documents\n/);
    const none = await maxsim("lift", "--index", "nowhere");
    expect(none.status).toBe(1);
    expect(none.stderr).toContain("there are no judgements beside the index");
  });
});

describe("wrong usage", () => {
  it.each([
    [["--first", "bm25"], '--first takes lexical, late or hybrid, found "bm25"'],
    [["--first", "late", "--run", "run.trec"], "give either --first or --run"],
    [["--json", "--markdown"], "give either --json or --markdown"],
    [["--with", "late", "--with", "late"], "--with late is given twice"],
    [["--depths", "10,0"], '--depths takes a whole number from 1 to 10000, found "0"'],
    [["--depths", ""], '--depths takes a whole number from 1 to 10000, found ""'],
    [["--with", "guess:work"], "--with: "],
  ])("%j ends with status 2", async (args, message) => {
    const { status, stdout, stderr } = await maxsim("lift", "notes", ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("of a reranker that cannot be opened is told before anything is indexed or searched", async () => {
    const env = { COHERE_API_KEY: "", CO_API_KEY: "", COHERE_BASE_URL: "" };
    const { status, stderr } = await runMaxsim(["lift", "notes", "--with", "cohere"], { cwd, env });
    expect(status).toBe(1);
    expect(stderr).toContain("there is no key for cohere");
    expect(stderr).not.toContain("index:");
  });

  it("has help with examples", async () => {
    const { status, stdout } = await maxsim("lift", "--help");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: maxsim lift /);
    expect(stdout).toContain("\nExamples:\n  maxsim lift scifact\n");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});
