/** `maxsim list`: the command line of it. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import type { Filter } from "../../documents/filter/types.js";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { withFilterOption } from "../filter-option.js";
import { integerOption, MAX_COUNT } from "../option-values.js";

export interface ListCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly filter?: Filter;
  readonly limit?: number;
  readonly offset?: number;
  readonly ids?: boolean;
}

export function registerList(program: Command, context: CommandContext): void {
  const command = program.command("list").description("list the documents of an index");
  withFilterOption(withIndexOption(command), "only those that match")
    .option(
      "--limit <number>",
      "documents at most (default: 20; all with --ids or --json)",
      integerOption("--limit", 1, MAX_COUNT),
    )
    .option(
      "--offset <number>",
      "documents to pass over (default: 0)",
      integerOption("--offset", 0, MAX_COUNT),
    )
    .option("--ids", "print ids alone, one a line");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
The order is that in which the documents were added.

Examples:
  maxsim list
  maxsim list --filter 'path glob "drafts/**"' --limit 100
  maxsim list --ids --filter 'year < 2020' > old.txt`,
    )
    .action(async (options: ListCommandOptions) => {
      if (options.ids === true && options.json === true) {
        throw new MaxsimError("INVALID_ARGUMENT", "give either --ids or --json, not both", {
          hint: "--json has the ids as well.",
        });
      }
      const { listDocuments } = await import("../actions/list.js");
      await listDocuments(options, context);
    });
}
