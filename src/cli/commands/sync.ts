/** `maxsim sync`: the command line of it. */
import type { Command } from "commander";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { integerOption } from "../option-values.js";
import { type ReadingCommandOptions, withReadingOptions } from "../reading-options.js";

export interface SyncCommandOptions extends OutputOptions, ReadingCommandOptions {
  readonly index?: string;
  readonly dryRun?: boolean;
  readonly allowEmpty?: boolean;
  readonly checksum?: boolean;
  readonly threads?: number;
}

export function registerSync(program: Command, context: CommandContext): void {
  const command = program
    .command("sync")
    .description("bring an index up to date with its files: encode what changed, remove what is gone")
    .argument("[paths...]", "files and folders (default: all that were indexed or synced before)");
  withIndexOption(command)
    .option("--dry-run", "show what would be done, and change nothing")
    .option("--allow-empty", "remove all documents of a folder that is empty or gone")
    .option("--checksum", "read every file, whatever its size and time say")
    .option(
      "--threads <number>",
      "threads to encode with (default: all)",
      integerOption("--threads", 1, 256),
    );
  withReadingOptions(command, true);
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Options of reading are remembered for each named path; a
later sync needs none. Paths in the output are marked:
+ added, ~ changed, > renamed, - removed.

Examples:
  maxsim sync
  maxsim sync ~/notes --dry-run
  maxsim sync docs README.md --index ./docs-index`,
    )
    .action(async (paths: string[], options: SyncCommandOptions) => {
      const { syncPaths } = await import("../actions/sync.js");
      await syncPaths(paths, options, context);
    });
}
