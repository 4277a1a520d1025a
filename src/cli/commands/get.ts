/** `maxsim get`: the command line of it. */
import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";

export interface GetCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly text?: boolean;
  readonly passages?: boolean;
}

export function registerGet(program: Command, context: CommandContext): void {
  const command = program
    .command("get")
    .description("show a document: its metadata, where it came from, its passages, its text")
    .argument("<id>", "the id, as searches and maxsim list show it");
  withIndexOption(command)
    .option("--text", "print the text alone")
    .option("--passages", "show the passages one by one instead of the text");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  maxsim get garden/tomatoes.md
  maxsim get garden/tomatoes.md --passages
  maxsim get garden/tomatoes.md --text > tomatoes.txt`,
    )
    .action(async (id: string, options: GetCommandOptions) => {
      const { text = false, passages = false, json = false } = options;
      if (Number(text) + Number(passages) + Number(json) > 1) {
        throw new MaxsimError("INVALID_ARGUMENT", "give one of --text, --passages and --json", {
          hint: "--json has the text and the passages.",
        });
      }
      const { getDocument } = await import("../actions/get.js");
      getDocument(id, options, context);
    });
}
