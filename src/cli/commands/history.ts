/** `maxsim history`: the command line of it. */
import type { Command } from "commander";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { integerOption, MAX_COUNT } from "../option-values.js";

export interface HistoryCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly limit: number;
}

const DEFAULT_LIMIT = 20;

export function registerHistory(program: Command, context: CommandContext): void {
  const command = program
    .command("history")
    .description("show what made the generations of an index, newest first");
  withIndexOption(command).option(
    "--limit <number>",
    "generations at most",
    integerOption("--limit", 1, MAX_COUNT),
    DEFAULT_LIMIT,
  );
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Documents, passages and segments are those that it had then.

Examples:
  maxsim history
  maxsim history --limit 1 --json`,
    )
    .action(async (options: HistoryCommandOptions) => {
      const { showHistory } = await import("../actions/history.js");
      showHistory(options, context);
    });
}
