/** Standard input as documents: the path `-` of a command line. */
import { abortedError } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import { readStream } from "../datasets/stream.js";
import type { CorpusItem, RecordOptions } from "../datasets/types.js";
import type { CommandContext } from "./context.js";
import {
  DEFAULT_STREAM_FORMAT,
  DEFAULT_STREAM_ID,
  type StandardInputOptions,
} from "./standard-input-options.js";

/** Errors: those of readStream; ABORTED also while nothing comes. */
export async function* readStandardInput(
  { stdin, stderr, signal }: Pick<CommandContext, "stdin" | "stderr" | "signal">,
  {
    format = DEFAULT_STREAM_FORMAT,
    id = DEFAULT_STREAM_ID,
    ...records
  }: StandardInputOptions & RecordOptions,
): AsyncGenerator<CorpusItem> {
  if (stdin.isTTY === true) stderr.write("reading standard input; Ctrl-D ends it\n");
  const stop = (): void => {
    stdin.destroy(abortedError(signal, "reading standard input"));
  };
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    yield* readStream(stdin, { ...records, format, id, name: "standard input", signal });
  } catch (error) {
    throw format === DEFAULT_STREAM_FORMAT ? hintAtFormat(error) : error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Who pipes a text into a command may not know that records are expected. */
function hintAtFormat(error: unknown): unknown {
  if (!(error instanceof MaxsimError) || error.code !== "INVALID_INPUT") return error;
  const hint = `Standard input is read as JSON Lines; --format text takes it as one document. ${error.hint ?? ""}`;
  return new MaxsimError(error.code, error.message, { hint: hint.trim(), cause: error });
}
