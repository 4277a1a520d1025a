/** Damaged files of records: the error names the file, and readers of a corpus can tell it from a malformed record. */
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { UnreadableFile } from "../text/unreadable.js";

const HINT =
  "Copy or download the file again; with --skip-invalid (skipInvalid) what precedes the damage is kept.";

/** INVALID_INPUT naming the file for an UnreadableFile; every other error as it is. */
export function namingFile(path: string, error: unknown): unknown {
  if (!(error instanceof UnreadableFile)) return error;
  return new MaxsimError("INVALID_INPUT", `${path}: ${error.message}`, { hint: HINT, cause: error });
}

/** Why the file cannot be read, where that is what the error says. */
export function unreadableReason(error: unknown): string | undefined {
  if (!isMaxsimError(error)) return undefined;
  return error.cause instanceof UnreadableFile ? error.cause.message : undefined;
}
