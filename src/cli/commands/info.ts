/** `maxsim info`: the command line of it. */
import type { Command } from "commander";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";

export interface InfoOptions extends OutputOptions {
  readonly index?: string;
  readonly segments?: boolean;
}

export function registerInfo(program: Command, context: CommandContext): void {
  const command = program.command("info").description("show what an index holds and what it costs on disk");
  withIndexOption(command).option("--segments", "list the segments, and what of them is deleted");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  maxsim info
  maxsim info --segments
  maxsim info --index ./notes-index --json`,
    )
    .action(async (options: InfoOptions) => {
      const { showInfo } = await import("../actions/info.js");
      await showInfo(options, context);
    });
}
