/** What a command sees of the world: streams, environment, interruption. Tests hand in their own. */
import { resolve } from "node:path";

export interface CommandContext {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stdin: NodeJS.ReadStream;
  readonly env: NodeJS.ProcessEnv;
  /** Fires at the first Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The folder that commands use without `--index`, under the working folder. */
export const DEFAULT_INDEX = "index-data/default";

/** The folder of `--index`, or the default one; the output says which. */
export function indexFolder(option: string | undefined): string {
  return resolve(option ?? DEFAULT_INDEX);
}

/** A context for this process; the second Ctrl-C ends it at once. */
export function processContext(): CommandContext {
  const controller = new AbortController();
  process.on("SIGINT", () => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("\nstopping; press Ctrl-C again to end at once\n");
    controller.abort();
  });
  process.on("SIGTERM", () => controller.abort());
  const { stdout, stderr, stdin, env } = process;
  // A reader that went away (`maxsim search ... | head`) is no failure of the command.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  return { stdout, stderr, stdin, env, signal: controller.signal };
}
