import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MaxsimError } from "../../../src/common/errors.js";
import { type ChainOptions, type ChainStage, chainReranker } from "../../../src/rerank/chain.js";
import { Pace } from "../../../src/rerank/chain-budget.js";
import type { DocumentScores, ScoreOptions, ScoreRequest, Scorer } from "../../../src/rerank/scorer.js";
import { ScoringReranker } from "../../../src/rerank/scoring-reranker.js";
import type { RerankDocument, Reranker, RerankOptions } from "../../../src/rerank/types.js";
import { NO_USAGE } from "../../../src/rerank/usage.js";
import { describeReranker } from "../../support/reranker-conformance.js";

/** Scores documents with a function of their text. */
class TextScorer implements Scorer {
  readonly model = "";
  readonly dependsOn = "document";
  readonly batches = "all";
  readonly defaultMaxTokens = 100;
  readonly calls: ScoreRequest[][] = [];
  readonly options: ScoreOptions[] = [];
  failure: Error | undefined;
  /** Milliseconds of a call. */
  pause = 0;
  heedsSignal = true;
  closed = 0;

  constructor(
    readonly name: string,
    private readonly scoreOf: (text: string, query: string) => number,
  ) {}

  async fingerprint(): Promise<string> {
    return this.name;
  }

  async score(requests: readonly ScoreRequest[], options: ScoreOptions): Promise<DocumentScores[]> {
    this.calls.push([...requests]);
    this.options.push(options);
    if (this.failure !== undefined) throw this.failure;
    if (this.pause > 0) await sleep(this.pause, this.heedsSignal ? options.signal : undefined);
    return requests.map(({ query, documents }) => {
      return { scores: documents.map(({ text }) => this.scoreOf(text, query)), usage: { requests: 1 } };
    });
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new MaxsimError("ABORTED", "scoring was aborted"));
    });
  });
}

function shared(text: string, query: string): number {
  const words = new Set(query.split(/\W+/));
  return text.split(/\W+/).filter((word) => words.has(word)).length;
}

const byValue = (): TextScorer => new TextScorer("value", Number);
const byNegative = (): TextScorer => new TextScorer("negative", (text) => -Number(text));

function chainOf(scorers: readonly [TextScorer, number?][], options?: ChainOptions): Reranker {
  const stages = scorers.map(([scorer, depth]): ChainStage => {
    return { reranker: new ScoringReranker(scorer), ...(depth === undefined ? {} : { depth }) };
  });
  return chainReranker(stages, options);
}

async function pairs(
  reranker: Reranker,
  documents: readonly RerankDocument[],
  options?: RerankOptions,
): Promise<[RerankDocument, number][]> {
  return (await reranker.rerank("q", documents, options)).map(({ document, score }) => [document, score]);
}

const words = (name: string): TextScorer => new TextScorer(name, shared);
const lengths = (): TextScorer => new TextScorer("length", (text) => text.length);

describeReranker("a chain of one stage", async () => chainOf([[words("words")]]));
describeReranker(
  "a chain of three stages",
  async () =>
    chainOf([
      [words("words"), 20],
      [lengths(), 6],
      [words("again"), 3],
    ]),
  { staged: true },
);
describeReranker("a chain with time enough", async () => chainOf([[words("words")]], { budgetMs: 60_000 }));
describeReranker(
  "a chain of chains",
  async () => {
    const inner = chainOf([[words("words")], [lengths(), 2]]);
    return chainReranker([{ reranker: inner }, { reranker: new ScoringReranker(words("again")), depth: 4 }]);
  },
  { staged: true },
);

describe("stages", () => {
  it("see the best of the order so far; the others keep theirs behind", async () => {
    const first = byValue();
    const second = byNegative();
    const chain = chainOf([
      [first, 4],
      [second, 2],
    ]);
    expect(await pairs(chain, ["1", "3", "4", "2", "9", "8"])).toEqual([
      ["3", -3],
      ["4", -4],
      ["2", 2],
      ["1", 1],
      // Seen by none: below all others.
      ["9", -4],
      ["8", -4],
    ]);
    expect(first.calls[0]![0]!.documents.map(({ text }) => text)).toEqual(["1", "3", "4", "2"]);
    expect(second.calls[0]![0]!.documents.map(({ text }) => text)).toEqual(["4", "3"]);
  });

  it("do not waste their depth on blank documents", async () => {
    const scorer = byValue();
    const chain = chainOf([[scorer, 2]]);
    expect(await pairs(chain, [" ", "1", "", "2", "3"])).toEqual([
      ["2", 2],
      ["1", 1],
      ["3", 0],
      [" ", 0],
      ["", 0],
    ]);
  });

  it("get the requests of a batch together, with fields and limits, and their usage is added up", async () => {
    const first = byValue();
    const second = byNegative();
    const chain = chainOf([[first], [second, 1]]);
    const documents = [{ n: "1" }, { n: "2" }];
    const requests = ["a", "b"].map((query) => ({ query, documents }));
    const outcomes = await chain.rerankBatch([...requests, { query: "c", documents: [] }], {
      fields: ["n"],
      maxTokensPerDocument: 7,
      topN: 1,
    });
    expect(first.calls.map((call) => call.length)).toEqual([2]);
    expect(second.calls.map((call) => call.length)).toEqual([2]);
    expect(first.options[0]!.maxTokensPerDocument).toBe(7);
    expect(outcomes.map(({ results }) => results)).toEqual([
      [{ index: 1, score: -2, document: documents[1] }],
      [{ index: 1, score: -2, document: documents[1] }],
      [],
    ]);
    expect(outcomes[0]!.usage).toMatchObject({ scored: 3, requests: 2 });
    expect(outcomes[0]).toMatchObject({ reranked: true, warnings: [] });
  });

  it("may know documents by their ids alone", async () => {
    const seen: RerankDocument[] = [];
    const inner = new ScoringReranker(byValue());
    const byId: Reranker = Object.assign(Object.create(inner), {
      async rerankBatch(requests: readonly { documents: readonly RerankDocument[] }[]) {
        const { documents } = requests[0]!;
        seen.push(...documents);
        const results = documents.map((document, index) => ({ index, score: -index, document }));
        return [{ results, reranked: true, warnings: [], usage: {}, milliseconds: 0 }];
      },
    });
    const known = [{ id: "a" }, { id: "b", text: null }, { id: "c", text: " " }];
    await chainReranker([{ reranker: byId }]).rerank("q", known);
    expect(seen).toEqual(known);
    const blank = [
      { id: "c", text: " " },
      { id: "d", text: "2" },
    ];
    expect((await pairs(chainOf([[byValue()]]), blank)).map(([document]) => document)).toEqual([
      blank[1],
      blank[0],
    ]);
    await expect(chainOf([[byValue()]]).rerank("q", [{ id: "a" }])).rejects.toMatchObject({
      code: "INVALID_DOCUMENT",
    });
  });

  it("that do not give every document once are bugs", async () => {
    const broken = new ScoringReranker(byValue());
    const document = "1";
    for (const results of [[], [0, 0], [0, 2], [0, 1.5]]) {
      broken.rerankBatch = async (requests) =>
        requests.map(() => ({
          results: results.map((index) => ({ index, score: 1, document: document as never })),
          reranked: true,
          warnings: [],
          usage: NO_USAGE,
          milliseconds: 0,
        }));
      await expect(chainReranker([{ reranker: broken }]).rerank("q", ["1", "2"])).rejects.toMatchObject({
        code: "INTERNAL",
      });
    }
  });

  it("order like sorting prefixes, whatever the depths", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 14 }),
        fc.integer({ min: 1, max: 14 }),
        async (values, depth, deeper) => {
          const chain = chainOf([
            [byValue(), depth],
            [byNegative(), deeper],
          ]);
          const found = await chain.rerank("q", values.map(String));
          const expected = [...values];
          expected.splice(0, depth, ...values.slice(0, depth).sort((a, b) => b - a));
          expected.splice(0, deeper, ...expected.slice(0, deeper).sort((a, b) => a - b));
          expect(found.map(({ document }) => Number(document))).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("a stage that fails", () => {
  it("fails the call, or leaves the order of before and is named", async () => {
    const second = byNegative();
    second.failure = new MaxsimError("SERVICE", "the service is on fire");
    const scorers: [TextScorer, number?][] = [[byValue()], [second, 2]];
    await expect(chainOf(scorers).rerank("q", ["1", "2"])).rejects.toMatchObject({ code: "SERVICE" });
    const warnings: string[] = [];
    const logger = { debug() {}, info() {}, warn: (message: string) => warnings.push(message) };
    const lenient = chainOf(scorers, { onFailure: "first-stage", logger });
    const [outcome] = await lenient.rerankBatch([{ query: "q", documents: ["1", "2"] }]);
    expect(outcome!.results.map(({ index, score }) => [index, score])).toEqual([
      [1, 2],
      [0, 1],
    ]);
    expect(outcome!.reranked).toBe(true);
    expect(outcome!.warnings).toEqual([
      "stage 2 (negative) failed, the order is that of before: the service is on fire",
    ]);
    expect(warnings).toEqual([`chain: ${outcome!.warnings[0]}`]);
  });

  it("is told to the logger once for all requests, and what a stage warns of by the stage alone", async () => {
    const first = byValue();
    const failing = byNegative();
    failing.failure = new MaxsimError("SERVICE", "the service is on fire");
    const score = first.score.bind(first);
    first.score = async (requests, options) => {
      return (await score(requests, options)).map((one) => ({ ...one, warnings: ["one was cut"] }));
    };
    const told: string[] = [];
    const logger = { debug() {}, info() {}, warn: (message: string) => told.push(message) };
    const chain = chainReranker(
      [{ reranker: new ScoringReranker(first, { logger }) }, { reranker: new ScoringReranker(failing) }],
      { onFailure: "first-stage", logger },
    );
    const outcomes = await chain.rerankBatch([
      { query: "a", documents: ["1", "2"] },
      { query: "b", documents: ["3"] },
    ]);
    const failed = "stage 2 (negative) failed, the order is that of before: the service is on fire";
    for (const { warnings } of outcomes) expect(warnings).toEqual(["stage 1 (value): one was cut", failed]);
    expect(told).toEqual(["value: one was cut", "value: one was cut", `chain: ${failed}`]);
  });

  it("leaves the next one to rank; when none did, the outcome says so", async () => {
    const first = byValue();
    const second = byNegative();
    first.failure = new MaxsimError("TIMEOUT", "too slow");
    const chain = chainOf([[first], [second]], { onFailure: "first-stage" });
    expect(await pairs(chain, ["1", "2"])).toEqual([
      ["1", -1],
      ["2", -2],
    ]);
    second.failure = first.failure;
    const [outcome] = await chain.rerankBatch([{ query: "q", documents: ["1", "", "2"] }]);
    expect(outcome).toMatchObject({ reranked: false, usage: { scored: 0 } });
    expect(outcome!.warnings).toHaveLength(2);
    expect(outcome!.results.map(({ index, score }) => [index, score])).toEqual([
      [0, 1],
      [2, 0.5],
      [1, 0],
    ]);
  });

  it("may have kept the first stage's order by itself", async () => {
    const failing = byNegative();
    failing.failure = new MaxsimError("SERVICE", "no answer");
    const chain = chainReranker([
      { reranker: new ScoringReranker(byValue()) },
      { reranker: new ScoringReranker(failing, { onFailure: "first-stage" }) },
    ]);
    const [outcome] = await chain.rerankBatch([{ query: "q", documents: ["1", "2"] }]);
    expect(outcome!.results.map(({ index, score }) => [index, score])).toEqual([
      [1, 2],
      [0, 1],
    ]);
    expect(outcome!.warnings).toEqual([expect.stringMatching(/^stage 2 \(negative\): .*no answer/)]);
  });

  it.each([
    ["a wrong argument", new MaxsimError("INVALID_ARGUMENT", "a wrong option"), "INVALID_ARGUMENT"],
    ["a bug", new TypeError("x is not a function"), undefined],
  ])("is always thrown when it is %s", async (_, failure, code) => {
    const scorer = byValue();
    scorer.failure = failure;
    const error = await chainOf([[scorer]], { onFailure: "first-stage" })
      .rerank("q", ["1"])
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    expect(error).toBe(failure);
    if (code !== undefined) expect(error).toMatchObject({ code });
  });
});

describe("a budget", () => {
  it("aborts the stage that is under way when it ends, and leaves out the next", async () => {
    const [first, second, third] = [byValue(), byNegative(), byNegative()];
    second.pause = 60_000;
    const chain = chainOf([[first], [second, 2], [third]], { budgetMs: 150 });
    const [outcome] = await chain.rerankBatch([{ query: "q", documents: ["1", "2"] }]);
    expect(second.options[0]!.signal!.aborted).toBe(true);
    expect(third.calls).toEqual([]);
    expect(outcome!.milliseconds).toBeLessThan(5_000);
    expect(outcome!.reranked).toBe(true);
    expect(outcome!.results.map(({ index }) => index)).toEqual([1, 0]);
    expect(outcome!.warnings).toEqual([
      "stage 2 (negative) was broken off: the budget of 150 ms is used up",
      "stage 3 (negative) was left out: the budget of 150 ms is used up",
    ]);
  });

  it("does not wait for a stage that takes no notice of its signal", async () => {
    const scorer = byNegative();
    scorer.pause = 3_000;
    scorer.heedsSignal = false;
    const chain = chainOf([[scorer]], { budgetMs: 60 });
    const [outcome] = await chain.rerankBatch([{ query: "q", documents: ["1", "2"] }]);
    expect(outcome!.milliseconds).toBeLessThan(2_500);
    expect(outcome).toMatchObject({ reranked: false, warnings: [expect.stringMatching(/broken off/)] });
  });

  it("leaves out a stage that took longer than what is left before", async () => {
    const scorer = byValue();
    scorer.pause = 60_000;
    const chain = chainOf([[scorer]], { budgetMs: 60 });
    const warnings: string[] = [];
    for (let i = 0; i < 4; i++) {
      const [outcome] = await chain.rerankBatch([{ query: "q", documents: ["1"] }]);
      warnings.push(...outcome!.warnings);
    }
    expect(scorer.calls).toHaveLength(3);
    expect(warnings.slice(0, 3)).toEqual(Array(3).fill(expect.stringMatching(/broken off/)));
    expect(warnings[3]).toMatch(
      /^stage 1 \(value\) was left out: it takes about \d+ ms, \d+ of 60 ms are left$/,
    );
  });

  it("keeps the caller's abort an abort", async () => {
    const scorer = byValue();
    scorer.pause = 60_000;
    for (const options of [{ budgetMs: 50_000 }, {}]) {
      const chain = chainOf([[scorer]], { ...options, onFailure: "first-stage" });
      const controller = new AbortController();
      const call = chain.rerank("q", ["1"], { signal: controller.signal });
      setTimeout(() => controller.abort(), 10);
      await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    }
  });
});

describe("the pace of a stage", () => {
  it("is known after three calls, and by the smaller of call and documents", () => {
    const pace = new Pace();
    for (const milliseconds of [100, 1_000]) pace.record(milliseconds, 10);
    expect(pace.tooLong(10, 1)).toBeUndefined();
    pace.record(200, 10);
    expect(pace.estimate(10)).toBe(200);
    expect(pace.estimate(5)).toBe(100);
    expect(pace.estimate(100)).toBe(200);
    expect(pace.tooLong(10, 150)).toBeUndefined();
    expect(pace.tooLong(10, 130)).toBe(200);
  });

  it("counts twice what was broken off", () => {
    const pace = new Pace();
    for (let i = 0; i < 3; i++) pace.record(100, 1, true);
    expect(pace.tooLong(1, 100)).toBe(200);
    expect(pace.tooLong(1, 140)).toBeUndefined();
  });

  it("lets a stage be tried every 16th time, and forgets its past when it is quick by then", () => {
    const pace = new Pace();
    for (let i = 0; i < 40; i++) pace.record(1_000, 1);
    const untilTried = (): number => {
      for (let i = 1; ; i++) if (pace.tooLong(1, 10) === undefined) return i;
    };
    expect(untilTried()).toBe(16);
    pace.record(900, 1);
    expect(untilTried()).toBe(16);
    pace.record(5, 1);
    expect(pace.estimate(1)).toBeUndefined();
    expect(untilTried()).toBe(1);
  });
});

describe("a chain", () => {
  it("names its stages, and closes each once", async () => {
    const scorer = byValue();
    const reranker = new ScoringReranker(scorer);
    const chain = chainReranker([{ reranker, depth: 20 }, { reranker }]);
    expect([chain.name, chain.model, chain.dependsOn]).toEqual(["chain", "value@20+value", "list"]);
    await chain.close();
    await chain.close();
    expect(scorer.closed).toBe(1);
  });

  it("has a fingerprint of stages and depths", async () => {
    const prints = await Promise.all(
      [
        chainOf([[byValue()]]),
        chainOf([[byValue(), 5]]),
        chainOf([[byValue(), 6]]),
        chainOf([[byNegative(), 5]]),
        chainOf([[byValue()], [byNegative()]]),
        chainOf([[byNegative()], [byValue()]]),
      ].map((chain) => chain.fingerprint()),
    );
    expect(new Set(prints).size).toBe(6);
  });

  it.each([
    ["no stages", [], {}, /stages must be an array of one or more stages, found an array of 0/],
    ["what is no reranker", [{ reranker: {} }], {}, /stages\[0\]\.reranker must be a reranker/],
    ["depth 0", [{ reranker: new ScoringReranker(byValue()), depth: 0 }], {}, /stages\[0\]\.depth must be/],
    ["no time", [{ reranker: new ScoringReranker(byValue()) }], { budgetMs: 0 }, /budgetMs must be/],
    [
      "an unknown policy",
      [{ reranker: new ScoringReranker(byValue()) }],
      { onFailure: "shrug" },
      /onFailure must be one of/,
    ],
  ])("refuses %s", (_, stages, options, message) => {
    expect(() => chainReranker(stages as ChainStage[], options as ChainOptions)).toThrow(message);
  });
});
