/** A long operation on the index of a command: its folder is named, its progress drawn, and both go to stderr. */
import type { ProgressListener } from "../common/progress.js";
import { type CommandContext, shownPath } from "./context.js";
import { hintToBuild } from "./open-index.js";
import { ProgressRenderer } from "./render/progress.js";

/** `option` is that of `--index`, for the hint when there is no index in `folder`. */
export async function withProgress<T>(
  folder: string,
  { index: option, json = false }: { readonly index?: string; readonly json?: boolean },
  context: CommandContext,
  work: (onProgress: ProgressListener) => Promise<T>,
): Promise<T> {
  // With --json, stderr is for the error alone, but somebody at a terminal likes to see that work goes on.
  const quiet = json && context.stderr.isTTY !== true;
  if (!json) context.stderr.write(`index: ${shownPath(folder)}\n`);
  const progress = new ProgressRenderer({ stream: context.stderr, env: context.env });
  try {
    return await work((event) => {
      if (!quiet) progress.update(event);
    });
  } catch (error) {
    throw hintToBuild(error, option);
  } finally {
    progress.finish();
  }
}
