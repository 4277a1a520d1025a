/** `maxsim doctor`: the command line of it. */
import type { Command } from "commander";
import { type OutputOptions, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";

export interface DoctorOptions extends OutputOptions {
  readonly model?: string;
}

export function registerDoctor(program: Command, context: CommandContext): void {
  const command = program
    .command("doctor")
    .description("check this machine and say which kernels, model and libraries are used, and why")
    .option("--model <name>", "model to try (default: the bundled model)");
  withOutputOptions(command)
    .addHelpText("after", "\nExamples:\n  maxsim doctor\n  maxsim doctor --model ./my-colbert --json")
    .action(async (options: DoctorOptions) => {
      const { examine } = await import("../actions/doctor.js");
      await examine(options, context);
    });
}
