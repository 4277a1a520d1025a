/**
 * JSON over HTTP to the services of others, the one place of this folder that touches the network.
 *
 * Keys travel in headers and nowhere else: no message has them, and no redirect is followed.
 */
import { abortedError, throwIfAborted } from "../common/abort.js";
import { checkInteger, invalidArgument } from "../common/check.js";
import { type ErrorCode, MaxsimError } from "../common/errors.js";
import { secretsOf, serviceMessage, shown } from "./http-message.js";
import {
  type HttpClock,
  isRetriedStatus,
  MAX_RETRY_AFTER_MS,
  pauseMs,
  retryAfterMs,
  SYSTEM_CLOCK,
} from "./http-retry.js";

export type { HttpClock } from "./http-retry.js";

export interface HttpRequest {
  /** Name of the service in messages. */
  readonly service: string;
  /** http or https, without user name and password. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Anything that JSON can say. */
  readonly body: unknown;
  /** Of one attempt, its answer included. Default 30,000. */
  readonly timeoutMs?: number;
  /** Attempts after the first. Default 3. */
  readonly retries?: number;
  /** Size of an answer. Default 16 MiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
  /** The environment variable that a key can come from, for messages. */
  readonly keyVariable?: string;
}

export interface HttpAnswer {
  readonly json: unknown;
  readonly headers: Headers;
  /** Attempts made. */
  readonly requests: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RETRIES = 3;
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
const MAX_TIMEOUT_MS = 3_600_000;
const MAX_RETRIES = 20;
/** What is read of an answer that is an error. */
const MAX_ERROR_BYTES = 65_536;

/** A request after its checks. */
interface Call {
  readonly request: HttpRequest;
  /** Without query, for messages. */
  readonly place: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** Why an attempt failed; `message` goes on after the name of the service. */
interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly cause?: unknown;
  readonly again: boolean;
  /** Milliseconds that the service asks to wait. */
  readonly waitMs?: number | undefined;
}

class FailedAttempt extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/**
 * Sends `body` and gives the JSON of the answer. Timeouts, broken connections and statuses 408, 425, 429, 500, 502, 503, 504 and 529
 * are tried again after growing pauses, or after as long as the service asks for, up to a minute.
 *
 * Errors: UNAUTHORIZED (401, 403, 498), RATE_LIMITED (429), TIMEOUT, NETWORK, INVALID_ARGUMENT (400, 404, 413, 422: the service
 * refuses what it was sent), SERVICE (anything else that fails, and answers that are cut off, too large or no JSON), ABORTED.
 */
export async function postJson(request: HttpRequest, clock: HttpClock = SYSTEM_CLOCK): Promise<HttpAnswer> {
  const call = checkRequest(request);
  const { service, signal } = request;
  const retries = checkInteger("retries", request.retries ?? DEFAULT_RETRIES, 0, MAX_RETRIES);
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(signal, `the request to ${service}`);
    try {
      return { ...(await once(call, clock)), requests: attempt + 1 };
    } catch (error) {
      if (!(error instanceof FailedAttempt)) throw error;
      const { failure } = error;
      const { waitMs = pauseMs(attempt, call.body) } = failure;
      const tooLong = waitMs > MAX_RETRY_AFTER_MS;
      if (!failure.again || tooLong || attempt === retries) {
        throw errorOf(request, failure, attempt + 1, tooLong ? clock.now() + waitMs : undefined);
      }
      await clock.sleep(waitMs, signal);
    }
  }
}

function checkRequest(request: HttpRequest): Call {
  const { service, timeoutMs, maxBytes } = request;
  const url = checkUrl("url", request.url);
  const headers = new Headers({ "content-type": "application/json", accept: "application/json" });
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    // What fetch says of a value that it cannot send has the value in it.
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new MaxsimError(
        "INVALID_ARGUMENT",
        `the header ${shown(name, [])} for ${service} cannot be sent`,
        {
          hint: "A key is one line of printable characters; was it copied with something around it?",
        },
      );
    }
    headers.set(name, value);
  }
  return {
    request,
    place: `${url.origin}${url.pathname}`,
    url,
    headers,
    body: JSON.stringify(request.body),
    secrets: secretsOf(headers),
    timeoutMs: checkInteger("timeoutMs", timeoutMs ?? DEFAULT_TIMEOUT_MS, 1, MAX_TIMEOUT_MS),
    maxBytes: checkInteger("maxBytes", maxBytes ?? DEFAULT_MAX_BYTES, 1),
  };
}

/** An http(s) address without user name and password. Errors: INVALID_ARGUMENT. */
export function checkUrl(name: string, value: unknown): URL {
  const expected = "an address that starts with http:// or https://";
  if (typeof value !== "string" || !URL.canParse(value)) throw invalidArgument(name, expected, value);
  const url = new URL(value);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw invalidArgument(name, expected, value);
  if (url.username !== "" || url.password !== "") {
    throw new MaxsimError("INVALID_ARGUMENT", `${name} must not have a user name or password in it`, {
      hint: "Give the key with the option apiKey.",
    });
  }
  return url;
}

/** One attempt, within its time. Errors: FailedAttempt, ABORTED. */
async function once(call: Call, clock: HttpClock): Promise<Omit<HttpAnswer, "requests">> {
  const { service, signal } = call.request;
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop();
  }, call.timeoutMs);
  signal?.addEventListener("abort", stop, { once: true });
  let answered = false;
  try {
    const response = await fetch(call.url, {
      method: "POST",
      headers: call.headers,
      body: call.body,
      redirect: "manual",
      signal: controller.signal,
    });
    answered = true;
    if (!response.ok) throw new FailedAttempt(await refusal(call, response, clock));
    const json = parse(call, await textOf(call, response, call.maxBytes));
    return { json, headers: response.headers };
  } catch (error) {
    if (signal?.aborted) throw abortedError(signal, `the request to ${service}`);
    if (error instanceof FailedAttempt) throw error;
    if (late) throw new FailedAttempt(timeout(call));
    throw new FailedAttempt(broken(call, error, answered));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    // Frees the connection of an answer that was not read to its end.
    stop();
  }
}

/** The body as text. Errors: SERVICE for more than `limit` bytes, unpacked. */
async function textOf(call: Call, response: Response, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > limit) {
      const message = `answered with more than ${limit} bytes`;
      throw new FailedAttempt({ code: "SERVICE", message, hint: baseUrlHint(call), again: false });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(call: Call, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const found = text.trim() === "" ? "nothing" : JSON.stringify(shown(text.slice(0, 80), call.secrets));
    const message = `did not answer with JSON but with ${found}`;
    throw new FailedAttempt({ code: "SERVICE", message, hint: baseUrlHint(call), again: false });
  }
}

/** What became of a request that was answered with another status than 2xx. */
async function refusal(call: Call, response: Response, clock: HttpClock): Promise<Failure> {
  const { status, headers } = response;
  if (status >= 300 && status < 400) {
    const target = shown(headers.get("location") ?? "nowhere", call.secrets);
    const message = `answered ${status}, a redirect to ${target}, which is not followed`;
    return { code: "SERVICE", message, hint: baseUrlHint(call), again: false };
  }
  const said = shown(serviceMessage(await errorText(call, response)), call.secrets);
  const message = `answered ${status}${said === "" ? "" : `: ${said}`}`;
  const again = isRetriedStatus(status);
  const waitMs = again ? retryAfterMs(headers.get("retry-after"), clock.now()) : undefined;
  return { ...kindOf(call, status), message, again, waitMs };
}

function kindOf({ request, place }: Call, status: number): { code: ErrorCode; hint?: string } {
  if (status === 401 || status === 403 || status === 498) {
    const variable =
      request.keyVariable === undefined ? "" : ` or the environment variable ${request.keyVariable}`;
    return { code: "UNAUTHORIZED", hint: `Check the key: the option apiKey${variable}.` };
  }
  if (status === 404)
    return { code: "INVALID_ARGUMENT", hint: `Check the model's name and the address ${place}.` };
  if (status === 400 || status === 413 || status === 422) return { code: "INVALID_ARGUMENT" };
  if (status === 429)
    return { code: "RATE_LIMITED", hint: "Send fewer requests at a time, or try again later." };
  return { code: "SERVICE" };
}

/** As much of an error's text as can be had; that it cannot be read does not hide the status. */
async function errorText(call: Call, response: Response): Promise<string> {
  try {
    return await textOf(call, response, MAX_ERROR_BYTES);
  } catch (error) {
    return error instanceof FailedAttempt ? "" : `(no more could be read: ${reasonOf(error)})`;
  }
}

function timeout({ timeoutMs }: Call): Failure {
  const message = `did not answer within ${timeoutMs} ms`;
  return { code: "TIMEOUT", message, hint: "Raise timeoutMs, or send fewer documents.", again: true };
}

function broken(call: Call, error: unknown, answered: boolean): Failure {
  const reason = shown(reasonOf(error), call.secrets);
  if (answered)
    return { code: "SERVICE", message: `cut its answer off (${reason})`, cause: error, again: true };
  return {
    code: "NETWORK",
    message: `cannot be reached at ${call.place} (${reason})`,
    hint: "Check the address and the connection.",
    cause: error,
    again: true,
  };
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error.cause instanceof Error)) return error.message;
  const { message } = error.cause;
  return message !== "" ? message : "code" in error.cause ? String(error.cause.code) : error.message;
}

function baseUrlHint({ place }: Call): string {
  return `Check that ${place} is the address of the service; the option baseUrl sets it.`;
}

/** A time of milliseconds since 1970; services may name any number of seconds. */
function shownTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? "the end of time" : date.toISOString();
}

function errorOf(
  { service }: HttpRequest,
  failure: Failure,
  requests: number,
  until: number | undefined,
): MaxsimError {
  const { code, message, hint, cause } = failure;
  const tries = requests === 1 ? "" : `, after ${requests} attempts`;
  const wait = until === undefined ? "" : `, and asks to wait until ${shownTime(until)}`;
  return new MaxsimError(code, `${service} ${message}${tries}${wait}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
