/** HTTP requests that notice a dead connection, try again where that helps, and fail with errors of this package. */
import { setTimeout as sleep } from "node:timers/promises";
import { abortedError, throwIfAborted } from "../common/abort.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";

export interface Connection {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
/** A connection that is silent for so long is dead. */
const STALL_MS = 60_000;

/** Worth another try: the connection broke or the server was busy. */
class RetryableError extends Error {}

/**
 * Sends a request (`init` makes it anew for each attempt) and hands the answer to `use`, which calls `alive` for each piece that it receives. Network errors,
 * status 429 and 5xx are tried again, with pauses.
 */
export async function request<T>(
  url: string,
  init: () => RequestInit,
  signal: AbortSignal | undefined,
  use: (response: Response, alive: () => void) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(signal, "the download");
    try {
      return await once(url, init, signal, use);
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      if (attempt === ATTEMPTS) throw networkError(url, error.message, error);
    }
    await sleep(FIRST_PAUSE_MS * 3 ** (attempt - 1));
  }
}

async function once<T>(
  url: string,
  init: () => RequestInit,
  signal: AbortSignal | undefined,
  use: (response: Response, alive: () => void) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const watch = setTimeout(() => stop.abort(), STALL_MS);
  try {
    const signals = signal === undefined ? [stop.signal] : [stop.signal, signal];
    const response = await fetch(url, { ...init(), signal: AbortSignal.any(signals) });
    if (response.status === 429 || response.status >= 500) {
      await response.body?.cancel();
      throw new RetryableError(`the server answered ${response.status}`);
    }
    return await use(response, () => watch.refresh());
  } catch (error) {
    if (isMaxsimError(error) || error instanceof RetryableError) throw error;
    if (signal?.aborted) throw abortedError(signal, "the download");
    if (stop.signal.aborted)
      throw new RetryableError(`silent for ${STALL_MS / 1000} seconds`, { cause: error });
    throw new RetryableError(reasonOf(error), { cause: error });
  } finally {
    clearTimeout(watch);
  }
}

export function networkError(url: string, reason: string, cause?: unknown): MaxsimError {
  return new MaxsimError("NETWORK", `cannot download ${url}: ${reason}`, {
    hint: "Check the connection and run the command again: it goes on where it stopped. Offline, give the path of a model folder.",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}
