import { MaxsimError } from "./errors.js";

/** Throws ABORTED when the signal has fired; call it between units of work. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw abortedError(signal, what);
}

export function abortedError(signal: AbortSignal, what: string): MaxsimError {
  return new MaxsimError("ABORTED", `${what} was aborted`, { cause: signal.reason });
}
