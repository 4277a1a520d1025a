/** Options that commands share, and what follows from them. */
import type { Command } from "commander";
import type { Logger } from "../common/logger.js";
import { type CommandContext, DEFAULT_INDEX } from "./context.js";
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
