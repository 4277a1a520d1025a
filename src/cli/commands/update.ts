/** `maxsim update`: the command line of it. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import type { Metadata } from "../../documents/types.js";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { jsonObjectOption } from "../option-values.js";

/** False is commander's form of --no-metadata and the like: take it away. */
export interface UpdateCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly metadata?: Metadata | false;
  readonly merge?: boolean;
  readonly title?: string | false;
  readonly url?: string | false;
}

export function registerUpdate(program: Command, context: CommandContext): void {
  const command = program
    .command("update")
    .description("change metadata, title or url of a document without encoding it again")
    .argument("<id>", "the id, as searches and maxsim list show it");
  withIndexOption(command)
    .option(
      "--metadata <json>",
      "the new metadata, a JSON object; in place of all that is there",
      jsonObjectOption("--metadata"),
    )
    .option("--merge", "put the keys of --metadata into the metadata that is there")
    .option("--no-metadata", "take all metadata away")
    .option("--title <text>", "the new title")
    .option("--no-title", "take the title away")
    .option("--url <url>", "the new url")
    .option("--no-url", "take the url away");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Searches go by the title that it was encoded with. A file
that is read again brings back what it says itself.

Examples:
  maxsim update car --metadata '{"year": 2026}' --merge
  maxsim update car --title "The car" --no-url`,
    )
    .action(async (id: string, options: UpdateCommandOptions) => {
      checkUsage(options);
      const { updateDocument } = await import("../actions/update.js");
      await updateDocument(id, options, context);
    });
}

function checkUsage({ metadata, merge, title, url }: UpdateCommandOptions): void {
  const problem =
    merge === true && (metadata === undefined || metadata === false)
      ? "--merge goes with --metadata JSON"
      : metadata === undefined && title === undefined && url === undefined
        ? "nothing to change is named"
        : undefined;
  if (problem === undefined) return;
  throw new MaxsimError("INVALID_ARGUMENT", problem, {
    hint: `For example: maxsim update car --metadata '{"year": 2026}' --merge`,
  });
}
