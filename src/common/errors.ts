/**
 * The one error class of the package and its codes.
 *
 * A message is one sentence that names the file, option or document at fault, what was expected and what was
 * found; `hint` says what to do next.
 */

/** Every code an error of this package can carry. */
export type ErrorCode =
  | "INVALID_ARGUMENT" // an option or argument has the wrong type or range
  | "INVALID_DOCUMENT" // a document handed to add() cannot be stored
  | "INVALID_VECTOR" // a token vector is not finite, or a list of vectors has the wrong length
  | "DIMENSION_MISMATCH" // vectors of another dimension than the index or the model has
  | "DUPLICATE_ID" // two documents of one input share an id
  | "UNKNOWN_DOCUMENT" // the index has no document of that id
  | "PATH_NOT_FOUND" // a path the user named does not exist or cannot be read
  | "INVALID_INPUT" // a corpus, queries or judgement file has a malformed line
  | "INVALID_FILTER" // a filter over documents cannot be read, or compares what has no comparison
  | "NO_LEXICAL_INDEX" // a search by words in an index that was made without them
  | "UNKNOWN_COLUMN" // a table has no column of that name
  | "PACKAGE_MISSING" // an optional package that reads a kind of file is not installed
  | "EMPTY_CORPUS" // nothing to index was found
  | "MODEL_NOT_FOUND" // no bundled model, folder or cached repository of that name
  | "MODEL_INVALID" // a model folder lacks a file or contradicts itself
  | "MODEL_MISMATCH" // the index was made with another model
  | "MODEL_RUNTIME_MISSING" // onnxruntime-node is not installed or does not load
  | "INDEX_NOT_FOUND" // there is no folder, or no index in it
  | "INDEX_EXISTS" // create() on a folder that already holds an index
  | "TARGET_EXISTS" // a backup would be written over something
  | "FORMAT_TOO_NEW" // written by a newer format version than this package reads
  | "CORRUPT" // a file or a row does not match its checksum, or lies about itself
  | "LOCKED" // another writer holds the index
  | "DISK_FULL" // ENOSPC, EDQUOT or EFBIG; the last generation is intact
  | "IO" // any other error of the file system
  | "NETWORK" // a download or a remote service could not be reached
  | "UNAUTHORIZED" // a remote service refused the key, or there is none
  | "RATE_LIMITED" // a remote service refused for the number of requests, after all retries
  | "TIMEOUT" // a remote service did not answer in time
  | "SERVICE" // a remote service failed or gave an answer that cannot be used
  | "BUDGET_EXCEEDED" // a cap on requests, tokens or cost was reached
  | "ABORTED" // the AbortSignal fired
  | "CLOSED" // the object was closed before or during the call
  | "KERNELS_UNAVAILABLE" // MAXSIM_KERNELS names a backend that does not load
  | "WORKER_FAILED" // a worker thread died or threw something unexpected
  | "INTERNAL"; // a broken invariant: a bug in this package

export interface ErrorDetails {
  /** What to do next, one sentence. */
  readonly hint?: string;
  /** The error underneath. */
  readonly cause?: unknown;
}

/** The error class of the package; test `error.code`, show `error.message` and `error.hint`. */
export class MaxsimError extends Error {
  override readonly name = "MaxsimError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
  }
}

/** True for errors of this package, also for those of a second copy of it and those that crossed a thread. */
export function isMaxsimError(error: unknown): error is MaxsimError {
  return error instanceof Error && error.name === "MaxsimError" && "code" in error;
}

/** A plain object that survives structured cloning between threads (class and prototype do not). */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

export function serializeError(error: unknown): SerializedError {
  if (isMaxsimError(error)) return { code: error.code, message: error.message, hint: error.hint };
  return {
    code: "WORKER_FAILED",
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

export function deserializeError(error: SerializedError): MaxsimError {
  return new MaxsimError(error.code, error.message, error.hint === undefined ? {} : { hint: error.hint });
}

const DISK_FULL_CODES = new Set(["ENOSPC", "EDQUOT", "EFBIG", "SQLITE_FULL"]);

/** The `code` of a system or SQLite error, such as `ENOENT`; undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Wraps an error of the file system or of SQLite; errors of this package pass unchanged. */
export function ioError(action: string, path: string, cause: unknown): MaxsimError {
  if (isMaxsimError(cause)) return cause;
  const code = systemCode(cause);
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (code !== undefined && DISK_FULL_CODES.has(code)) {
    return new MaxsimError("DISK_FULL", `no space left to ${action} ${path} (${reason})`, {
      hint: "Free some space and run the same command again; the last committed state of the index is intact.",
      cause,
    });
  }
  return new MaxsimError("IO", `cannot ${action} ${path}: ${reason}`, { cause });
}
