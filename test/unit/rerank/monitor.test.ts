import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MaxsimError } from "../../../src/common/errors.js";
import { monitored, PROMETHEUS_CONTENT_TYPE, RerankMonitor } from "../../../src/rerank/monitor.js";
import { ValueHistogram } from "../../../src/rerank/monitor-histogram.js";
import { movementOf } from "../../../src/rerank/monitor-movement.js";
import type { DocumentScores, ScoreRequest, Scorer } from "../../../src/rerank/scorer.js";
import { ScoringReranker } from "../../../src/rerank/scoring-reranker.js";
import type { RerankOutcome } from "../../../src/rerank/types.js";
import { NO_USAGE } from "../../../src/rerank/usage.js";
import { describeReranker } from "../../support/reranker-conformance.js";

/** Scores a document with the number that it is, or words that it shares with the query. */
class NumberScorer implements Scorer {
  readonly dependsOn = "document";
  readonly batches = "all";
  readonly defaultMaxTokens = 100;
  failure: Error | undefined;

  constructor(
    readonly name = "numbers",
    readonly model = "v1",
  ) {}

  async fingerprint(): Promise<string> {
    return "numbers";
  }

  async score(requests: readonly ScoreRequest[]): Promise<DocumentScores[]> {
    if (this.failure !== undefined) throw this.failure;
    return requests.map(({ documents }) => ({
      scores: documents.map(({ text }) => (Number.isFinite(Number(text)) ? Number(text) : text.length)),
      usage: { requests: 1, inputTokens: 10 * documents.length, cost: 0.5 },
    }));
  }

  async close(): Promise<void> {}
}

describeReranker("a monitored reranker", async () => {
  return monitored(new ScoringReranker(new NumberScorer()), new RerankMonitor());
});

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

function outcomeOf(positions: readonly number[], documents: readonly string[]): RerankOutcome<string> {
  const results = positions.map((index, i) => ({ index, score: -i, document: documents[index]! }));
  return { results, reranked: true, warnings: [], usage: NO_USAGE, milliseconds: 1 };
}

describe("a monitor", () => {
  it("counts requests, documents, usage, scores and moves", async () => {
    const monitor = new RerankMonitor();
    const reranker = monitored(new ScoringReranker(new NumberScorer()), monitor);
    // Turned round: the last is the first.
    await reranker.rerankBatch([
      { query: "a", documents: numbers(20) },
      { query: "b", documents: [] },
    ]);
    await reranker.rerank("c", ["3", "2", "1"], { topN: 2 });
    const { rerankers, since } = monitor.toJSON();
    expect(Date.parse(since)).toBeLessThanOrEqual(Date.now());
    expect(rerankers).toHaveLength(1);
    const [report] = rerankers;
    expect(report).toMatchObject({
      reranker: "numbers",
      model: "v1",
      requests: 3,
      failures: {},
      unranked: 0,
      warnings: 0,
      documents: 23,
      cacheHitRate: 0,
      usage: { scored: 23, requests: 2, inputTokens: 230, cost: 1 },
      movement: { requests: 2, newFirst: 0.5, top10Kept: 0, kendallTau: 0 },
    });
    expect(report!.movement.top[1]).toBe(19 / 2);
    expect(report!.movement.top[3]).toBe((19 + 17 + 15) / 3);
    expect(report!.movement.all).toBe(10 / 2);
    expect(report!.milliseconds!.count).toBe(2);
    expect(report!.scores).toMatchObject({ count: 22, min: 0, max: 19, mean: (190 + 5) / 22 });
    expect(report!.topScores).toMatchObject({ count: 2, min: 3, max: 19 });
    expect(JSON.parse(JSON.stringify(monitor))).toEqual(JSON.parse(JSON.stringify(monitor.toJSON())));
    monitor.reset();
    expect(monitor.toJSON().rerankers).toEqual([]);
  });

  it("counts failures by code, and requests that kept their order apart", async () => {
    const monitor = new RerankMonitor();
    const scorer = new NumberScorer();
    const strict = monitored(new ScoringReranker(scorer), monitor);
    const lenient = monitored(new ScoringReranker(scorer, { onFailure: "first-stage" }), monitor);
    await expect(strict.rerank("", ["1"])).rejects.toThrow();
    scorer.failure = new MaxsimError("TIMEOUT", "no answer");
    const requests = ["a", "b"].map((query) => ({ query, documents: ["1", "2"] }));
    await expect(strict.rerankBatch(requests)).rejects.toThrow("no answer");
    scorer.failure = new TypeError("a bug");
    await expect(strict.rerank("a", ["1"])).rejects.toThrow("a bug");
    scorer.failure = new MaxsimError("SERVICE", "out of order");
    expect(await lenient.rerank("a", ["1", "2"])).toHaveLength(2);
    expect(monitor.toJSON().rerankers).toEqual([
      expect.objectContaining({
        requests: 5,
        failures: { INVALID_ARGUMENT: 1, TIMEOUT: 2, UNKNOWN: 1 },
        unranked: 1,
        warnings: 1,
        scores: null,
        topScores: null,
        cacheHitRate: null,
        movement: {
          requests: 0,
          top: { 1: null, 3: null, 10: null },
          all: null,
          newFirst: null,
          top10Kept: null,
          kendallTau: null,
        },
      }),
    ]);
  });

  it("shows what came from the cache", async () => {
    const kept = new Map<string, Float64Array>();
    const cache = {
      lookUp: async (keys: readonly string[]) => keys.map((key) => kept.get(key)),
      store: async (entries: ReadonlyArray<{ key: string; values: Float64Array }>) => {
        for (const { key, values } of entries) kept.set(key, values);
      },
    };
    const monitor = new RerankMonitor();
    const reranker = monitored(new ScoringReranker(new NumberScorer(), { cache }), monitor);
    for (let i = 0; i < 4; i++) await reranker.rerank("a", ["1", "2"]);
    expect(monitor.toJSON().rerankers[0]!.cacheHitRate).toBe(0.75);
  });

  it("keeps rerankers apart by name and model, and no more of them than fit", async () => {
    const monitor = new RerankMonitor();
    const requests = [{ query: "a", documents: ["x"] }];
    for (let i = 0; i < 300; i++) {
      monitor.record({ name: i % 2 === 0 ? "llm" : "other", model: `m${i}` }, requests, [
        outcomeOf([0], ["x"]),
      ]);
    }
    const { rerankers } = monitor.toJSON();
    expect(rerankers).toHaveLength(201);
    expect(rerankers[200]).toMatchObject({ reranker: "other", model: "", requests: 100 });
  });
});

describe("movement", () => {
  it("is counted from the places of before", () => {
    expect(movementOf([0, 1, 2], 3)).toEqual({
      top: { 1: 0, 3: 0, 10: 0 },
      all: 0,
      newFirst: false,
      topKept: undefined,
      discordant: 0,
    });
    const reversed = Array.from({ length: 12 }, (_, i) => 11 - i);
    expect(movementOf(reversed, 12)).toMatchObject({ newFirst: true, topKept: 0.8, discordant: 1 });
    expect(movementOf([7], 40)).toEqual({
      top: { 1: 7, 3: undefined, 10: undefined },
      all: 7,
      newFirst: true,
      topKept: undefined,
      discordant: undefined,
    });
  });

  it("counts pairs like counting them one by one", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(50), { minLength: 2, maxLength: 30 }), (positions) => {
        let pairs = 0;
        let turned = 0;
        for (let i = 0; i < positions.length; i++) {
          for (let j = i + 1; j < positions.length; j++) {
            pairs++;
            if (positions[i]! > positions[j]!) turned++;
          }
        }
        expect(movementOf(positions, 51).discordant).toBe(turned / pairs);
      }),
    );
  });
});

describe("a histogram of values", () => {
  it("has quantiles within 1 %, and bounds that are exact", () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const histogram = new ValueHistogram();
          for (const one of values) histogram.add(one);
          const sorted = [...values].sort((a, b) => a - b);
          const exact = sorted[Math.floor(q * (sorted.length - 1))]!;
          expect(Math.abs(histogram.quantile(q) - exact)).toBeLessThanOrEqual(0.01 * Math.abs(exact) + 1e-9);
          expect(histogram.distribution()).toMatchObject({
            count: values.length,
            min: sorted[0] as number,
            max: sorted.at(-1) as number,
          });
        },
      ),
    );
  });

  it("takes a fixed memory", () => {
    const histogram = new ValueHistogram();
    for (let i = 0; i < 200_000; i++) {
      histogram.add((i % 2 === 0 ? 1 : -1) * 10 ** ((i % 4_001) / 100 - 20));
    }
    expect(histogram.buckets).toBeLessThanOrEqual(4_838);
    expect(new ValueHistogram().distribution()).toBeUndefined();
  });
});

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Parsed {
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
}

/** Reads the text format strictly: HELP and TYPE once and first, families in one piece, no line that is anything else. */
function parsePrometheus(text: string): Parsed {
  expect(text.endsWith("\n")).toBe(true);
  const helps = new Set<string>();
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  let family = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const head = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (head !== null) {
      const [, kind, name, rest] = head;
      if (kind === "HELP") {
        if (helps.has(name!)) throw new Error(`two HELP lines of ${name}`);
        helps.add(name!);
        family = name!;
        continue;
      }
      if (name !== family || types.has(name)) throw new Error(`TYPE out of place: ${line}`);
      if (!/^(counter|gauge|histogram|summary|untyped)$/.test(rest!)) throw new Error(line);
      types.set(name, rest!);
      continue;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\} (\S+)$/.exec(line);
    if (sample === null) throw new Error(`not a line of the format: ${line}`);
    const [, name, inner, number] = sample;
    const suffixes = { histogram: /^(_bucket|_sum|_count)$/, summary: /^(|_sum|_count)$/ } as const;
    const allowed = suffixes[types.get(family) as keyof typeof suffixes] ?? /^$/;
    if (!name!.startsWith(family) || !allowed.test(name!.slice(family.length))) {
      throw new Error(`${name} is not of the family ${family}`);
    }
    const labels: Record<string, string> = {};
    let rest = inner!;
    while (rest !== "") {
      const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,(?=.)|$)/.exec(rest);
      if (label === null || label[1]! in labels) throw new Error(`wrong labels: ${line}`);
      labels[label[1]!] = label[2]!.replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
      rest = rest.slice(label[0].length);
    }
    const value = { "+Inf": Number.POSITIVE_INFINITY, "-Inf": Number.NEGATIVE_INFINITY, NaN: Number.NaN }[
      number!
    ];
    if (value === undefined && !/^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/.test(number!)) throw new Error(line);
    const identity = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(identity)) throw new Error(`twice: ${line}`);
    seen.add(identity);
    samples.push({ name: name!, labels, value: value ?? Number(number) });
  }
  return { types, samples };
}

describe("the Prometheus text", () => {
  const strange = 'a "quoted" \\ model\nof two lines {le="1"}';

  async function busyMonitor(): Promise<RerankMonitor> {
    const monitor = new RerankMonitor();
    for (const scorer of [new NumberScorer(), new NumberScorer("llm", strange)]) {
      const reranker = monitored(new ScoringReranker(scorer), monitor);
      await reranker.rerank("a", [...numbers(12), "-3.5"]);
      await reranker.rerank("a", ["1"]);
      scorer.failure = new MaxsimError("RATE_LIMITED", "slow down");
      await expect(reranker.rerank("a", ["1"])).rejects.toThrow();
    }
    monitor.record(
      { name: "slow", model: "" },
      [{ query: "a", documents: ["x"] }],
      [{ ...outcomeOf([0], ["x"]), milliseconds: 500_000 }],
    );
    monitor.recordFailure({ name: "idle", model: "" }, new Error("x"));
    return monitor;
  }

  it("is of the format, counts and histograms as they must be", async () => {
    const { types, samples } = parsePrometheus((await busyMonitor()).toPrometheus());
    const of = (name: string, labels: Record<string, string>): number | undefined => {
      return samples.find((sample) => {
        return (
          sample.name === `maxsim_rerank_${name}` &&
          Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
        );
      })?.value;
    };
    for (const [name, type] of types) expect(name.endsWith("_total")).toBe(type === "counter");
    expect(new Set(samples.map(({ labels }) => labels.model))).toEqual(new Set(["v1", strange, ""]));
    for (const model of ["v1", strange]) {
      expect(of("requests_total", { model })).toBe(3);
      expect(of("failures_total", { model, code: "RATE_LIMITED" })).toBe(1);
      expect(of("documents_total", { model })).toBe(14);
      expect(of("scores_count", { model })).toBe(14);
      expect(of("scores_sum", { model })).toBe(63.5);
      expect(of("displacement_places_sum", { model, top: "1" })).toBe(11);
      expect(of("cost_total", { model })).toBe(1);
    }
    const scoreLow = of("scores", { model: "v1", quantile: "0.01" })!;
    expect(scoreLow).toBeCloseTo(-3.5, 1);
    expect(of("scores", { reranker: "idle", quantile: "0.5" })).toBeNaN();
    for (const reranker of ["numbers", "llm", "slow", "idle"]) {
      const buckets = samples.filter(({ name, labels }) => {
        return name === "maxsim_rerank_duration_seconds_bucket" && labels.reranker === reranker;
      });
      const bounds = buckets.map(({ labels }) => Number(labels.le!.replace("+Inf", "Infinity")));
      expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
      expect(bounds.at(-1)).toBe(Number.POSITIVE_INFINITY);
      const counts = buckets.map(({ value }) => value);
      expect(counts).toEqual([...counts].sort((a, b) => a - b));
      expect(counts.at(-1)).toBe(of("duration_seconds_count", { reranker }));
    }
    expect(of("duration_seconds_bucket", { reranker: "slow", le: "120" })).toBe(0);
    expect(of("duration_seconds_sum", { reranker: "slow" })).toBe(500);
    expect(parsePrometheus(new RerankMonitor().toPrometheus()).samples).toEqual([]);
    expect(PROMETHEUS_CONTENT_TYPE).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  const promtool = spawnSync("promtool", ["--version"]).error === undefined;
  it.skipIf(!promtool)("is what promtool takes (needs promtool)", async () => {
    const input = (await busyMonitor()).toPrometheus();
    const { status, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
