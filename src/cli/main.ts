#!/usr/bin/env node
/** The command line: one file per command under commands/, loaded when it is called. */
import { Command, CommanderError } from "commander";
import { isMaxsimError } from "../common/errors.js";
import { PACKAGE_VERSION } from "../common/version.js";
import { registerDoctor } from "./commands/doctor.js";
import { registerIndex } from "./commands/index.js";
import { registerInfo } from "./commands/info.js";
import { registerModel } from "./commands/model.js";
import { registerSearch } from "./commands/search.js";
import { type CommandContext, processContext } from "./context.js";
import { exitStatus, renderError } from "./render/error.js";

export function createProgram(context: CommandContext): Command {
  const program = new Command("maxsim")
    .description("Late-interaction (ColBERT) search over your own files, offline.")
    .version(PACKAGE_VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .showHelpAfterError("(run with --help for the options)")
    .exitOverride()
    .addHelpText(
      "after",
      `
Examples:
  maxsim index ~/notes                       index a folder of Markdown, text, HTML, code, JSONL, CSV
  maxsim search "how do I cancel a task?"    ask it
  maxsim doctor                              what this machine gives the engine

Exit status: 0 done, 1 failed, 2 wrong usage.`,
    );
  registerIndex(program, context);
  registerSearch(program, context);
  registerInfo(program, context);
  registerModel(program, context);
  registerDoctor(program, context);
  return program;
}

/** Runs one command line (without the program's name) and returns the exit status. */
export async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const program = createProgram(context);
  try {
    await program.parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    // Commander has printed its own message by now; help and version end with code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!isMaxsimError(error)) throw error;
    context.stderr.write(renderError(error, context));
    return exitStatus(error);
  }
}

process.exitCode = await run(process.argv.slice(2), processContext());
