/** Errors as the user sees them, and the exit status they lead to. */
import { inspect } from "node:util";
import { isMaxsimError } from "../../common/errors.js";
import { type ColorTarget, createColors } from "./color.js";
import { multiLine } from "./plain-text.js";

/**
 * `error: message` and, where there is one, `hint: ...`, each line ended by a line break. An error that is not of
 * this package is a bug. `verbose`, or MAXSIM_DEBUG in the environment, shows the stack and what lies underneath.
 */
export function renderError(
  error: unknown,
  target: { readonly stderr: ColorTarget; readonly env: NodeJS.ProcessEnv; readonly verbose?: boolean },
): string {
  const colors = createColors(target.stderr, target.env);
  const known = isMaxsimError(error);
  const message = error instanceof Error ? error.message : String(error);
  const lines = [`${colors.red("error:")} ${multiLine(message)}`];
  if (known && error.hint !== undefined) lines.push(`${colors.cyan("hint:")} ${multiLine(error.hint)}`);
  const detailed = target.verbose === true || isSet(target.env.MAXSIM_DEBUG);
  if (!known) {
    const how = detailed ? "with the lines below" : "with what --verbose shows";
    lines.push(`${colors.cyan("hint:")} This is a bug in maxsim; please report it ${how}.`);
  }
  if (detailed) lines.push(multiLine(inspect(error)));
  return lines.map((line) => `${line}\n`).join("");
}

/** Filters come from the command line alone. */
const USAGE_CODES: ReadonlySet<string> = new Set(["INVALID_ARGUMENT", "INVALID_FILTER"]);

/** 2 for wrong usage, 1 for everything else that failed. */
export function exitStatus(error: unknown): 1 | 2 {
  return isMaxsimError(error) && USAGE_CODES.has(error.code) ? 2 : 1;
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && variable !== "" && variable !== "0";
}
