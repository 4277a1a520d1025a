#!/usr/bin/env node
/** The command line: one file per command under commands/, and under actions/ what it does, loaded when called. */
import { Command, CommanderError } from "commander";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { PACKAGE_VERSION } from "../common/version.js";
import { registerBackup } from "./commands/backup.js";
import { registerCompact } from "./commands/compact.js";
import { registerDelete } from "./commands/delete.js";
import { registerDistill } from "./commands/distill.js";
import { registerDoctor } from "./commands/doctor.js";
import { registerEval } from "./commands/eval.js";
import { registerGet } from "./commands/get.js";
import { registerHistory } from "./commands/history.js";
import { registerIndex } from "./commands/index.js";
import { registerInfo } from "./commands/info.js";
import { registerJudge } from "./commands/judge.js";
import { registerLift } from "./commands/lift.js";
import { registerList } from "./commands/list.js";
import { registerModel } from "./commands/model.js";
import { registerRepair } from "./commands/repair.js";
import { registerRerank } from "./commands/rerank.js";
import { registerRestore } from "./commands/restore.js";
import { registerSearch } from "./commands/search.js";
import { registerSync } from "./commands/sync.js";
import { registerUpdate } from "./commands/update.js";
import { registerVerify } from "./commands/verify.js";
import { type CommandContext, Interruption, processContext } from "./context.js";
import { exitStatus, renderError } from "./render/error.js";
import { renderJson } from "./render/json.js";
import { usageError } from "./usage-error.js";

export function createProgram(context: CommandContext): Command {
  const program = new Command("maxsim")
    .description("Late-interaction (ColBERT) search over your own files, offline.")
    .version(PACKAGE_VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      getOutHelpWidth: () => context.stdout.columns ?? 80,
      getErrHelpWidth: () => context.stderr.columns ?? 80,
      // Errors of usage are rendered with all others.
      outputError: () => undefined,
    })
    // Also on narrow terminals: by default commander wraps nothing below 40 columns of description.
    .configureHelp({ minWidthToWrap: 20 })
    // What stands after a command belongs to it: a command within a command has options of the same names.
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText(
      "after",
      `
Examples:
  maxsim index ~/notes
  maxsim search "how do I cancel a task?"
  maxsim doctor

Exit status: 0 done, 1 failed, 2 wrong usage,
130 interrupted.`,
    );
  registerIndex(program, context);
  registerSync(program, context);
  registerSearch(program, context);
  registerRerank(program, context);
  registerList(program, context);
  registerGet(program, context);
  registerUpdate(program, context);
  registerDelete(program, context);
  registerCompact(program, context);
  registerHistory(program, context);
  registerInfo(program, context);
  registerVerify(program, context);
  registerRepair(program, context);
  registerModel(program, context);
  registerBackup(program, context);
  registerRestore(program, context);
  registerEval(program, context);
  registerJudge(program, context);
  registerLift(program, context);
  registerDistill(program, context);
  registerDoctor(program, context);
  return program;
}

/** Runs one command line (without the program's name) and returns the exit status. */
export async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const program = createProgram(context);
  try {
    // Commander shows its general help for a topic that it does not know; as a command it is refused by name.
    const known = args[0] !== "help" || program.commands.some((command) => command.name() === args[1]);
    await program.parseAsync(known || args.length < 2 ? [...args] : args.slice(1), { from: "user" });
    return 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(error, args, context);
    // Help and version were printed; help that nobody asked for stands for a missing command.
    if (error.exitCode === 0) return 0;
    if (error.code === "commander.help") return 2;
    return report(usageError(error, program, args), args, context);
  }
}

/** Tells the user what went wrong and returns the exit status. */
function report(error: unknown, args: readonly string[], context: CommandContext): number {
  const { reason } = context.signal;
  const interrupted =
    isMaxsimError(error) && error.code === "ABORTED" && reason instanceof Interruption ? reason : undefined;
  const shown =
    interrupted === undefined
      ? error
      : new MaxsimError("ABORTED", `interrupted: ${(error as MaxsimError).message}`, {
          hint: (error as MaxsimError).hint ?? "Nothing was changed; the same command begins anew.",
          cause: error,
        });
  // The command line may be one that commander refused, so these two are looked for as they are written.
  const options = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  const verbose = options.includes("--verbose");
  context.stderr.write(
    options.includes("--json") ? renderJson({ error: shown }) : renderError(shown, { ...context, verbose }),
  );
  return interrupted?.exitStatus ?? exitStatus(error);
}

const context = processContext();
process.on("uncaughtException", (error) => {
  process.exit(report(error, process.argv.slice(2), context));
});
process.exitCode = await run(process.argv.slice(2), context);
