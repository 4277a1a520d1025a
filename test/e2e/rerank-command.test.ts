/** `maxsim rerank` and `maxsim search --rerank`: candidates, runs, services, caches, wrong usage. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliResult, jsonLines, maxsim as runMaxsim, startMaxsim, writeFiles } from "../support/cli.js";
import { NOTES, QUESTIONS } from "../support/notes.js";
import { answer, type LocalServer, overlap, serve } from "../support/rerank-servers.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const cache = join(cwd, "user-cache");
const env = { XDG_CACHE_HOME: cache };
const maxsim = (...args: string[]) => runMaxsim(args, { cwd, env });

/** With a text on standard input. */
function piped(input: string, ...args: string[]): Promise<CliResult> {
  const { child, result } = startMaxsim(args, { cwd, env });
  child.stdin!.end(input);
  return result;
}

interface Row {
  readonly query?: string;
  readonly query_id?: unknown;
  readonly index: number;
  readonly id?: string;
  readonly score: number;
  readonly document: unknown;
}

const rowsOf = (stdout: string): Row[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);
const indexes = (stdout: string): number[] => rowsOf(stdout).map(({ index }) => index);

const CANDIDATES = [
  { id: "tea", title: "Tea", text: "Tea leaves are steeped in hot water." },
  { id: "tyre", text: "A punctured tyre is repaired with a patch." },
  "A plain text about the weather.",
];
const QUERY = "how do I repair a tyre";

let service: LocalServer;
let failing: LocalServer;

beforeAll(async () => {
  service = await serve(({ body }, response) => {
    const { query, texts } = body as { query: string; texts: string[] };
    answer(
      response,
      200,
      texts.map((text, index) => ({ index, score: overlap(query, text) })),
    );
  });
  failing = await serve((_, response) => answer(response, 400, { error: "no", error_type: "Validation" }));
  const queries = QUESTIONS.map(([text], i) => ({ _id: `q${i}`, text }));
  writeFiles(cwd, {
    "candidates.jsonl": CANDIDATES.map((candidate) => `${JSON.stringify(candidate)}\n`).join(""),
    "notes/corpus.jsonl": jsonLines(NOTES.map(({ id, ...rest }) => ({ _id: id, ...rest }))),
    "notes/queries.jsonl": jsonLines(queries),
    "notes/qrels/test.tsv": `query-id\tcorpus-id\tscore\n${QUESTIONS.map(([, id], i) => `q${i}\t${id}\t1\n`).join("")}`,
    "first.trec": QUESTIONS.map((_, i) =>
      NOTES.map(({ id }, rank) => `q${i} Q0 ${id} ${rank + 1} ${100 - rank} x\n`).join(""),
    ).join(""),
    "foreign.trec": "q0 Q0 nowhere 1 1 x\n",
    "unasked.trec": "z Q0 tea 1 1 x\n",
  });
  expect(await maxsim("index", "notes", "--index", "store")).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await service?.close();
  await failing?.close();
});

describe("candidates", () => {
  it("come back best first, a line each, and all else goes to stderr", async () => {
    const fromFile = await maxsim("rerank", "--query", QUERY, "candidates.jsonl");
    expect(fromFile.status).toBe(0);
    const rows = rowsOf(fromFile.stdout);
    expect(rows[0]).toEqual({
      index: 1,
      id: "tyre",
      score: expect.any(Number),
      document: CANDIDATES[1],
    });
    expect(rows.map(({ document }) => document)).toEqual(rows.map(({ index }) => CANDIDATES[index]));
    expect(rows.map(({ score }) => score)).toEqual(rows.map(({ score }) => score).sort((a, b) => b - a));
    expect(fromFile.stderr).toMatch(
      /^3 documents of 1 query ranked by late maxsim-small-en-v1 in \S+ \S+\n$/,
    );
    const text = readFileSync(join(cwd, "candidates.jsonl"), "utf8");
    expect((await piped(text, "rerank", "--query", QUERY)).stdout).toBe(fromFile.stdout);
  });

  it("may have queries of their own, side by side or all at once", async () => {
    const lines = [
      { query: "tea", id: "1", body: "a cold stone" },
      { query: "tea", id: "2", body: "hot tea" },
      { query: "fire", query_id: 7, documents: ["a lake", { body: "wood that burns" }] },
      { query: "tea", id: "3", body: "tea" },
    ];
    const { status, stdout } = await piped(jsonLines(lines), "rerank", "--fields", "body", "--top", "1");
    expect(status).toBe(0);
    expect(rowsOf(stdout)).toEqual([
      { query: "tea", index: 1, id: "2", score: expect.any(Number), document: { id: "2", body: "hot tea" } },
      {
        ...{ query: "fire", query_id: 7, index: 1, score: expect.any(Number) },
        document: { body: "wood that burns" },
      },
      { query: "tea", index: 0, id: "3", score: expect.any(Number), document: { id: "3", body: "tea" } },
    ]);
  });

  it("have a JSON form, also where there are none", async () => {
    const { stdout, stderr } = await maxsim("rerank", "--query", QUERY, "candidates.jsonl", "--json");
    expect(stderr).toBe("");
    const report = JSON.parse(stdout);
    expect(Object.keys(report)).toEqual(["reranker", "model", "queries", "usage", "seconds", "skippedLines"]);
    expect(report).toMatchObject({
      reranker: "late",
      queries: [{ query: QUERY, reranked: true, warnings: [], results: [{ index: 1, id: "tyre" }, {}, {}] }],
      usage: { scored: 3, cached: 0 },
    });
    const none = await piped("\n", "rerank", "--query", QUERY, "--json");
    expect(JSON.parse(none.stdout)).toMatchObject({ queries: [], usage: { scored: 0 } });
    expect(await piped("", "rerank", "--query", QUERY)).toMatchObject({ status: 0, stdout: "" });
  });

  it("are answered before their stream ends", async () => {
    const { child, result, seen } = startMaxsim(["rerank"], { cwd, env });
    child.stdin!.write(`${JSON.stringify({ query: "tea", documents: ["hot tea", "stone"] })}\n`);
    await seen(/"document":"stone"/);
    child.stdin!.write(`${JSON.stringify({ query: "fire", documents: ["wood"] })}\n`);
    await seen(/"document":"wood"/);
    child.stdin!.end();
    expect((await result).status).toBe(0);
  });

  it("end with Ctrl-C", async () => {
    const { child, result, seen } = startMaxsim(["rerank"], { cwd, env });
    child.stdin!.write(`${JSON.stringify({ query: "tea", documents: ["hot tea"] })}\n`);
    await seen(/"document":"hot tea"/);
    child.kill("SIGINT");
    const { status, stdout } = await result;
    expect(status).toBe(130);
    expect(rowsOf(stdout)).toHaveLength(1);
  });

  it("name the line that is broken, after the answers to those before it", async () => {
    const good = JSON.stringify({ query: "tea", documents: ["hot tea"] });
    for (const [line, message] of [
      ["{", /not JSON/],
      ['{"query":"a","body":"b"}', /must have one of the fields title, text, found body.*--fields/s],
    ] as const) {
      const input = `${good}\n\n${line}\n${good}\n`;
      const { status, stdout, stderr } = await piped(input, "rerank");
      expect(status, line).toBe(1);
      expect(stderr).toMatch(/error: standard input:3: /);
      expect(stderr).toMatch(message);
      expect(rowsOf(stdout)).toHaveLength(1);
    }
    const { status, stdout, stderr } = await piped(`${good}\n{\n${good}\n`, "rerank", "--skip-invalid");
    expect(status).toBe(0);
    expect(rowsOf(stdout)).toHaveLength(2);
    expect(stderr).toMatch(/warning: left out standard input:2: not JSON/);
  });

  it("may be ids of an index, whose vectors or texts are compared", async () => {
    const ids = NOTES.slice(0, 4).map(({ id }) => id);
    const input = ids.map((id) => `${JSON.stringify(id)}\n`).join("");
    const question = QUESTIONS.find(([, id]) => id === "bicycle")![0];
    const search = JSON.parse(
      (await maxsim("search", question, "--index", "store", "-k", "50", "--json")).stdout,
    );
    const scores = new Map((search.hits as Row[]).map(({ id, score }) => [id, score]));
    const { stdout } = await piped(input, "rerank", "--index", "store", "--query", question);
    const rows = rowsOf(stdout);
    expect(rows[0]!.id).toBe("bicycle");
    for (const { id, score, document } of rows) {
      expect(score).toBeCloseTo(scores.get(id)!, 5);
      expect(document).toEqual({ id });
    }
    const remote = await piped(
      input,
      ...[
        "rerank",
        "--index",
        "store",
        "--query",
        "wheel rubber",
        "--with",
        `tei:${service.url}`,
        "--top",
        "1",
      ],
    );
    expect(rowsOf(remote.stdout)[0]!.id).toBe("bicycle");
    const lines = '{"query":"tea","documents":["tea"]}\n{"query":"b","documents":["tea","nobody"]}\n';
    const unknown = await piped(lines, "rerank", "--index", "store");
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toMatch(/error: standard input:2: the index .* has no document "nobody"/);
    expect(rowsOf(unknown.stdout)).toHaveLength(1);
    const skipped = await piped(lines, "rerank", "--index", "store", "--skip-invalid");
    expect(skipped.status).toBe(0);
    expect(skipped.stderr).toMatch(/left out standard input:2: the index .* has no document "nobody"/);
    expect(rowsOf(skipped.stdout)).toHaveLength(1);
  });
});

describe("services", () => {
  it("are asked once, and then the cache", async () => {
    const args = [
      "rerank",
      "--query",
      "a punctured tyre",
      "--with",
      `tei:${service.url}`,
      "candidates.jsonl",
    ];
    const before = service.seen.length;
    const first = await maxsim(...args);
    expect(first.status).toBe(0);
    expect(indexes(first.stdout)[0]).toBe(1);
    expect(first.stderr).toMatch(/ranked by tei.*, 0 scores from the cache \(0 %\)\n1 call\n$/);
    expect(service.seen.length).toBe(before + 1);
    const second = await maxsim(...args);
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr).toMatch(/, 3 scores from the cache \(100 %\)\n$/);
    expect(service.seen.length).toBe(before + 1);
    expect(existsSync(join(cache, "maxsim"))).toBe(true);
    const without = await maxsim(...args, "--no-cache");
    expect(without.stdout).toBe(first.stdout);
    expect(without.stderr).not.toMatch(/cache/);
    expect(service.seen.length).toBe(before + 2);
    expect((await maxsim(...args, "--cache", "own.sqlite")).stderr).toMatch(/, 0 scores from the cache/);
    expect(existsSync(join(cwd, "own.sqlite"))).toBe(true);
  });

  it("that fail are errors, or leave the order", async () => {
    const args = ["rerank", "--query", "tyre", "--with", `tei:${failing.url}`, "candidates.jsonl"];
    const failed = await maxsim(...args);
    expect(failed.stdout).toBe("");
    expect(failed.status).not.toBe(0);
    const down = args.map((arg) => (arg.startsWith("tei:") ? "tei:http://127.0.0.1:9" : arg));
    const kept = await maxsim(...down, "--on-failure", "first-stage");
    expect(kept.status).toBe(0);
    expect(indexes(kept.stdout)).toEqual([0, 1, 2]);
    expect(kept.stderr).toMatch(/1 query left in the order of the first stage/);
  });
});

describe("--run", () => {
  const ranksOf = (run: string): Map<string, string[]> => {
    const ranks = new Map<string, string[]>();
    let last = { query: "", score: Number.POSITIVE_INFINITY };
    for (const line of run.trim().split("\n")) {
      const [query = "", , id = "", rank, score] = line.split(" ");
      if (query !== last.query) last = { query, score: Number.POSITIVE_INFINITY };
      expect(Math.fround(Number(score))).toBeLessThan(Math.fround(last.score));
      last.score = Number(score);
      ranks.set(query, [...(ranks.get(query) ?? []), id]);
      expect(Number(rank)).toBe(ranks.get(query)!.length);
    }
    return ranks;
  };

  it("gives a run of the same documents in a better order", async () => {
    const { status, stdout, stderr } = await maxsim("rerank", "--run", "first.trec", "--collection", "notes");
    expect(status).toBe(0);
    expect(stderr).toMatch(/ranked by late/);
    const ranks = ranksOf(stdout);
    QUESTIONS.forEach(([, id], i) => {
      expect(ranks.get(`q${i}`)![0]).toBe(id);
      expect(new Set(ranks.get(`q${i}`))).toEqual(new Set(NOTES.map((note) => note.id)));
    });
  });

  it("takes documents and vectors of an index, and leaves what is behind the depth", async () => {
    const args = ["rerank", "--run", "first.trec", "--queries", "notes/queries.jsonl", "--index", "store"];
    const written = await maxsim(...args, "--depth", "3", "--out", "out.trec", "--json");
    expect(written).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(written.stdout)).toMatchObject({
      ...{ reranker: "late", depth: 3, queries: QUESTIONS.length, run: "out.trec", unranked: 0 },
      usage: { scored: 3 * QUESTIONS.length },
    });
    const ranks = ranksOf(readFileSync(join(cwd, "out.trec"), "utf8"));
    const order = NOTES.map(({ id }) => id);
    for (const ids of ranks.values()) {
      expect(new Set(ids.slice(0, 3))).toEqual(new Set(order.slice(0, 3)));
      expect(ids.slice(3)).toEqual(order.slice(3));
    }
  });

  it("refuses a run of other documents or queries", async () => {
    for (const [run, message] of [
      ["foreign.trec", /names document nowhere, which .*corpus\.jsonl does not have/],
      ["unasked.trec", /answers query z, but .*queries\.jsonl has no query of that id/],
    ] as const) {
      const { status, stdout, stderr } = await maxsim("rerank", "--run", run, "--collection", "notes");
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(message);
    }
  });
});

describe("maxsim search --rerank", () => {
  const question = QUESTIONS.find(([, id]) => id === "tea")![0];

  it("late compares the stored vectors of what words found", async () => {
    const args = ["search", "water", "--index", "store", "--mode", "lexical", "--rerank", "late"];
    const json = JSON.parse((await maxsim(...args, "--json")).stdout);
    const late = JSON.parse(
      (await maxsim("search", "water", "--index", "store", "-k", "50", "--json")).stdout,
    );
    const score = new Map((late.hits as Row[]).map((hit) => [hit.id, hit.score]));
    expect(json.hits.length).toBeGreaterThan(1);
    for (const hit of json.hits) {
      expect(hit.score).toBeCloseTo(score.get(hit.id)!, 5);
      expect(hit.firstStage).toEqual({ rank: expect.any(Number), score: expect.any(Number) });
    }
    expect(json.reranking).toMatchObject({ name: "late", reranked: true });
    const human = await maxsim(...args);
    expect(human.stdout).toMatch(/was \d+, \d+\.\d\d/);
    expect(human.stderr).toMatch(/documents of 1 query ranked by late maxsim-small-en-v1/);
  });

  it("asks services, and goes on without those that fail", async () => {
    const args = ["search", question, "--index", "store", "--rerank"];
    const reranked = await maxsim(...args, `tei:${service.url}`, "--depth", "4", "--json");
    expect(JSON.parse(reranked.stdout).reranking).toMatchObject({ name: "tei", documents: 4 });
    const failed = await maxsim(...args, "late@5+tei:http://127.0.0.1:9@3");
    expect(failed.status).toBe(0);
    expect(failed.stderr).toMatch(/note: .*tei/);
  });

  it("says which options late has no use for, and keeps no scores", async () => {
    const file = "unused.sqlite";
    const search = ["search", "water", "--index", "store", "--rerank", "late", "--rerank-cache", file];
    const searched = await maxsim(...search, "--rerank-fields", "url");
    expect(searched.status).toBe(0);
    expect(searched.stderr).toMatch(/--rerank-fields changes nothing: late compares the vectors/);
    expect(searched.stderr).toMatch(/no scores are kept in unused\.sqlite/);
    const rerank = ["rerank", "--index", "store", "--query", "water", "--cache", file];
    const reranked = await piped('"tea"\n', ...rerank);
    expect(reranked.status).toBe(0);
    expect(reranked.stderr).toMatch(/no scores are kept in unused\.sqlite/);
    expect(reranked.stderr).not.toMatch(/from the cache/);
    expect(existsSync(join(cwd, file))).toBe(false);
  });

  it("says why the queries of a run were not reranked", async () => {
    writeFiles(cwd, { "two.tsv": "a\tflour and water\nb\ttea\n" });
    const { status, stdout } = await maxsim(
      ...["search", "--index", "store", "--queries", "two.tsv", "--run", "plain.trec"],
      ...["-k", "8", "--rerank", "tei:http://127.0.0.1:9"],
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/2 queries left in the order of the first stage\nnote: .*tei cannot be reached/);
    expect(stdout.match(/^note:/gm)).toHaveLength(1);
  });

  it("writes runs whose scores tell the order", async () => {
    const { status, stdout } = await maxsim(
      ...["search", "--index", "store", "--queries", "notes/queries.jsonl", "--run", "reranked.trec"],
      ...["-k", "8", "--rerank", `tei:${service.url}`, "--depth", "4"],
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/reranking took \d+ calls/);
    let last = { query: "", score: 0 };
    for (const line of readFileSync(join(cwd, "reranked.trec"), "utf8").trim().split("\n")) {
      const [query = "", , , , score] = line.split(" ");
      if (query === last.query) expect(Math.fround(Number(score))).toBeLessThan(Math.fround(last.score));
      last = { query, score: Number(score) };
    }
  });
});

describe("wrong usage", () => {
  it.each([
    [["rerank", "--with", "coheer:x", "--query", "a"], /--with: .*did you mean cohere\?/],
    [["rerank", "--query", " "], /the query is empty/],
    [["rerank", "--top", "0"], /--top takes a whole number from 1/],
    [["rerank", "--fields", "a,,b"], /--fields takes names/],
    [["rerank", "--corpus", "c.jsonl"], /--corpus goes with --run FILE/],
    [["rerank", "--depth", "5"], /--depth goes with --run FILE/],
    [["rerank", "--run", "first.trec"], /--run needs the texts of its queries/],
    [["rerank", "--run", "first.trec", "--queries", "q.jsonl"], /--run needs its documents/],
    [["rerank", "--run", "a", "--collection", "notes", "--json"], /--json with --run needs --out FILE/],
    [["rerank", "a.jsonl", "--run", "b"], /give either candidates or --run/],
    [["search", "a", "--depth", "5"], /--depth goes with --rerank/],
    [["search", "a", "--no-rerank-cache"], /--rerank-cache goes with --rerank/],
    [["search", "a", "--rerank", "late@0"], /--rerank: .*a depth is a number/],
  ])("of %j is refused", async (args, message) => {
    const { status, stdout, stderr } = await maxsim(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("and missing files are named", async () => {
    const missing = await maxsim("rerank", "--query", "a", "nowhere.jsonl");
    expect(missing.status).toBe(1);
    expect(missing.stderr).toMatch(/nowhere\.jsonl/);
    const keyless = await maxsim("rerank", "--query", "a", "--with", "cohere", "candidates.jsonl");
    expect(keyless.status).toBe(1);
    expect(keyless.stderr).toMatch(/COHERE_API_KEY/);
  });
});
