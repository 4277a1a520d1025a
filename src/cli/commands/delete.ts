/** `maxsim delete`: the command line of it. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import type { Filter } from "../../documents/filter/types.js";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { withFilterOption } from "../filter-option.js";

export interface DeleteCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly filter?: Filter;
  readonly stdin?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function registerDelete(program: Command, context: CommandContext): void {
  const command = program
    .command("delete")
    .description("delete documents from an index; files are left alone")
    .argument("[ids...]", "ids, as searches and maxsim list show them");
  withFilterOption(withIndexOption(command), "all that match")
    .option("--stdin", "read the ids from stdin, one a line")
    .option("--dry-run", "show what would be deleted, and change nothing")
    .option("--yes", "do not ask before a filter deletes several documents");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
All of it is one generation, or nothing. Ids that are not
there are named; it fails when none of them is there.

Examples:
  maxsim delete garden/tomatoes.md car
  maxsim delete --filter 'tags has draft' --dry-run
  maxsim delete --stdin --index ./notes-index < old.txt`,
    )
    .action(async (ids: string[], options: DeleteCommandOptions) => {
      checkUsage(ids, options);
      const { deleteDocuments } = await import("../actions/delete.js");
      await deleteDocuments(ids, options, context);
    });
}

function checkUsage(ids: readonly string[], { filter, stdin }: DeleteCommandOptions): void {
  const ways = Number(ids.length > 0) + Number(filter !== undefined) + Number(stdin === true);
  if (ways === 1) return;
  const problem = ways === 0 ? "nothing to delete is named" : "give one of ids, --filter and --stdin";
  throw new MaxsimError("INVALID_ARGUMENT", problem, {
    hint: "For example: maxsim delete garden/tomatoes.md",
  });
}
