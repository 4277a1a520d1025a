/** `maxsim compact`: the command line of it. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { integerOption } from "../option-values.js";

export interface CompactCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly all?: boolean;
  readonly recluster?: boolean;
  /** Seconds. */
  readonly grace?: number;
}

const MAX_GRACE = 30 * 24 * 60 * 60;

export function registerCompact(program: Command, context: CommandContext): void {
  const command = program
    .command("compact")
    .description("merge segments and free what deleted documents take; answers stay the same");
  withIndexOption(command)
    .option("--all", "merge as far as segments can grow, and leave out every deleted passage")
    .option("--recluster", "train the centroids anew and compress everything again with them")
    .option(
      "--grace <seconds>",
      "how long files stay after they were superseded (default: 60)",
      integerOption("--grace", 0, MAX_GRACE),
    );
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Searches go on meanwhile, and nothing that they read is
removed. Writes merge small segments by themselves.

--recluster is for an index whose documents have changed in
kind since the first ones. Scores change, and some precision
is lost; how much is measured and shown.

Examples:
  maxsim compact
  maxsim compact --all --grace 0
  maxsim compact --recluster --index ./notes-index`,
    )
    .action(async (options: CompactCommandOptions) => {
      if (options.all === true && options.recluster === true) {
        throw new MaxsimError("INVALID_ARGUMENT", "give either --all or --recluster, not both", {
          hint: "--recluster writes everything anew, without what was deleted.",
        });
      }
      const { compact } = await import("../actions/compact.js");
      await compact(options, context);
    });
}
