/** `maxsim repair`: the command line of it. */
import type { Command } from "commander";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";

export interface RepairCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly dropDamaged?: boolean;
  readonly rebuild?: boolean;
  readonly dryRun?: boolean;
  readonly model?: string;
}

export function registerRepair(program: Command, context: CommandContext): void {
  const command = program
    .command("repair")
    .description("mend what maxsim verify finds, as far as that can be done without guessing");
  withIndexOption(command)
    .option("--dry-run", "change nothing, and tell what would be done")
    .option("--drop-damaged", "remove documents of which nothing sound is left")
    .option("--rebuild", "encode all texts again when the codec is lost")
    .option("--model <model>", "folder or name of the index's model, when it has moved");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Passages are encoded again from their texts where their vectors are
lost; nothing is removed without --drop-damaged, and what is removed
is listed. The exit status is 1 when something stays damaged.

Examples:
  maxsim repair --dry-run
  maxsim repair --drop-damaged --index ./notes-index`,
    )
    .action(async (options: RepairCommandOptions) => {
      const { repair } = await import("../actions/repair.js");
      await repair(options, context);
    });
}
