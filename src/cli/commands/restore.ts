/** `maxsim restore`: the command line of it. */
import type { Command } from "commander";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";

export interface RestoreCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly replace?: boolean;
}

export function registerRestore(program: Command, context: CommandContext): void {
  const command = program
    .command("restore")
    .description("bring back an index from a backup, checked as a whole first")
    .argument("<backup>", "a folder or an archive that maxsim backup made");
  withIndexOption(command).option("--replace", "replace the index that is there");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  maxsim restore ~/backups/notes.tar
  maxsim restore /mnt/disk/notes-index --index ./notes-index \\
    --replace`,
    )
    .action(async (backup: string, options: RestoreCommandOptions) => {
      const { restore } = await import("../actions/restore.js");
      await restore(backup, options, context);
    });
}
