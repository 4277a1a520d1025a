/** What a command sees of the world: streams, environment, interruption. Tests hand in their own. */
import { constants } from "node:os";
import { isAbsolute, relative, resolve } from "node:path";
import { ioError } from "../common/errors.js";
import { formatPlace, recordUnitOf } from "../text/positions.js";

export interface CommandContext {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stdin: NodeJS.ReadStream;
  readonly env: NodeJS.ProcessEnv;
  /** Fires at the first Ctrl-C; its reason is an Interruption. */
  readonly signal: AbortSignal;
}

/** The folder that commands use without `--index`, under the working folder. */
export const DEFAULT_INDEX = "index-data/default";

/** The folder of `--index`, or the default one; the output says which. */
export function indexFolder(option: string | undefined): string {
  return resolve(option ?? DEFAULT_INDEX);
}

/** A path as people write it: relative where it lies in the working folder, else absolute. */
export function shownPath(path: string): string {
  const local = relative(".", path);
  if (local === "") return ".";
  return local.startsWith("..") || isAbsolute(local) ? path : local;
}

/** The user, or the system, asked the process to stop. */
export class Interruption extends Error {
  override readonly name = "Interruption";

  constructor(readonly signal: "SIGINT" | "SIGTERM") {
    super(`stopped by ${signal}`);
  }

  /** As shells count: 128 + number of the signal. */
  get exitStatus(): number {
    return 128 + constants.signals[this.signal];
  }
}

/** A context for this process; the second Ctrl-C ends it at once. */
export function processContext(): CommandContext {
  const controller = new AbortController();
  const { stdout, stderr, stdin, env } = process;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      const interruption = new Interruption(name);
      if (controller.signal.aborted) process.exit(interruption.exitStatus);
      if (stderr.isTTY) stderr.write("\nstopping; press Ctrl-C again to end at once\n");
      controller.abort(interruption);
    });
  }
  // A reader that went away (`maxsim search ... | head`) is no failure of the command.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw ioError("write", "the output", error);
  });
  // Nobody is left to be told.
  stderr.on("error", () => undefined);
  return { stdout, stderr, stdin, env, signal: controller.signal };
}

/** `path`, or of a record `path:line` and the like, as people write it. */
export function shownSource({ path, line }: { readonly path: string; readonly line?: number }): string {
  return line === undefined ? shownPath(path) : formatPlace(shownPath(path), recordUnitOf(path), line);
}

/** The columns of a stream that is a terminal; nothing for files and pipes, where nothing has to be cut. */
export function terminalWidth(stream: CommandContext["stdout"]): { width?: number } {
  return stream.isTTY === true && stream.columns !== undefined ? { width: stream.columns } : {};
}
