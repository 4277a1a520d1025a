/** When a failed request is worth another one, and how long to wait before it. */
import { createHash } from "node:crypto";
import { Random } from "../common/random.js";

/** Time as a request sees it, so that tests need not wait. */
export interface HttpClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after so many milliseconds, or as soon as the signal fires. */
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
}

export const SYSTEM_CLOCK: HttpClock = {
  now: Date.now,
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      signal?.addEventListener("abort", wake, { once: true });
      if (signal?.aborted) wake();
    }),
};

/** Longest wait that a service can ask for. */
export const MAX_RETRY_AFTER_MS = 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

/** Statuses that may pass: timeouts, rate limits, overload. 529 is what some services of language models answer when overloaded. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 529]);

export function isRetriedStatus(status: number): boolean {
  return RETRIED_STATUSES.has(status);
}

/**
 * Milliseconds that a `Retry-After` header asks to wait, which is a number of seconds or an HTTP date (RFC 9110, 10.2.3). Undefined
 * without a header and for one that is neither.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const value = header?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  // What Date.parse takes goes far beyond dates: "-5" is a year to it.
  const date = /^[A-Za-z]{3,9},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * Milliseconds to wait after attempt `attempt` (from 0) failed: twice as long each time, and between half and all of that by the hash
 * of `body`, so that requests which failed together do not come back together, and the same one always waits as long.
 */
export function pauseMs(attempt: number, body: string): number {
  const seed = createHash("sha256").update(body).digest().readInt32LE(0);
  const share = 0.5 + new Random(seed + attempt).float() / 2;
  return Math.round(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * share);
}
