/** `maxsim backup`: the command line of it. */
import type { Command } from "commander";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";

export interface BackupCommandOptions extends OutputOptions {
  readonly index?: string;
}

export function registerBackup(program: Command, context: CommandContext): void {
  const command = program
    .command("backup")
    .description("copy an index while others go on reading and writing it")
    .argument("<target>", "a new or empty folder, or a new archive: a path that ends in .tar");
  withOutputOptions(withIndexOption(command))
    .addHelpText(
      "after",
      `
The folder is an index of its own that can be searched; both come
back with maxsim restore.

Examples:
  maxsim backup ~/backups/notes.tar
  maxsim backup /mnt/disk/notes-index --index ./notes-index`,
    )
    .action(async (target: string, options: BackupCommandOptions) => {
      const { backUp } = await import("../actions/backup.js");
      await backUp(target, options, context);
    });
}
