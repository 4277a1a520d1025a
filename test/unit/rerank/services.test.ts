import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ScoreCache } from "../../../src/rerank/score-cache.js";
import { cohereReranker } from "../../../src/rerank/services/cohere.js";
import { jinaReranker } from "../../../src/rerank/services/jina.js";
import type { ServiceOptions } from "../../../src/rerank/services/service.js";
import { teiReranker } from "../../../src/rerank/services/tei.js";
import { voyageReranker } from "../../../src/rerank/services/voyage.js";
import type { Reranker } from "../../../src/rerank/types.js";
import {
  answer,
  FAKE_KEY,
  goodAnswer,
  type Handler,
  inTurn,
  overlap,
  type ServiceName,
  serve,
  workingService,
} from "../../support/rerank-servers.js";
import { describeReranker } from "../../support/reranker-conformance.js";

const FACTORIES: Readonly<Record<ServiceName, (options: ServiceOptions) => Reranker>> = {
  cohere: cohereReranker,
  jina: jinaReranker,
  voyage: voyageReranker,
  tei: teiReranker,
};
const SERVICES = Object.keys(FACTORIES) as ServiceName[];
const VARIABLES = SERVICES.flatMap((name) => [`${name}_API_KEY`, `${name}_BASE_URL`]).map((name) =>
  name.toUpperCase(),
);

const DOCUMENTS = ["bread and salt", "bees find flowers", "bees find their way home", "a train"];
const QUERY = "bees find home";

beforeEach(() => {
  for (const name of [...VARIABLES, "CO_API_KEY"]) vi.stubEnv(name, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A reranker on a server with this handler. */
async function on(service: ServiceName, handler: Handler, options: ServiceOptions = {}) {
  const server = await serve(handler);
  const reranker = FACTORIES[service]({ baseUrl: server.url, apiKey: FAKE_KEY, ...options });
  const dispose = async (): Promise<void> => {
    await reranker.close();
    await server.close();
  };
  return { reranker, server, [Symbol.asyncDispose]: dispose };
}

for (const service of SERVICES) {
  const server = await serve(workingService(service));
  afterAll(() => server.close());
  describeReranker(service, async () => FACTORIES[service]({ baseUrl: server.url, apiKey: FAKE_KEY }));
}

describe("the requests", () => {
  it.each<[ServiceName, string, unknown]>([
    [
      "cohere",
      "/v2/rerank",
      { model: "rerank-v5.0-pro", query: QUERY, documents: DOCUMENTS, max_tokens_per_doc: 4_096 },
    ],
    [
      "jina",
      "/v1/rerank",
      { model: "jina-reranker-v3.5", query: QUERY, documents: DOCUMENTS, return_documents: false },
    ],
    [
      "voyage",
      "/v1/rerank",
      { model: "rerank-2.5", query: QUERY, documents: DOCUMENTS, return_documents: false, truncation: true },
    ],
    ["tei", "/rerank", { query: QUERY, texts: DOCUMENTS, truncate: true }],
  ])("of %s have the published form", async (service, path, body) => {
    await using local = await on(service, workingService(service));
    const [outcome] = await local.reranker.rerankBatch([{ query: QUERY, documents: DOCUMENTS }]);
    expect(local.server.seen).toMatchObject([{ path, body }]);
    expect(local.server.seen[0]!.headers.authorization).toBe(`Bearer ${FAKE_KEY}`);
    expect(local.server.seen[0]!.body).toEqual(body);
    expect(outcome!.results.map(({ index, score }) => [index, score])).toEqual([
      [2, 1],
      [1, 2 / 3],
      [0, 0],
      [3, 0],
    ]);
    expect(local.reranker.name).toBe(service);
  });

  it("name the model that was asked for", async () => {
    await using local = await on("jina", workingService("jina"), { model: "jina-reranker-m0" });
    await local.reranker.rerank(QUERY, DOCUMENTS);
    expect(local.reranker.model).toBe("jina-reranker-m0");
    expect(local.server.seen).toMatchObject([{ body: { model: "jina-reranker-m0" } }]);
  });

  it("have no halves of characters", async () => {
    await using local = await on("tei", workingService("tei"));
    await local.reranker.rerank("bees \ud83d", ["bees \udc1d \u{1f41d}"]);
    expect(local.server.seen).toMatchObject([
      { body: { query: "bees \ufffd", texts: ["bees \ufffd \u{1f41d}"] } },
    ]);
  });
});

describe("many documents", () => {
  const many = Array.from(
    { length: 75 },
    (_, i) => `bees ${i % 3 === 0 ? "find" : ""} ${i % 7 === 0 ? "home" : ""} ${i}`,
  );

  it("are sent in parts and come back as one ranking", async () => {
    await using local = await on("tei", workingService("tei"));
    const [outcome] = await local.reranker.rerankBatch([{ query: QUERY, documents: many }]);
    const sizes = local.server.seen.map(({ body }) => (body as { texts: string[] }).texts.length);
    expect(sizes.sort((a, b) => a - b)).toEqual([11, 32, 32]);
    const expected = Array.from(many.keys()).sort(
      (a, b) => overlap(QUERY, many[b]!) - overlap(QUERY, many[a]!) || a - b,
    );
    expect(outcome!.results.map(({ index }) => index)).toEqual(expected);
    expect(outcome!.usage).toMatchObject({ requests: 3, inputTokens: 150, scored: 75 });
  });

  it("can be of many requests at once without a warning of Node, also those with one signal", async () => {
    const warnings: string[] = [];
    const listen = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", listen);
    try {
      await using local = await on("tei", workingService("tei"), { batchSize: 5, concurrency: 16 });
      const { signal } = new AbortController();
      await Promise.all(
        Array.from({ length: 12 }, () => local.reranker.rerank(QUERY, many.slice(0, 20), { signal })),
      );
      // Warnings come a turn later.
      await new Promise((resolve) => setTimeout(resolve));
      expect(warnings).toEqual([]);
    } finally {
      process.off("warning", listen);
    }
  });

  it("make the parts that they were given", async () => {
    await using local = await on("cohere", workingService("cohere"), { batchSize: 20 });
    const [outcome] = await local.reranker.rerankBatch([{ query: QUERY, documents: many }]);
    expect(outcome!.usage).toMatchObject({ requests: 4, searchUnits: 4 });
  });

  it("are a few calls at a time, over all requests", async () => {
    const held: (() => void)[] = [];
    let most = 0;
    const slow: Handler = (request, response, number) => {
      held.push(() => answer(response, 200, goodAnswer("cohere", request.body).json));
      most = Math.max(most, held.length);
      const flush = (): void => held.splice(0).forEach((give) => void give());
      // Three are held for a while, so that a fourth would be noticed; 30 and 31 are the last two of all.
      if (held.length === 3 || number === 31) setTimeout(flush, 5);
    };
    await using local = await on("cohere", slow, { batchSize: 10, concurrency: 3 });
    await local.reranker.rerankBatch([1, 2, 3, 4].map(() => ({ query: QUERY, documents: many })));
    expect(local.server.seen).toHaveLength(32);
    expect(most).toBe(3);
  });

  it("fail together, and no part is asked for after that", async () => {
    const held: ServerResponse[] = [];
    let ended = (): void => undefined;
    const otherEnded = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const failing: Handler = (_, response) => {
      held.push(response);
      if (held.length !== 2) return;
      response.on("close", ended);
      answer(held[0]!, 400, { message: "no" });
    };
    await using local = await on("cohere", failing, { batchSize: 1, concurrency: 2 });
    await expect(local.reranker.rerank(QUERY, many)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await otherEnded;
    expect(local.server.seen.length).toBeLessThanOrEqual(3);
  });
});

describe("long documents", () => {
  const long = ["bees find their way home by the sun", "bees"];

  it("are cut by an estimate, with a warning", async () => {
    await using local = await on("voyage", workingService("voyage"));
    const [outcome] = await local.reranker.rerankBatch([{ query: QUERY, documents: long }], {
      maxTokensPerDocument: 4,
    });
    expect(local.server.seen).toMatchObject([{ body: { documents: ["bees find their ", "bees"] } }]);
    expect(outcome!.warnings).toEqual([
      "1 of 2 documents count only as far as about 4 tokens (maxTokensPerDocument)",
    ]);
  });

  it("are cut by the service that can", async () => {
    await using local = await on("cohere", workingService("cohere"));
    const [outcome] = await local.reranker.rerankBatch([{ query: QUERY, documents: long }], {
      maxTokensPerDocument: 4,
    });
    expect(local.server.seen).toMatchObject([{ body: { documents: long, max_tokens_per_doc: 4 } }]);
    expect(outcome!.warnings).toHaveLength(1);
  });
});

describe("usage and cost", () => {
  it.each<[ServiceName, object, object]>([
    ["cohere", { perThousandSearchUnits: 2 }, { searchUnits: 1, inputTokens: 0, cost: 0.002 }],
    ["jina", { perMillionTokens: 50 }, { searchUnits: 0, inputTokens: 8, cost: 0.0004 }],
    ["voyage", { perMillionTokens: 50 }, { inputTokens: 8, cost: 0.0004 }],
    ["tei", {}, { inputTokens: 8, cost: 0 }],
  ])("of %s are those that it reports", async (service, price, usage) => {
    await using local = await on(service, workingService(service), { price });
    const [outcome] = await local.reranker.rerankBatch([{ query: QUERY, documents: DOCUMENTS }]);
    expect(outcome!.usage).toMatchObject({ scored: 4, cached: 0, requests: 1, outputTokens: 0, ...usage });
  });

  it("count retries, and tokens where Cohere bills them", async () => {
    const results = [{ index: 0, relevance_score: 0.5 }];
    const meta = {
      billed_units: { input_tokens: 30 },
      tokens: { input_tokens: 31 },
      warnings: ["old model"],
    };
    const busy: Handler = (_, response) => answer(response, 429, "", { "retry-after": "0" });
    const handler = inTurn(busy, (_, response) => answer(response, 200, { results, meta }));
    await using local = await on("cohere", handler, { price: { perMillionTokens: 10 } });
    const [outcome] = await local.reranker.rerankBatch([{ query: QUERY, documents: ["a"] }]);
    expect(outcome!.usage).toMatchObject({ requests: 2, inputTokens: 30, searchUnits: 0, cost: 0.0003 });
    expect(outcome!.warnings).toEqual(["old model"]);
  });

  it("are not charged for what the cache knows", async () => {
    const values = new Map<string, Float64Array>();
    const cache: ScoreCache = {
      lookUp: async (keys) => keys.map((key) => values.get(key)),
      store: async (entries) => {
        for (const entry of entries) values.set(entry.key, entry.values);
      },
    };
    await using local = await on("cohere", workingService("cohere"), { cache });
    const documents = [...DOCUMENTS.slice(1), "long ".repeat(5_000)];
    await local.reranker.rerank(QUERY, documents);
    const [outcome] = await local.reranker.rerankBatch([{ query: QUERY, documents }]);
    expect(outcome!.usage).toMatchObject({ requests: 0, searchUnits: 0, scored: 0, cached: 4 });
    await using other = await on("cohere", workingService("cohere"), { cache, model: "rerank-v3.5" });
    await other.reranker.rerank(QUERY, DOCUMENTS);
    expect(other.server.seen).toHaveLength(1);
  });
});

describe("answers that cannot be used", () => {
  const row = (index: unknown, relevance_score: unknown): object => ({ index, relevance_score });
  const sound = [row(0, 0.1), row(1, 0.2), row(2, 0.3)];
  it.each<[string, unknown, string]>([
    ["no object", null, "results is undefined, not an array (null)"],
    ["no list", { results: {} }, "results is an object, not an array"],
    [
      "an error",
      { error: { message: `no ${FAKE_KEY}\n`, code: 7 } },
      "results is undefined, not an array (no ***)",
    ],
    ["another service's", { data: [...sound, row(3, 1)] }, "results is undefined, not an array"],
    ["one too few", { results: sound }, "results has 3 of 4 documents, document 3 is missing"],
    ["nobody", { results: [] }, "results has 0 of 4 documents, document 0 is missing"],
    ["one twice", { results: [...sound, row(1, 1)] }, "results has document 1 twice"],
    ["one too many", { results: [...sound, row(3, 1), row(4, 1)] }, "results[4].index is 4, for 4 documents"],
    ["a negative index", { results: [row(-1, 1)] }, "results[0].index is -1, for 4 documents"],
    ["half an index", { results: [row(0.5, 1)] }, "results[0].index is 0.5, for 4 documents"],
    ["an index as text", { results: [row("0", 1)] }, 'results[0].index is "0", for 4 documents'],
    ["no index", { results: [{ relevance_score: 1 }] }, "results[0].index is undefined, for 4 documents"],
    [
      "a score as text",
      { results: [row(0, "0.9")] },
      'results[0].relevance_score is "0.9", not a finite number',
    ],
    ["no score", { results: [row(0, null)] }, "results[0].relevance_score is null, not a finite number"],
    ["rows that are none", { results: [7] }, "results[0].index is undefined, for 4 documents"],
  ])("have %s", async (_, body, message) => {
    await using local = await on("cohere", (_request, response) => answer(response, 200, body));
    await expect(local.reranker.rerank(QUERY, DOCUMENTS)).rejects.toMatchObject({
      code: "SERVICE",
      message: `cohere gave an answer that cannot be used: ${message}`,
    });
  });

  it("have more levels than can be counted", async () => {
    const text = `{"error":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    await using local = await on("jina", (_, response) => answer(response, 200, text), {
      onFailure: "first-stage",
    });
    const [outcome] = await local.reranker.rerankBatch([{ query: QUERY, documents: DOCUMENTS }]);
    expect(outcome).toMatchObject({
      reranked: false,
      warnings: [expect.stringMatching(/results is undefined/)],
    });
  });

  it("have a score beyond all numbers", async () => {
    const text = '{"results":[{"index":0,"relevance_score":1e999}]}';
    await using local = await on("jina", (_, response) => answer(response, 200, text));
    await expect(local.reranker.rerank(QUERY, ["a"])).rejects.toMatchObject({
      message: expect.stringMatching(/results\[0\]\.relevance_score is Infinity, not a finite number$/),
    });
  });

  it.each<[ServiceName, string]>([
    ["jina", "results"],
    ["voyage", "data"],
    ["tei", "the answer"],
  ])("of %s are named", async (service, place) => {
    await using local = await on(service, (_, response) => answer(response, 200, { detail: "moved" }));
    await expect(local.reranker.rerank(QUERY, DOCUMENTS)).rejects.toMatchObject({
      code: "SERVICE",
      message: expect.stringContaining(`${place} is `),
    });
  });
});

describe("failures", () => {
  it("can leave the order of the first stage", async () => {
    const down: Handler = (_, response) => answer(response, 503, { message: "down" });
    await using local = await on("cohere", down, { retries: 0, onFailure: "first-stage" });
    const [outcome] = await local.reranker.rerankBatch([{ query: QUERY, documents: DOCUMENTS }]);
    expect(outcome).toMatchObject({
      reranked: false,
      warnings: [expect.stringMatching(/cohere answered 503: down/)],
    });
    expect(outcome!.results.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  });

  it("are timeouts when nothing comes", async () => {
    await using local = await on("tei", () => undefined, { timeoutMs: 20, retries: 0 });
    await expect(local.reranker.rerank(QUERY, DOCUMENTS)).rejects.toMatchObject({ code: "TIMEOUT" });
  });

  it("never have the key", async () => {
    const echo: Handler = ({ headers }, response) => {
      answer(response, 400, { message: `bad header ${headers.authorization}` });
    };
    await using local = await on("voyage", echo);
    await expect(local.reranker.rerank(QUERY, DOCUMENTS)).rejects.toMatchObject({
      message: "voyage answered 400: bad header Bearer ***",
    });
  });

  it("closing ends work under way, and aborting does", async () => {
    await using local = await on("jina", () => undefined);
    const closed = expect(local.reranker.rerank(QUERY, DOCUMENTS)).rejects.toMatchObject({ code: "CLOSED" });
    while (local.server.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    await local.reranker.close();
    await closed;

    const controller = new AbortController();
    await using other = await on("jina", () => controller.abort());
    const { signal } = controller;
    await expect(other.reranker.rerank(QUERY, DOCUMENTS, { signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
