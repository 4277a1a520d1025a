import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Gate } from "../../../src/rerank/gate.js";
import { scoresOf } from "../../../src/rerank/services/answers.js";
import { batchesOf } from "../../../src/rerank/services/batches.js";
import { cohereReranker } from "../../../src/rerank/services/cohere.js";
import { jinaReranker } from "../../../src/rerank/services/jina.js";
import type { ServiceOptions } from "../../../src/rerank/services/service.js";
import { teiReranker } from "../../../src/rerank/services/tei.js";
import { voyageReranker } from "../../../src/rerank/services/voyage.js";
import { cutToTokens, estimateTokens } from "../../../src/rerank/tokens.js";
import {
  answer,
  FAKE_KEY,
  goodAnswer,
  type Handler,
  serve,
  workingService,
} from "../../support/rerank-servers.js";

const DOCUMENTS = ["bread and salt", "bees find flowers", "bees find their way home", "a train"];
const QUERY = "bees find home";
const FACTORIES = { cohere: cohereReranker, jina: jinaReranker, voyage: voyageReranker };
const VARIABLES = ["COHERE", "JINA", "VOYAGE", "TEI"].flatMap((name) => [
  `${name}_API_KEY`,
  `${name}_BASE_URL`,
]);

beforeEach(() => {
  for (const name of [...VARIABLES, "CO_API_KEY"]) vi.stubEnv(name, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("keys and addresses", () => {
  it.each(["cohere", "jina", "voyage"] as const)("%s needs a key", (service) => {
    const variable = `${service.toUpperCase()}_API_KEY`;
    expect(() => FACTORIES[service]({})).toThrow(
      expect.objectContaining({
        code: "UNAUTHORIZED",
        message: `there is no key for ${service}`,
        hint: expect.stringContaining(variable),
      }),
    );
    vi.stubEnv(variable, "k");
    expect(FACTORIES[service]({}).name).toBe(service);
  });

  it("come from the environment, where no option has them", async () => {
    await using server = await serve(workingService("cohere"));
    vi.stubEnv("COHERE_BASE_URL", `${server.url}/`);
    vi.stubEnv("CO_API_KEY", `${FAKE_KEY}\n`);
    await cohereReranker().rerank(QUERY, DOCUMENTS);
    vi.stubEnv("COHERE_API_KEY", "another");
    await expect(cohereReranker().rerank(QUERY, DOCUMENTS)).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      message: "cohere answered 401: invalid api token",
      hint: expect.stringContaining("COHERE_API_KEY"),
    });
    await cohereReranker({ apiKey: FAKE_KEY }).rerank(QUERY, DOCUMENTS);
    expect(server.seen).toHaveLength(3);
  });

  it("a server of one's own may do without a key", async () => {
    const open: Handler = ({ headers, body }, response) => {
      expect(headers.authorization).toBeUndefined();
      answer(response, 200, goodAnswer("cohere", body).json);
    };
    await using server = await serve(open);
    expect(await cohereReranker({ baseUrl: server.url }).rerank(QUERY, DOCUMENTS)).toHaveLength(4);
  });

  it("of the environment do not go to a server that a program names", async () => {
    await using server = await serve(({ body, path }, response) => {
      answer(response, 200, goodAnswer(path.startsWith("/v2") ? "cohere" : "tei", body).json);
    });
    vi.stubEnv("COHERE_API_KEY", FAKE_KEY);
    vi.stubEnv("TEI_API_KEY", FAKE_KEY);
    await cohereReranker({ baseUrl: server.url }).rerank(QUERY, DOCUMENTS);
    await teiReranker({ baseUrl: server.url }).rerank(QUERY, DOCUMENTS);
    vi.stubEnv("COHERE_BASE_URL", `${server.url}/v2`);
    await cohereReranker({ baseUrl: server.url }).rerank(QUERY, DOCUMENTS);
    const bearer = `Bearer ${FAKE_KEY}`;
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, bearer, bearer]);
  });

  it.each([
    ["", "/v2/rerank"],
    ["/", "/v2/rerank"],
    ["/v2", "/v2/rerank"],
    ["/v2/", "/v2/rerank"],
    ["/cohere?tier=2", "/cohere/v2/rerank?tier=2"],
    ["/v2/rerank", "/v2/rerank"],
  ])("the address may end with %j", async (end, path) => {
    await using server = await serve(({ body }, response) => {
      answer(response, 200, goodAnswer("cohere", body).json);
    });
    await cohereReranker({ baseUrl: `${server.url}${end}` }).rerank(QUERY, DOCUMENTS);
    expect(server.seen).toMatchObject([{ path }]);
  });

  it("Atlas's keys go to Atlas", async () => {
    const prints = [
      { apiKey: "pa-1" },
      { apiKey: "al-1" },
      { apiKey: "al-1", baseUrl: "https://ai.mongodb.com/v1" },
    ];
    const [voyage, atlas, named] = await Promise.all(
      prints.map((options) => voyageReranker(options).fingerprint()),
    );
    expect(atlas).toBe(named);
    expect(voyage).not.toBe(atlas);
  });

  it.each<[string, ServiceOptions, RegExp]>([
    ["no address", {}, /baseUrl must be the address of tei/],
    ["a path", { baseUrl: "localhost:8080" }, /baseUrl must be an address that starts with http/],
    ["a user name", { baseUrl: "http://a:b@localhost" }, /baseUrl must not have a user name/],
    ["batchSize 0", { baseUrl: "http://localhost", batchSize: 0 }, /batchSize must be/],
    [
      "a negative price",
      { baseUrl: "http://localhost", price: { perMillionTokens: -1 } },
      /price.perMillionTokens/,
    ],
    ["concurrency 0", { baseUrl: "http://localhost", concurrency: 0 }, /concurrency must be/],
  ])("refuses %s", (_, options, message) => {
    expect(() => teiReranker(options)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringMatching(message) }),
    );
  });

  it("a model must have a name", () => {
    expect(() => jinaReranker({ apiKey: "k", model: "" })).toThrow(
      /model must be the name of a model of jina/,
    );
  });

  it("the fingerprint knows model and address, not the key", async () => {
    const print = (options: ServiceOptions): Promise<string> =>
      cohereReranker({ apiKey: "a", ...options }).fingerprint();
    const first = await print({});
    expect(await print({ apiKey: "b", timeoutMs: 5 })).toBe(first);
    expect(await print({ model: "rerank-v3.5" })).not.toBe(first);
    expect(await print({ baseUrl: "http://localhost" })).not.toBe(first);
    expect(await teiReranker({ baseUrl: "http://localhost", model: "m" }).fingerprint()).not.toBe(
      await teiReranker({ baseUrl: "http://localhost" }).fingerprint(),
    );
  });
});

describe("batches", () => {
  it("fill parts in order, within both limits", () => {
    const texts = fc.array(fc.string({ maxLength: 60 }), { maxLength: 40 });
    const limits = { documents: fc.integer({ min: 1, max: 9 }), tokens: fc.integer({ min: 1, max: 60 }) };
    fc.assert(
      fc.property(fc.string(), texts, fc.record(limits), (query, documents, limit) => {
        const batches = batchesOf(query, documents, limit);
        expect(batches.flatMap(([start, end]) => documents.slice(start, end))).toEqual(documents);
        for (const [start, end] of batches) {
          const part = documents.slice(start, end);
          expect(part.length).toBeGreaterThan(0);
          expect(part.length).toBeLessThanOrEqual(limit.documents);
          const tokens = part.map((text) => estimateTokens(query) + estimateTokens(text));
          const sum = tokens.reduce((a, b) => a + b, 0);
          if (part.length > 1) expect(sum).toBeLessThanOrEqual(limit.tokens);
        }
      }),
    );
  });
});

describe("texts", () => {
  it("are cut between characters, no earlier than they must be", () => {
    const unit = fc.constantFrom("a", " ", "é", "養", "한", "\u{1f41d}", "\u{20bb7}");
    const text = fc.string({ unit, maxLength: 80 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 30 }), (whole, tokens) => {
        const start = cutToTokens(whole, tokens);
        expect(whole.startsWith(start)).toBe(true);
        expect(estimateTokens(start)).toBeLessThanOrEqual(tokens);
        const next = Array.from(whole.slice(start.length))[0];
        if (next !== undefined) expect(estimateTokens(start + next)).toBeGreaterThan(tokens);
        expect(Array.from(start)).toEqual(Array.from(whole).slice(0, Array.from(start).length));
      }),
    );
    expect([estimateTokens("abcdefgh"), estimateTokens("養蜂家"), estimateTokens("")]).toEqual([2, 3, 0]);
  });
});

describe("rows of scores", () => {
  it("are any but one row for each document", () => {
    const scores = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(scores, fc.nat(), fc.nat(), (values, shift, drop) => {
        const rows = values.map((score, index) => ({ index, score }));
        const turned = rows.map((_, i) => rows[(i + shift) % rows.length]!);
        const from = (list: unknown): Float64Array =>
          scoresOf("acme", { place: "rows", rows: list, score: "score" }, values.length);
        expect(Array.from(from(turned))).toEqual(values);
        expect(() => from(turned.toSpliced(drop % turned.length, 1))).toThrow(/is missing/);
        expect(() => from([...turned, turned[drop % turned.length]])).toThrow(/twice/);
      }),
    );
  });
});

describe("a gate", () => {
  it("lets in so many at a time, in order, and goes on after failures", async () => {
    const gate = new Gate(2);
    const started: number[] = [];
    let inside = 0;
    const work = Array.from({ length: 9 }, (_, i) =>
      gate.pass(async () => {
        started.push(i);
        expect(++inside).toBeLessThanOrEqual(2);
        await new Promise((resolve) => setTimeout(resolve, (i * 7) % 5));
        inside--;
        if (i % 3 === 0) throw new Error(`no ${i}`);
        return i;
      }),
    );
    const ends = await Promise.allSettled(work);
    expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(3);
    expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("lets go of who does not want to wait any more, and of nobody else", async () => {
    const gate = new Gate(1);
    let open = (): void => undefined;
    const inside = gate.pass(
      () =>
        new Promise<void>((resolve) => {
          open = resolve;
        }),
    );
    const impatient = new AbortController();
    let begun = false;
    const left = gate.pass(async () => {
      begun = true;
    }, impatient.signal);
    const stays = gate.pass(async () => "in", new AbortController().signal);
    impatient.abort();
    await expect(left).rejects.toMatchObject({ code: "ABORTED" });
    await expect(gate.pass(async () => 1, impatient.signal)).rejects.toMatchObject({ code: "ABORTED" });
    open();
    await inside;
    expect(await stays).toBe("in");
    expect(await gate.pass(async () => "free")).toBe("free");
    expect(begun).toBe(false);
  });
});
