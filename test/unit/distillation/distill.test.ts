/** Whole distillations on a small index, with teachers that count what they are asked, fail, or are stopped. */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ErrorCode, MaxsimError } from "../../../src/common/errors.js";
import { distill } from "../../../src/distillation/distill.js";
import { readQueryFile } from "../../../src/distillation/queries.js";
import type { DistillReport } from "../../../src/distillation/report.js";
import type { DistillOptions } from "../../../src/distillation/types.js";
import type { DocumentInput } from "../../../src/documents/types.js";
import { Index } from "../../../src/engine/index.js";
import type { DocumentScores, ScoreRequest, Scorer } from "../../../src/rerank/scorer.js";
import { ScoringReranker } from "../../../src/rerank/scoring-reranker.js";
import type { Reranker } from "../../../src/rerank/types.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import { writeTinyModel } from "../../support/tiny-model.js";

const newFolder = temporaryFolders();
const CONFIG = { query_length: 16, document_length: 32, do_query_expansion: false, embedding_dim: 16 };

const WORDS = "the cat sat on mat dog running fast search index token".split(" ");
const text = (i: number): string =>
  Array.from({ length: 6 + (i % 5) }, (_, j) => WORDS[(i * 3 + j * (1 + (i % 4))) % WORDS.length]).join(" ");

/** Twelve with titles as their first line; the last two have the same text. */
const DOCUMENTS: readonly DocumentInput[] = [
  ...Array.from({ length: 12 }, (_, i) => {
    const title = `The ${WORDS[(i % 10) + 1]} ${WORDS[(i * 7 + 2) % 11]} number ${i}`;
    return { id: `doc-${i}`, title, text: `${title}\n\n${text(i)}` };
  }),
  { id: "twin-a", text: "cat dog mat token" },
  { id: "twin-b", text: "cat  dog\nmat token" },
];
const QUERIES = ["cat on the mat", "running dog", 'fast "search', "token index -cat", "dog token"].map(
  (query, i) => ({ id: `q${i}`, text: query }),
);

class Teacher implements Scorer {
  readonly name: string = "words";
  readonly model = "test";
  readonly dependsOn = "document";
  readonly batches = "one";
  readonly defaultMaxTokens = 100;
  readonly asked: ScoreRequest[] = [];
  /** Called with the number of the question, from 1. */
  before: (count: number, query: string) => void = () => undefined;

  constructor(readonly version = "1") {}

  async fingerprint(): Promise<string> {
    return `words ${this.version}`;
  }

  async score(requests: readonly ScoreRequest[]): Promise<DocumentScores[]> {
    return requests.map((request) => {
      this.asked.push(request);
      this.before(this.asked.length, request.query);
      return { scores: request.documents.map(({ text: words }) => relevance(request.query, words)) };
    });
  }

  async close(): Promise<void> {}
}

/** Shared words, the shorter document the better. */
function relevance(query: string, document: string): number {
  const words = document.toLowerCase().split(/\W+/);
  const wanted = new Set(query.toLowerCase().split(/\W+/));
  return words.filter((word) => wanted.has(word)).length / (words.length + 1);
}

let index: Index;
beforeAll(async () => {
  const model = await newFolder();
  await writeTinyModel(model, { "onnx_config.json": CONFIG });
  index = await Index.create(join(await newFolder(), "index"), { model, threads: 1 });
  await index.add(DOCUMENTS);
});
afterAll(async () => {
  await index?.close();
});

interface Options extends Partial<Omit<DistillOptions, "teacher">> {
  readonly scorer?: Teacher;
  /** Queries are made from titles. */
  readonly made?: boolean;
}

async function run({ scorer = new Teacher(), made = false, ...options }: Options = {}) {
  const out = options.out ?? join(await newFolder(), "out");
  const teacher: Reranker = new ScoringReranker(scorer);
  const queries = made ? {} : { queries: QUERIES };
  const result = await distill(index, { ...queries, depth: 8, negatives: 2, ...options, out, teacher });
  return { ...result, out, asked: scorer.asked };
}

type Row = Readonly<Record<string, unknown>>;
const rows = (out: string, name: string): Row[] =>
  readFileSync(join(out, name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
/** Everything but the journal, whose order is that of the answers. */
const contents = (out: string): Record<string, string> => {
  const names = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) =>
    /jsonl?$|md$/.test(name),
  );
  const kept = names.filter((name) => !name.includes("rankings")).sort();
  return Object.fromEntries(kept.map((name) => [name, readFileSync(join(out, name), "utf8")]));
};

describe("training data of queries that are given", () => {
  it("has the columns that libraries expect, and agrees with itself", async () => {
    const { out, report } = await run({
      formats: ["pairs", "triplets", "n-tuples", "scored", "margins", "kd"],
    });
    expect(report.queries).toMatchObject({ asked: 5, ranked: 5, failed: 0, warned: 0 });
    const pairs = rows(out, "pairs.jsonl");
    expect(pairs).toHaveLength(report.pairs);
    expect(pairs.map((row) => Object.keys(row))).toEqual(pairs.map(() => ["anchor", "positive"]));
    const triplets = rows(out, "triplets.jsonl");
    expect(triplets).toHaveLength(report.triplets);
    for (const { anchor, positive, negative, ...rest } of triplets) {
      expect(rest).toEqual({});
      expect(relevance(anchor as string, negative as string)).toBeLessThanOrEqual(
        0.95 * relevance(anchor as string, positive as string),
      );
    }
    for (const row of rows(out, "n-tuples.jsonl")) {
      expect(Object.keys(row)).toEqual(["anchor", "positive", "negative_1", "negative_2", "scores"]);
      expect(row.scores).toEqual(
        ["positive", "negative_1", "negative_2"].map((name) =>
          relevance(row.anchor as string, row[name] as string),
        ),
      );
    }
    for (const row of rows(out, "scored.jsonl")) {
      expect(Object.keys(row)).toEqual(["query", "passage", "score"]);
      expect(row.score).toBe(relevance(row.query as string, row.passage as string));
    }
    for (const { query, positive, negative, label } of rows(out, "margins.jsonl")) {
      expect(label).toBe(
        relevance(query as string, positive as string) - relevance(query as string, negative as string),
      );
    }
    const texts = new Map(rows(out, "kd/documents.jsonl").map((row) => [row.document_id, row.text]));
    const questions = new Map(rows(out, "kd/queries.jsonl").map((row) => [row.query_id, row.text]));
    const train = rows(out, "kd/train.jsonl");
    expect(train).toHaveLength(report.kd!.rows);
    for (const { query_id, document_ids, scores } of train) {
      const ids = document_ids as string[];
      expect(ids).toHaveLength(report.kd!.ways);
      expect(scores).toEqual(
        ids.map((id) => relevance(questions.get(query_id) as string, texts.get(id) as string)),
      );
    }
    const saved = JSON.parse(readFileSync(join(out, "report.json"), "utf8")) as DistillReport;
    expect(saved).toEqual(report);
    expect(report.files.map(({ name }) => name)).toEqual([
      "queries.jsonl",
      "pairs.jsonl",
      "triplets.jsonl",
      "n-tuples.jsonl",
      "scored.jsonl",
      "margins.jsonl",
      "kd/train.jsonl",
      "kd/queries.jsonl",
      "kd/documents.jsonl",
    ]);
    for (const { name, rows: count, bytes } of report.files) {
      expect(rows(out, name)).toHaveLength(count);
      expect(readFileSync(join(out, name))).toHaveLength(bytes);
    }
    expect(await readQueryFile(join(out, "queries.jsonl"))).toEqual(QUERIES);
  });

  it("writes whole numbers with a point, so that a column has one type", async () => {
    const { out } = await run({ formats: ["scored", "kd"] });
    expect(readFileSync(join(out, "scored.jsonl"), "utf8")).not.toMatch(/"score": -?\d+[,}]/);
    expect(readFileSync(join(out, "kd/train.jsonl"), "utf8")).not.toMatch(/[[ ]-?\d+[,\]]/);
  });

  it("asks for no text twice in a query, and for the same texts that it writes", async () => {
    const { asked } = await run({ queries: [{ id: "t", text: "cat dog mat token" }], depth: 14 });
    const seen = asked[0]!.documents.map(({ text: words }) => words.replace(/\s+/g, " "));
    expect(seen.filter((words) => words === "cat dog mat token")).toHaveLength(1);
    expect(new Set(seen).size).toBe(seen.length);
    // Titles stay in texts of queries that people asked.
    expect(seen.some((words) => words.includes("number"))).toBe(true);
  });

  it("grades a chain by its order", async () => {
    const scorer = new Teacher();
    (scorer as { name: string }).name = "chain";
    const { report } = await run({ scorer, formats: ["kd"] });
    expect(report.grades).toBe("order");
    expect(report.scores.all!.max).toBe(1);
  });
});

describe("queries made from titles", () => {
  it("are not contained in the texts, and know their sources", async () => {
    const { out, report, asked } = await run({
      made: true,
      formats: ["pairs", "triplets", "kd"],
    });
    expect(report.settings.queries).toBe("made");
    expect(report.queries.asked).toBe(12);
    expect(report.sources).toMatchObject({ queries: 12 });
    expect(report.sources!.found).toBeGreaterThan(0);
    for (const { query, documents } of asked) {
      for (const { text: words } of documents) expect(words).not.toContain(query);
    }
    const queries = rows(out, "queries.jsonl") as {
      _id: string;
      text: string;
      metadata: { sources: string[] };
    }[];
    for (const { text: query, metadata } of queries) {
      const source = DOCUMENTS.find(({ id }) => id === metadata.sources[0])!;
      expect(source.title).toBe(query);
      const own = source.text.split("\n\n")[1];
      for (const triplet of rows(out, "triplets.jsonl")) {
        if (triplet.anchor === query) expect(triplet.negative).not.toBe(own);
      }
    }
  });

  it("are a seeded sample, which a larger limit adds to", async () => {
    const asked = async (limit: number, seed: number) => {
      const found = await run({ made: true, limit, seed, formats: ["pairs"] });
      return new Set(found.asked.map(({ query }) => query));
    };
    const [three, six, other] = [await asked(3, 1), await asked(6, 1), await asked(6, 2)];
    expect([three.size, six.size]).toEqual([3, 6]);
    expect([...three].every((query) => six.has(query))).toBe(true);
    expect(other).not.toEqual(six);
  });
});

describe("a run that was stopped", () => {
  it("goes on where it was, asks nothing twice, and gives the same files", async () => {
    const whole = await run();
    const controller = new AbortController();
    const scorer = new Teacher();
    scorer.before = (count) => {
      if (count === 3) controller.abort(new Error("enough"));
    };
    const out = join(await newFolder(), "out");
    const options = { out, scorer, concurrency: 1 };
    await expect(run({ ...options, signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(existsSync(join(out, "report.json"))).toBe(false);
    // What a kill in the middle of a line leaves.
    appendFileSync(join(out, "rankings.jsonl"), '{"query": "q4", "key"');
    const before = scorer.asked.map(({ query }) => query);
    const again = new Teacher();
    const resumed = await run({ ...options, scorer: again });
    const kept = rows(out, "rankings.jsonl").length - 1;
    expect(kept).toBe(5);
    expect(resumed.resumed + again.asked.length).toBe(5);
    expect(resumed.resumed).toBeGreaterThanOrEqual(2);
    expect(again.asked.map(({ query }) => query)).not.toContain(before[0]);
    expect(contents(out)).toEqual(contents(whole.out));
    const third = await run({ ...options, scorer: new Teacher() });
    expect(third.asked).toHaveLength(0);
    expect(contents(out)).toEqual(contents(whole.out));
  });

  it("asks for nothing when only the choice of examples is another one", async () => {
    const first = await run();
    const second = await run({ out: first.out, negatives: 1, formats: ["pairs", "n-tuples"], seed: 7 });
    expect(second.asked).toHaveLength(0);
    expect(existsSync(join(first.out, "kd"))).toBe(false);
    const fresh = await run({ negatives: 1, formats: ["pairs", "n-tuples"], seed: 7 });
    expect(readFileSync(join(first.out, "n-tuples.jsonl"))).toEqual(
      readFileSync(join(fresh.out, "n-tuples.jsonl")),
    );
  });

  it("is refused with other settings, unless it begins anew", async () => {
    const { out } = await run();
    await expect(run({ out, depth: 5 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/rankings\.jsonl was begun with depth 8, now 5$/),
      hint: expect.stringContaining("--restart"),
    });
    await expect(run({ out, scorer: new Teacher("2") })).rejects.toMatchObject({
      message: expect.stringMatching(/teacher fingerprint words 1, now words 2/),
    });
    const anew = await run({ out, depth: 5, restart: true });
    expect(anew.asked).toHaveLength(5);
  });

  it("asks again for a query whose text has changed", async () => {
    const { out } = await run();
    const queries = QUERIES.map((query, i) => (i === 2 ? { ...query, text: "fast running" } : query));
    const { asked, resumed } = await run({ out, queries });
    expect([asked.map(({ query }) => query), resumed]).toEqual([["fast running"], 4]);
  });

  it("names a line of the journal that is damaged", async () => {
    const { out } = await run();
    const path = join(out, "rankings.jsonl");
    const lines = readFileSync(path, "utf8").split("\n");
    writeFileSync(path, lines.with(2, lines[2]!.replace(/"order":\[\d+/, '"order":[99')).join("\n"));
    await expect(run({ out })).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringMatching(/rankings\.jsonl:3 is damaged: it is no ranking/),
    });
  });
});

describe("a teacher that fails", () => {
  const failing = (code: ErrorCode, when: (count: number, query: string) => boolean): Teacher => {
    const scorer = new Teacher();
    scorer.before = (count, query) => {
      if (when(count, query)) throw new MaxsimError(code, "it is down");
    };
    return scorer;
  };

  it("for a query leaves that out, and is asked again by the next run", async () => {
    const scorer = failing("SERVICE", (_, query) => query === QUERIES[1]!.text);
    const { out, report, failures } = await run({ scorer });
    expect(report.queries).toMatchObject({ asked: 5, ranked: 4, failed: 1 });
    expect(failures).toEqual(["q1: it is down"]);
    expect(rows(out, "pairs.jsonl").map(({ anchor }) => anchor)).not.toContain(QUERIES[1]!.text);
    const again = await run({ out });
    expect(again.asked.map(({ query }) => query)).toEqual([QUERIES[1]!.text]);
    expect(contents(out)).toEqual(contents((await run()).out));
  });

  it("is left out as well where it only keeps the order", async () => {
    const scorer = failing("SERVICE", (_, query) => query === QUERIES[1]!.text);
    const teacher = new ScoringReranker(scorer, { onFailure: "first-stage" });
    const out = join(await newFolder(), "out");
    const { report } = await distill(index, { out, teacher, queries: QUERIES, depth: 8 });
    expect(report.queries).toMatchObject({ ranked: 4, failed: 1 });
  });

  it("of a part of a ranking leaves its query out, and is asked again", async () => {
    const scorer = new Teacher();
    const whole = scorer.score.bind(scorer);
    scorer.score = async (requests: readonly ScoreRequest[]) => {
      const results = await whole(requests);
      return results.map((result, i): DocumentScores => {
        const half = requests[i]!.query === QUERIES[1]!.text;
        return half ? { ...result, complete: false, warnings: ["one call failed"] } : result;
      });
    };
    const { out, report, failures } = await run({ scorer });
    expect(report.queries).toMatchObject({ asked: 5, ranked: 4, failed: 1 });
    expect(failures).toEqual(["q1: the teacher ranked a part of it only: one call failed"]);
    expect((await run({ out })).asked.map(({ query }) => query)).toEqual([QUERIES[1]!.text]);
  });

  it("every time ends the run", async () => {
    const queries = Array.from({ length: 30 }, (_, i) => ({ id: `${i}`, text: `cat number ${i}` }));
    const scorer = failing("TIMEOUT", () => true);
    await expect(run({ scorer, queries, concurrency: 1 })).rejects.toMatchObject({
      code: "SERVICE",
      message: expect.stringMatching(/failed for 10 queries in a row; the last one, 9: it is down/),
    });
    expect(scorer.asked).toHaveLength(10);
    await expect(run({ scorer: failing("TIMEOUT", () => true) })).rejects.toMatchObject({
      message: expect.stringMatching(/ranked no query/),
    });
  });

  it("for good ends the run at once", async () => {
    const scorer = failing("UNAUTHORIZED", () => true);
    await expect(run({ scorer, concurrency: 1 })).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(scorer.asked).toHaveLength(1);
  });
});

describe("a second teacher", () => {
  it("ranks the same candidates, and is compared with the first", async () => {
    const second = new Teacher("second");
    const secondTeacher = new ScoringReranker(second);
    const { report, out, asked } = await run({ secondTeacher });
    expect(report.teachers).toMatchObject({ bestDiffers: 0, queries: 5 });
    expect(report.teachers!.kendallTau).toBeCloseTo(1, 12);
    expect(report.secondTeacher!.fingerprint).toBe("words second");
    const texts = (requests: readonly ScoreRequest[]) =>
      new Map(requests.map(({ query, documents }) => [query, documents.map(({ text: words }) => words)]));
    expect(texts(second.asked)).toEqual(texts(asked));
    const later = new Teacher("second");
    await run({ out, secondTeacher: new ScoringReranker(later) });
    expect(later.asked).toHaveLength(0);
  });

  it("can be asked later, without the first", async () => {
    const { out } = await run();
    const second = new Teacher("second");
    const { asked, report } = await run({ out, secondTeacher: new ScoringReranker(second) });
    expect([asked.length, second.asked.length]).toEqual([0, 5]);
    expect(report.teachers!.queries).toBe(5);
  });
});

describe("what cannot be distilled", () => {
  it("is said", async () => {
    const full = await newFolder();
    writeFileSync(join(full, "thesis.txt"), "mine");
    await expect(run({ out: full })).rejects.toMatchObject({
      code: "TARGET_EXISTS",
      message: expect.stringMatching(/found thesis\.txt$/),
    });
    await expect(run({ queries: [] })).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(run({ queries: [{ id: "a", text: " " }] })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await expect(run({ depth: 1 })).rejects.toMatchObject({
      message: expect.stringMatching(/^depth must be/),
    });
    await expect(run({ formats: ["csv" as never] })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const empty = await Index.create(join(await newFolder(), "index"), { model: null, dim: 8 });
    const teacher = new ScoringReranker(new Teacher());
    await expect(distill(empty, { out: join(await newFolder(), "out"), teacher })).rejects.toMatchObject({
      code: "EMPTY_CORPUS",
    });
    await empty.addEmbeddings([{ id: "a", vectors: [new Float32Array(8).fill(1)], text: "no title" }]);
    await expect(distill(empty, { out: join(await newFolder(), "out"), teacher })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      hint: expect.stringContaining("--queries"),
    });
    await empty.close();
  });
});
