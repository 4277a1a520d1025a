import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HttpClock, type HttpRequest, postJson } from "../../../src/rerank/http.js";
import { secretsOf, serviceMessage, shown } from "../../../src/rerank/http-message.js";
import { pauseMs, retryAfterMs } from "../../../src/rerank/http-retry.js";
import { answer, type Handler, inTurn, serve } from "../../support/rerank-servers.js";

const KEY = "sk-secret-0123456789";
const NOW = Date.UTC(2026, 4, 1, 12);

/** A clock on which waiting takes no time. */
class TestClock implements HttpClock {
  readonly slept: number[] = [];

  now(): number {
    return NOW;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.slept.push(milliseconds);
  }
}

const fine: Handler = (_, response) => answer(response, 200, { ok: true });

function status(code: number, body: unknown = "", headers: Record<string, string> = {}): Handler {
  return (_, response) => answer(response, code, body, headers);
}

/** Posts to a server with this handler; `seen` is how many requests came. */
async function post(
  handler: Handler,
  options: Partial<HttpRequest> = {},
): Promise<{ result: PromiseSettledResult<unknown>; slept: number[]; seen: number }> {
  await using server = await serve(handler);
  const clock = new TestClock();
  const request = {
    service: "acme",
    url: `${server.url}/v1/rerank?tier=2`,
    headers: { authorization: `Bearer ${KEY}` },
    body: { query: "q" },
    keyVariable: "ACME_API_KEY",
    ...options,
  };
  const [result] = await Promise.allSettled([postJson(request, clock)]);
  return { result: result!, slept: clock.slept, seen: server.seen.length };
}

/** The error that a request to this handler ends with. */
async function failure(
  handler: Handler,
  options: Partial<HttpRequest> = {},
): Promise<{ code: string; message: string; hint: string; slept: number[]; seen: number }> {
  const { result, slept, seen } = await post(handler, options);
  if (result.status === "fulfilled") throw new Error("the request did not fail");
  const { code, message, hint = "" } = result.reason as { code: string; message: string; hint?: string };
  expect(`${message} ${hint}`).not.toContain(KEY);
  return { code, message, hint, slept, seen };
}

describe("a request", () => {
  it("is a POST of JSON with the headers, and its answer is parsed", async () => {
    await using server = await serve((_, response) => answer(response, 200, { a: [1, "é"] }, { "x-n": "7" }));
    const { json, headers, requests } = await postJson({
      service: "acme",
      url: `${server.url}/v1/rerank?tier=2`,
      headers: { Authorization: `Bearer ${KEY}` },
      body: { query: "wörter", documents: ["a\n"] },
    });
    expect(json).toEqual({ a: [1, "é"] });
    expect(headers.get("x-n")).toBe("7");
    expect(requests).toBe(1);
    expect(server.seen).toMatchObject([
      {
        method: "POST",
        path: "/v1/rerank?tier=2",
        headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
        body: { query: "wörter", documents: ["a\n"] },
      },
    ]);
  });

  it.each([
    ["ftp://host/rerank", /url must be an address that starts with http/],
    ["rerank", /url must be an address/],
    ["http://me:secret-word@host/", /must not have a user name or password/],
  ])("refuses the address %s", async (url, message) => {
    const request = postJson({ service: "acme", url, body: {} });
    await expect(request).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(message),
    });
    await expect(request).rejects.not.toMatchObject({ message: expect.stringMatching(/secret-word/) });
  });

  it.each([
    ["a line break", `${KEY}\n${KEY}`],
    ["another script", `${KEY}ключ`],
  ])("refuses a key with %s without telling it", async (_, key) => {
    const { code, message, seen } = await failure(fine, { headers: { authorization: `Bearer ${key}` } });
    expect(code).toBe("INVALID_ARGUMENT");
    expect(message).toBe("the header authorization for acme cannot be sent");
    expect(seen).toBe(0);
  });

  it.each([
    ["timeoutMs", { timeoutMs: 0 }],
    ["retries", { retries: -1 }],
    ["maxBytes", { maxBytes: 0.5 }],
  ])("refuses a wrong %s", async (name, options) => {
    const { code, message } = await failure(fine, options);
    expect(code).toBe("INVALID_ARGUMENT");
    expect(message).toContain(name);
  });
});

describe("what may pass", () => {
  it.each([408, 425, 429, 500, 502, 503, 504, 529])("is tried again: status %i", async (code) => {
    const { result, slept } = await post(inTurn(status(code), status(code), fine));
    expect(result).toMatchObject({ status: "fulfilled", value: { json: { ok: true }, requests: 3 } });
    expect(slept).toEqual([pauseMs(0, '{"query":"q"}'), pauseMs(1, '{"query":"q"}')]);
  });

  it("is tried again: a connection that is reset", async () => {
    const { result } = await post(inTurn((_, response) => response.socket?.resetAndDestroy(), fine));
    expect(result).toMatchObject({ status: "fulfilled", value: { requests: 2 } });
  });

  it("is tried again: an answer that is cut off", async () => {
    const cut: Handler = (_, response) => {
      response.writeHead(200, { "content-length": "100" }).write('{"results":[');
      setTimeout(() => response.destroy(), 5);
    };
    const { result } = await post(inTurn(cut, fine));
    expect(result).toMatchObject({ status: "fulfilled", value: { requests: 2 } });
    expect(await failure(cut, { retries: 1 })).toMatchObject({
      code: "SERVICE",
      message: expect.stringMatching(/^acme cut its answer off \(.+\), after 2 attempts$/),
    });
  });

  it("is tried again as often as it was asked for", async () => {
    expect(await failure(status(500), { retries: 0 })).toMatchObject({
      code: "SERVICE",
      message: "acme answered 500",
      seen: 1,
      slept: [],
    });
    const { seen, slept, message } = await failure(status(503, { message: "overloaded" }), { retries: 5 });
    expect([seen, slept.length]).toEqual([6, 5]);
    expect(message).toBe("acme answered 503: overloaded, after 6 attempts");
  });

  it("pauses longer each time, apart from other requests, the same for the same", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 20 }), (body, attempt) => {
        const pause = pauseMs(attempt, body);
        const longest = Math.min(8_000, 500 * 2 ** attempt);
        expect(pause).toBeGreaterThanOrEqual(longest / 2);
        expect(pause).toBeLessThanOrEqual(longest);
        expect(pauseMs(attempt, body)).toBe(pause);
      }),
    );
    expect(new Set(["a", "b", "c", "d"].map((body) => pauseMs(0, body))).size).toBeGreaterThan(1);
  });
});

describe("Retry-After", () => {
  it.each([
    ["0", 0],
    ["7", 7_000],
    [" 1.5 ", 1_500],
    ["Fri, 01 May 2026 12:00:20 GMT", 20_000],
    ["Fri, 01 May 2026 11:00:00 GMT", 0],
    ["-5", undefined],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
  ])("%j asks to wait %j ms", (header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });

  it("is waited for", async () => {
    const limited = status(429, "", { "retry-after": "20" });
    expect(await post(inTurn(limited, fine))).toMatchObject({
      result: { status: "fulfilled", value: { requests: 2 } },
      slept: [20_000],
    });
  });

  it("of more than a minute is told instead", async () => {
    const headers = { "retry-after": "Fri, 01 May 2026 13:00:00 GMT" };
    expect(await failure(status(429, { message: "slow down" }, headers))).toMatchObject({
      code: "RATE_LIMITED",
      message: "acme answered 429: slow down, and asks to wait until 2026-05-01T13:00:00.000Z",
      seen: 1,
      slept: [],
    });
    expect(await failure(status(503, "", { "retry-after": "61" }))).toMatchObject({
      code: "SERVICE",
      seen: 1,
    });
  });

  it("can be for longer than there are dates", async () => {
    expect(await failure(status(429, "", { "retry-after": "9".repeat(20) }))).toMatchObject({
      code: "RATE_LIMITED",
      message: "acme answered 429, and asks to wait until the end of time",
      seen: 1,
    });
  });

  it("cannot go on for ever", async () => {
    expect(await failure(status(429, "", { "retry-after": "1" }))).toMatchObject({
      code: "RATE_LIMITED",
      seen: 4,
      slept: [1_000, 1_000, 1_000],
    });
  });
});

describe("a refusal", () => {
  it.each([401, 403, 498])("%i is about the key, which is not shown", async (code) => {
    const body = { message: `Incorrect key provided: ${KEY}. Bearer ${KEY}` };
    expect(await failure(status(code, body))).toMatchObject({
      code: "UNAUTHORIZED",
      message: `acme answered ${code}: Incorrect key provided: ***. Bearer ***`,
      hint: "Check the key: the option apiKey or the environment variable ACME_API_KEY.",
      seen: 1,
    });
  });

  it.each([
    [400, { message: "model is required" }, "model is required"],
    [404, { error: { message: "no such model", type: "x" } }, "no such model"],
    [
      413,
      { error: "batch size 40 > maximum allowed batch size 32", error_type: "Validation" },
      "batch size 40",
    ],
    [422, { detail: [{ loc: ["body", "query"], msg: "field required" }] }, "body.query: field required"],
    [422, { detail: "too many tokens" }, "too many tokens"],
    [400, "plainly wrong", "plainly wrong"],
  ])("%i is about what was sent: %j", async (code, body, message) => {
    const error = await failure(status(code, body));
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT", seen: 1 });
    expect(error.message.startsWith(`acme answered ${code}: ${message}`)).toBe(true);
  });

  it("shows a short message on one line, and no web pages", async () => {
    const long = await failure(status(400, { message: `a\u0007b\r\nc\u2028d ${"x".repeat(5_000)}` }));
    expect(long.message).toMatch(/^acme answered 400: a b c d x+\.\.\.$/);
    expect(long.message.length).toBeLessThan(330);
    const page = await failure(status(502, "<!doctype html><h1>Bad gateway</h1>"), { retries: 0 });
    expect(page.message).toBe("acme answered 502");
    const huge = await failure(status(500, "x".repeat(200_000)), { retries: 0 });
    expect(huge.message).toBe("acme answered 500");
  });

  it("with another status is the service's fault", async () => {
    expect(await failure(status(402, { detail: "no balance" }))).toMatchObject({
      code: "SERVICE",
      message: "acme answered 402: no balance",
      seen: 1,
    });
  });

  it.each([301, 302, 307, 308])("%i is not followed", async (code) => {
    await using elsewhere = await serve(fine);
    const location = `${elsewhere.url}/rerank`;
    const error = await failure(status(code, "", { location }));
    expect(error).toMatchObject({
      code: "SERVICE",
      message: `acme answered ${code}, a redirect to ${location}, which is not followed`,
      seen: 1,
    });
    expect(elsewhere.seen).toEqual([]);
  });
});

describe("an answer", () => {
  it.each([
    ["a web page", "<html>sign in</html>", 'acme did not answer with JSON but with "<html>sign in</html>"'],
    [
      "half of one",
      '{"results":[{"index":0',
      'acme did not answer with JSON but with "{\\"results\\":[{\\"index\\":0"',
    ],
    ["NaN", '{"score":NaN}', 'acme did not answer with JSON but with "{\\"score\\":NaN}"'],
    ["nothing", "", "acme did not answer with JSON but with nothing"],
  ])("that is %s cannot be used", async (_, body, message) => {
    expect(await failure(status(200, body))).toMatchObject({
      code: "SERVICE",
      message,
      hint: expect.stringMatching(/^Check that http:\/\/127\.0\.0\.1:\d+\/v1\/rerank is the address/),
      seen: 1,
    });
  });

  it("that is too large is not read", async () => {
    const body = { text: "x".repeat(10_000) };
    const options = { maxBytes: 5_000 };
    const message = "acme answered with more than 5000 bytes";
    expect(await failure(status(200, body), options)).toMatchObject({ code: "SERVICE", message, seen: 1 });
    const packed: Handler = (_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(JSON.stringify(body)));
    };
    expect(await failure(packed, options)).toMatchObject({ code: "SERVICE", message });
    expect((await post(packed)).result).toMatchObject({ value: { json: body } });
  });
});

describe("silence", () => {
  it("is a timeout, before the answer and within it", async () => {
    const silent: Handler = () => undefined;
    expect(await failure(silent, { timeoutMs: 20, retries: 1 })).toMatchObject({
      code: "TIMEOUT",
      message: "acme did not answer within 20 ms, after 2 attempts",
    });
    const halting: Handler = (_, response) => {
      response.writeHead(200).write("{");
    };
    expect(await failure(halting, { timeoutMs: 40, retries: 0 })).toMatchObject({ code: "TIMEOUT" });
  });

  it("of the whole address is NETWORK", async () => {
    const server = await serve(fine);
    await server.close();
    const clock = new TestClock();
    const request = postJson(
      { service: "acme", url: `${server.url}/x?key=hidden`, body: {}, retries: 2 },
      clock,
    );
    await expect(request).rejects.toMatchObject({
      code: "NETWORK",
      message: expect.stringMatching(
        /^acme cannot be reached at http:\/\/[\d.:]+\/x \(.*ECONNREFUSED.*\), after 3 attempts$/,
      ),
    });
    expect(clock.slept).toHaveLength(2);
  });
});

describe("an abort", () => {
  it("stops before, during and between attempts", async () => {
    expect(await failure(fine, { signal: AbortSignal.abort() })).toMatchObject({ code: "ABORTED", seen: 0 });
    const during = new AbortController();
    const silent: Handler = () => during.abort();
    expect(await failure(silent, { signal: during.signal })).toMatchObject({ code: "ABORTED", seen: 1 });
    const within = new AbortController();
    const halting: Handler = (_, response) => {
      response.writeHead(200).write("{");
      setTimeout(() => within.abort(), 10);
    };
    expect(await failure(halting, { signal: within.signal })).toMatchObject({ code: "ABORTED", seen: 1 });
  });

  it("ends a wait at once", async () => {
    await using server = await serve(status(429, "", { "retry-after": "50" }));
    const controller = new AbortController();
    const request = postJson({ service: "acme", url: server.url, body: {}, signal: controller.signal });
    const refused = expect(request).rejects.toMatchObject({
      code: "ABORTED",
      message: "the request to acme was aborted",
    });
    const start = performance.now();
    while (server.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await refused;
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(server.seen).toHaveLength(1);
  });
});

describe("messages", () => {
  it("are short and on one line whatever a service says", () => {
    const unit = fc.constantFrom(
      "a",
      "s",
      " ",
      "\u0000",
      "\u001b",
      "\r\n",
      "\u2028",
      "\u200d",
      "é",
      "\u{1f41d}",
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 700 }), (text) => {
        const line = shown(text, ["secret-word"]);
        expect(Array.from(line).length).toBeLessThanOrEqual(300);
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        expect(shown(`${text}secret-word`, ["secret-word"])).not.toContain("secret-word");
      }),
    );
    expect(Array.from(shown("\u{1f41d}".repeat(301), []))).toHaveLength(300);
  });

  it("can be found in any JSON", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (body) => {
        expect(typeof serviceMessage(body)).toBe("string");
      }),
    );
    expect(serviceMessage("[1, 2")).toBe("[1, 2");
    expect(serviceMessage(`${"[".repeat(30_000)}"deep"${"]".repeat(30_000)}`)).toBe("");
  });

  it("hide keys by the name of their header", () => {
    const headers = new Headers({
      "x-api-key": "abcdef123",
      authorization: "Bearer 123456",
      accept: "text/plain",
    });
    expect(secretsOf(headers).sort()).toEqual(["123456", "abcdef123"]);
  });
});
