/** What commander says about a wrong command line, as an error of this package. */
import type { Command, CommanderError } from "commander";
import { MaxsimError } from "../common/errors.js";

/** The same message, with a hint that names what was meant or where the options are listed. */
export function usageError(error: CommanderError, program: Command, args: readonly string[]): MaxsimError {
  const [, message = error.message, suggestion] =
    /^(?:error: )?(.*?)(?:\n\((Did you mean .*)\))?$/s.exec(error.message) ?? [];
  const command = program.commands.find((candidate) => args.includes(candidate.name()));
  const see = `See: maxsim ${command === undefined ? "" : `${command.name()} `}--help`;
  const isWord = command?.name() === "search" && /^unknown option '-[^-]/.test(message);
  const more =
    error.code === "commander.unknownCommand"
      ? `The commands are ${program.commands.map((candidate) => candidate.name()).join(", ")}.`
      : isWord
        ? `A -word of a question stands in its quotes: maxsim search "tea -milk". ${see}`
        : see;
  return new MaxsimError("INVALID_ARGUMENT", message, {
    hint: suggestion === undefined ? more : suggestion.replace(/\n/g, " "),
    cause: error,
  });
}
