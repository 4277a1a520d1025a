/** `maxsim model`: the command line of it. */
import type { Command } from "commander";
import { type OutputOptions, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";

export function registerModel(program: Command, context: CommandContext): void {
  const command = program
    .command("model")
    .description("show the settings that a model folder comes down to")
    .argument("[name]", "bundled model, folder, or Hugging Face repository id (default: the bundled model)");
  withOutputOptions(command)
    .addHelpText("after", "\nExamples:\n  maxsim model\n  maxsim model ./my-colbert --json")
    .action(async (name: string | undefined, options: OutputOptions) => {
      const { showModel } = await import("../actions/model.js");
      await showModel(name, options, context);
    });
}
