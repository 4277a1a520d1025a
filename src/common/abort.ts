import { MaxsimError } from "./errors.js";

/** Throws ABORTED when the signal has fired; call it between units of work. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw abortedError(signal, what);
}

export function abortedError(signal: AbortSignal, what: string): MaxsimError {
  return new MaxsimError("ABORTED", `${what} was aborted`, { cause: signal.reason });
}

/** Rejects with ABORTED when the signal fires before `work` ends; drops its listener then. Never resolves. */
export function rejectOnAbort(signal: AbortSignal, work: Promise<unknown>, what: string): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(abortedError(signal, what));
    signal.addEventListener("abort", abort, { once: true });
    const drop = (): void => signal.removeEventListener("abort", abort);
    work.then(drop, drop);
  });
}
