/** Options that commands share, and what follows from them. */
import type { Command } from "commander";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import { Index } from "../engine/index.js";
import type { OpenOptions } from "../engine/options.js";
import { type CommandContext, DEFAULT_INDEX, indexFolder, shownPath } from "./context.js";
import { createColors } from "./render/color.js";
import { singleLine } from "./render/plain-text.js";

export interface OutputOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `--json` and `--verbose`, which every command has; call it after the options of its own. */
export function withOutputOptions(command: Command): Command {
  return command
    .option("--json", "print one JSON object; errors are one on stderr")
    .option("--verbose", "say more, and where an error came from");
}

export function withIndexOption(command: Command): Command {
  return command.option("--index <dir>", `folder of the index (default: ${DEFAULT_INDEX})`);
}

/** Warnings on stderr, everything with `--verbose`; nothing with `--json`, where stderr is for the error alone. */
export function commandLogger(context: CommandContext, { json, verbose }: OutputOptions): Logger {
  const colors = createColors(context.stderr, context.env);
  const write = (label: string, message: string): void => {
    context.stderr.write(`${label} ${singleLine(message)}\n`);
  };
  return {
    warn: (message) => {
      if (json !== true) write(colors.yellow("warning:"), message);
    },
    info: (message) => {
      if (json !== true && verbose === true) write(colors.dim("info:"), message);
    },
    debug: (message) => {
      if (json !== true && verbose === true) write(colors.dim("debug:"), message);
    },
  };
}

/** Opens the index of `--index`, or the default one; errors as Index.open, with a hint about the command line. */
export async function openIndex(option: string | undefined, options: OpenOptions): Promise<Index> {
  const folder = indexFolder(option);
  try {
    return await Index.open(folder, options);
  } catch (error) {
    if (!isMaxsimError(error) || error.code !== "INDEX_NOT_FOUND") throw error;
    const place = option === undefined ? "" : ` --index ${shownPath(folder)}`;
    throw new MaxsimError(error.code, error.message, {
      hint: `Build one with: maxsim index <paths...>${place}${option === undefined ? ", or name another folder with --index." : ""}`,
      cause: error,
    });
  }
}

/** An error for an index without documents. */
export function requireDocuments(index: Index): void {
  if (index.info().documents > 0) return;
  throw new MaxsimError("EMPTY_CORPUS", `the index ${index.folder} holds no documents`, {
    hint: "Fill it with: maxsim index <paths...>",
  });
}
