/** `maxsim verify`: the command line of it. */
import type { Command } from "commander";
import { type OutputOptions, withIndexOption, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";

export interface VerifyCommandOptions extends OutputOptions {
  readonly index?: string;
  readonly deep?: boolean;
}

export function registerVerify(program: Command, context: CommandContext): void {
  const command = program
    .command("verify")
    .description("check that an index is what was written, down to the last byte");
  withIndexOption(command).option("--deep", "compute every norm and many searches again");
  withOutputOptions(command)
    .addHelpText(
      "after",
      `
One line a problem: file:byte: what. The exit status is 1 when there
is one; maxsim repair mends what can be mended. Others may use the
index meanwhile.

Examples:
  maxsim verify
  maxsim verify --deep --index ./notes-index --json`,
    )
    .action(async (options: VerifyCommandOptions) => {
      const { verify } = await import("../actions/verify.js");
      await verify(options, context);
    });
}
