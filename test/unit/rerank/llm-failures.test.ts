import { describe, expect, it } from "vitest";
import type { HttpClock } from "../../../src/rerank/http-retry.js";
import { llmReranker } from "../../../src/rerank/llm/index.js";
import { checkLlmOptions, type LlmOptions } from "../../../src/rerank/llm/options.js";
import type { RerankOutcome } from "../../../src/rerank/types.js";
import {
  type ChatReply,
  type ChatRequest,
  chatServer,
  completion,
  judge,
} from "../../support/chat-server.js";
import { expectPermutation } from "../../support/reranker-conformance.js";

const DOCUMENTS = Array.from({ length: 12 }, (_, i) => `document of relevance ${i} in secret`);
const oracle = judge((_, text) => Number(/relevance (\d+)/.exec(text)?.[1] ?? 0));
const WINDOWS = { windowSize: 6, step: 3 } as const;
/** No waiting between attempts. */
const INSTANT: HttpClock = { now: () => 0, sleep: async () => undefined };

async function rankWith(
  reply: (request: ChatRequest) => ChatReply,
  options: Partial<LlmOptions> = {},
  documents: readonly string[] = DOCUMENTS,
): Promise<{ outcome: RerankOutcome; order: number[]; requests: readonly ChatRequest[] }> {
  await using server = await chatServer(reply);
  await using reranker = llmReranker({ model: "m", baseUrl: server.url, retries: 0, ...options }, INSTANT);
  const [outcome] = await reranker.rerankBatch([{ query: "which is best", documents }]);
  expectPermutation(outcome!, documents);
  return { outcome: outcome!, order: outcome!.results.map(({ index }) => index), requests: server.requests };
}

const FIRST_STAGE = [...DOCUMENTS.keys()];
const GIVEN_UP: ReadonlyArray<readonly [string, ChatReply, RegExp]> = [
  [
    "status 500",
    { status: 500, body: { error: { message: "out of memory" } } },
    /answered 500: out of memory/,
  ],
  ["HTML", { body: "<!doctype html><html><script>alert(1)</script></html>" }, /did not answer with JSON/],
  ["half an answer", { body: completion("a > b"), breaks: true }, /cut its answer off/],
  ["more than a megabyte", { body: completion("x".repeat(1_100_000)) }, /more than 1048576 bytes/],
  ["a long answer", { body: completion("x > ".repeat(60_000)) }, /nothing but a list of ids/],
  ["no answer in time", { hangs: true }, /did not answer within 40 ms/],
  ["nothing", "", /must answer with .*found nothing/],
  ["blanks", " \n ", /must answer with .*found nothing/],
  ["prose", "I think the first one is the best of all of them.", /must answer with/],
  ["ids of others", "zz99 > yy88 > xx77", /must answer with/],
  ["positions", "[3] > [1] > [2]", /must answer with/],
  ["thoughts without an end", "<think>let me see", /an answer after its thoughts/],
  ["null", { body: completion(null) }, /choices\[0\]\.message\.content/],
  [
    "another shape",
    { body: { error: { message: "overloaded" } } },
    /choices\[0\]\.message\.content, found .*overloaded/,
  ],
  ["an array", { body: [] }, /choices\[0\]\.message\.content/],
  [
    "JSON without an end of levels",
    { body: `${"[".repeat(200_000)}${"]".repeat(200_000)}` },
    /found JSON of too many levels/,
  ],
  ["a refused key", { status: 401, body: { error: { message: "wrong key" } } }, /answered 401: wrong key/],
  ["too many requests", { status: 429, body: "" }, /answered 429/],
  [
    "a redirect",
    { status: 302, headers: { location: "http://169.254.169.254/" } },
    /redirect .* not followed/,
  ],
];

describe.each(["listwise", "pairwise", "pointwise"] as const)("a %s model that answers with", (method) => {
  it.each(GIVEN_UP)("%s leaves the order of the first stage, or fails", async (_, reply, message) => {
    const options = { method, timeoutMs: typeof reply === "object" && reply.hangs ? 40 : 5_000 };
    const { outcome, order } = await rankWith(() => reply, options);
    expect(order).toEqual(FIRST_STAGE);
    expect(outcome.reranked).toBe(false);
    const said = outcome.warnings.join("\n");
    if (method === "listwise") expect(said).toMatch(message);
    else expect(said).toMatch(/calls gave no usable answer/);
    await expect(rankWith(() => reply, { ...options, onFailure: "error" })).rejects.toHaveProperty("code");
  });
});

describe("a server that", () => {
  it("does not know the model is an error in any case", async () => {
    const reply = { status: 404, body: { error: { message: "no model m" } } };
    await expect(rankWith(() => reply)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/answered 404: no model m/),
    });
  });

  it("refuses the key is asked once, without showing the key", async () => {
    await using server = await chatServer(() => ({
      status: 401,
      body: { error: { message: "no sk-secret" } },
    }));
    await using reranker = llmReranker({
      model: "m",
      baseUrl: server.url,
      apiKey: "sk-secret",
      method: "pointwise",
      concurrency: 1,
    });
    const [outcome] = await reranker.rerankBatch([{ query: "q", documents: DOCUMENTS }]);
    expect(outcome).toMatchObject({ reranked: false, usage: { requests: 1 } });
    expect(JSON.stringify(outcome)).not.toContain("sk-secret");
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]!.headers.authorization).toBe("Bearer sk-secret");
  });

  it("fails is not asked more than three times in a row", async () => {
    const { outcome, requests } = await rankWith(() => ({ status: 500 }), {
      method: "pointwise",
      concurrency: 1,
    });
    expect(requests).toHaveLength(3);
    expect(outcome.warnings.join("\n")).toMatch(/after 3 failures in a row/);
  });

  it("fails at times is tried again, and the attempts count", async () => {
    const { outcome, order } = await rankWith(
      (request) => (request.number === 0 ? { status: 503 } : oracle(request)),
      { retries: 2 },
    );
    expect(outcome).toMatchObject({ reranked: true, warnings: [], usage: { requests: 2 } });
    expect(order).toEqual([...FIRST_STAGE].reverse());
  });

  it("fails for a part of the documents says so, unlike a model that talks nonsense about it", async () => {
    const some = (reply: ChatReply) => (request: ChatRequest) =>
      request.number === 1 ? reply : oracle(request);
    const { outcome } = await rankWith(some({ status: 429 }), WINDOWS);
    expect(outcome).toMatchObject({ reranked: true, complete: false });
    const whole = await rankWith(some("nonsense"), WINDOWS);
    expect(whole.outcome.warnings).toHaveLength(1);
    expect(whole.outcome).not.toHaveProperty("complete");
  });

  it("answers many calls at the same time leaves no warnings of Node's", async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on("warning", listen);
    const { signal } = new AbortController();
    await using server = await chatServer((request) => ({ body: completion(oracle(request)), delayMs: 5 }));
    await using reranker = llmReranker({
      model: "m",
      baseUrl: server.url,
      method: "pointwise",
      concurrency: 40,
    });
    const documents = Array.from({ length: 80 }, (_, i) => `document of relevance ${i % 4} in secret`);
    for (const options of [{}, { signal }]) await reranker.rerank("q", documents, options);
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });

  it("is closed in the middle fails with CLOSED, and with ABORTED when told to stop", async () => {
    await using server = await chatServer(() => ({ hangs: true }));
    const reranker = llmReranker({ model: "m", baseUrl: server.url });
    const stop = new AbortController();
    const aborted = reranker.rerank("q", DOCUMENTS, { signal: stop.signal });
    const closed = reranker.rerank("q", DOCUMENTS);
    setTimeout(() => stop.abort(), 20);
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    const closing = reranker.close();
    await expect(closed).rejects.toMatchObject({ code: "CLOSED" });
    await closing;
  });
});

describe("a listwise model", () => {
  it("whose answer for one window is of no use leaves that window as it was", async () => {
    const { outcome, order, requests } = await rankWith(
      (request) => (request.number === 1 ? "nonsense" : oracle(request)),
      WINDOWS,
    );
    expect(requests).toHaveLength(3);
    expect(outcome.reranked).toBe(true);
    expect(outcome.warnings).toEqual([expect.stringMatching(/^1 of 3 calls gave no usable answer/)]);
    // Windows [6, 12), then [3, 9) in vain, then [0, 6).
    expect(order).toEqual([5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6]);
  });

  it("has its answers mended: left out, unknown, repeated", async () => {
    const { outcome, order } = await rankWith(({ prompt: { passages } }) => {
      const [a, b, c] = [4, 2, 7].map((i) => passages[i]!.id);
      return `${a} > ${b} > ${a} > other-tenant-17 > ${c}`;
    });
    expect(order).toEqual([4, 2, 7, 0, 1, 3, 5, 6, 8, 9, 10, 11]);
    expect(outcome).toMatchObject({
      reranked: true,
      warnings: ["1 of 1 answers were mended: documents left out 9, unknown 1, repeated 1"],
    });
  });

  it("counts tokens by estimate where the server does not, and says how many", async () => {
    const { outcome } = await rankWith((request) => {
      return { body: { choices: [{ message: { content: oracle(request) } }] } };
    });
    const { inputTokens, outputTokens, estimatedTokens } = outcome.usage;
    expect(inputTokens).toBeGreaterThan(100);
    expect(estimatedTokens).toBe(inputTokens + outputTokens);
    expect((await rankWith(oracle)).outcome.usage).not.toHaveProperty("estimatedTokens");
  });
});

describe("a cap", () => {
  it.each([
    ["maxRequests", { maxRequests: 1 }, /maxRequests is 1/],
    ["maxTokens", { maxTokens: 1_000 }, /maxTokens is 1000/],
    ["maxCost", { maxCost: 0.001, price: { input: 1, output: 1 } }, /maxCost is 0.001/],
  ])("%s ends the windows early and keeps what there is", async (_, caps, message) => {
    const costly = (request: ChatRequest): ChatReply => {
      return { body: completion(oracle(request), {}, { prompt_tokens: 900, completion_tokens: 10 }) };
    };
    const long = DOCUMENTS.map((text) => `${text} ${"and on ".repeat(40)}`);
    const { outcome, order, requests } = await rankWith(costly, { ...WINDOWS, ...caps }, long);
    expect(requests).toHaveLength(1);
    expect(outcome).toMatchObject({ reranked: true, warnings: [expect.stringMatching(message)] });
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 11, 10, 9, 8, 7, 6]);
  });

  it("that leaves no call is BUDGET_EXCEEDED, or the order of the first stage", async () => {
    const { outcome, order, requests } = await rankWith(oracle, { maxTokens: 10 });
    expect(requests).toHaveLength(0);
    expect(outcome.reranked).toBe(false);
    expect(order).toEqual(FIRST_STAGE);
    await expect(rankWith(oracle, { maxTokens: 10, onFailure: "error" })).rejects.toMatchObject({
      code: "BUDGET_EXCEEDED",
    });
  });

  it.each(["listwise", "pairwise", "pointwise"] as const)(
    "holds with attempts and lanes, %s",
    async (method) => {
      for (const maxRequests of [1, 2, 5, 7]) {
        const failing = (request: ChatRequest): ChatReply =>
          request.number % 2 === 0 ? { status: 500 } : oracle(request);
        const windows = method === "listwise" ? WINDOWS : {};
        const { requests } = await rankWith(failing, { method, maxRequests, retries: 3, ...windows });
        expect(requests.length).toBeLessThanOrEqual(maxRequests);
        expect(requests.length).toBeGreaterThan(0);
      }
    },
  );

  it("leaves documents without a grade where they were", async () => {
    const { outcome, order } = await rankWith(() => "3", { method: "pointwise", maxRequests: 4 });
    expect(order).toEqual(FIRST_STAGE);
    expect(outcome.reranked).toBe(true);
    const some = await rankWith(
      ({ prompt }) => (/relevance [15] /.test(prompt.passages[0]!.text) ? "none" : "2"),
      { method: "pointwise" },
      DOCUMENTS.slice(0, 8),
    );
    expect(some.order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("comes with the cost", async () => {
    const { outcome } = await rankWith(oracle, { price: { input: 2, output: 10 } });
    expect(outcome.usage.cost).toBeCloseTo((100 * 2 + 10 * 10) / 1e6, 12);
  });
});

describe("what is sent", () => {
  it("is deterministic, bounded and without tools", async () => {
    const send = async (): Promise<ChatRequest> => (await rankWith(oracle, { seed: 5 })).requests[0]!;
    const [first, second] = [await send(), await send()];
    expect(second.body).toEqual(first.body);
    expect(first.path).toBe("POST /v1/chat/completions");
    expect(first.headers.authorization).toBeUndefined();
    expect(Object.keys(first.body).sort()).toEqual([
      "max_tokens",
      "messages",
      "model",
      "seed",
      "temperature",
    ]);
    expect(first.body).toMatchObject({ model: "m", temperature: 0, seed: 5 });
    expect(first.body.max_tokens).toBeLessThan(500);
  });

  it("has the parameters that were given, less those that are null", async () => {
    const parameters = { temperature: null, reasoning_effort: "low" };
    const { requests } = await rankWith(oracle, { parameters, maxOutputTokens: 3_000 });
    expect(requests[0]!.body).toMatchObject({ reasoning_effort: "low", max_tokens: 3_000 });
    expect(requests[0]!.body).not.toHaveProperty("temperature");
  });
});

describe("options", () => {
  const check = (options: Partial<LlmOptions>, environment: Record<string, string> = {}) =>
    checkLlmOptions({ model: "m", ...options }, environment);

  it.each([
    [{ model: "" }, /model must be the name of a model/],
    [{ method: "best" as "listwise" }, /method must be one of listwise, pairwise, pointwise/],
    [{ windowSize: 1 }, /windowSize must be an integer from 2 to 100/],
    [{ windowSize: 5, step: 5 }, /step must be an integer from 1 to 4/],
    [
      { method: "pointwise", windowSize: 5 },
      /windowSize is an option of the method listwise, not of pointwise/,
    ],
    [{ top: 5 }, /top is an option of the method pairwise/],
    [{ maxRise: 0 }, /maxRise must be/],
    [{ maxCost: 1 }, /maxCost needs the option price/],
    [{ price: { input: -1, output: 0 } }, /price\.input must be/],
    [{ parameters: { tools: [] } }, /parameters must not have tools/],
    [{ parameters: [] as unknown as Record<string, unknown> }, /parameters must be an object/],
    [{ baseUrl: "localhost:11434" }, /baseUrl must be an address/],
    [{ baseUrl: "http://me:pw@localhost" }, /baseUrl must not have a user name/],
    [{ method: "pointwise", logprobs: "yes" as unknown as boolean }, /logprobs must be/],
  ] as const)("%j is refused", (options, message) => {
    expect(() => check(options as Partial<LlmOptions>)).toThrow(message);
  });

  it("come from the environment, and a key goes to no other server", () => {
    const environment = { OPENAI_BASE_URL: "http://localhost:11434/v1/", OPENAI_API_KEY: "k" };
    expect(check({}).url.href).toBe("https://api.openai.com/v1/chat/completions");
    expect(check({}).apiKey).toBeUndefined();
    expect(check({}, environment)).toMatchObject({ apiKey: "k" });
    expect(check({}, environment).url.href).toBe("http://localhost:11434/v1/chat/completions");
    expect(check({ baseUrl: "http://localhost:11434/v1" }, environment).apiKey).toBe("k");
    expect(check({ baseUrl: "https://elsewhere.example/v1?v=2" }, environment)).toMatchObject({
      apiKey: undefined,
    });
    expect(check({ baseUrl: "https://elsewhere.example/v1?v=2" }).url.href).toBe(
      "https://elsewhere.example/v1/chat/completions?v=2",
    );
  });

  it("that change the answers change the fingerprint", async () => {
    const base: LlmOptions = { model: "m", baseUrl: "http://localhost/v1" };
    const of = (options: Partial<LlmOptions>) => llmReranker({ ...base, ...options }).fingerprint();
    const first = await of({});
    expect(await of({ apiKey: "k", timeoutMs: 5, retries: 1, maxRequests: 3 })).toBe(first);
    for (const other of [
      { model: "n" },
      { method: "pointwise" },
      { seed: 1 },
      { maxRise: 4 },
      { step: 3 },
    ] as const) {
      expect(await of(other)).not.toBe(first);
    }
  });
});
