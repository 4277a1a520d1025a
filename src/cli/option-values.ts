/** Parsers of option values for commander; what they refuse is wrong usage (exit status 2). */
import { MaxsimError } from "../common/errors.js";

/** Whole numbers in a range. */
export function integerOption(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      throw refused(name, `a whole number from ${min} to ${max}`, text);
    }
    return value;
  };
}

/** One of a few words or numbers, given as text. */
export function choiceOption<T extends string | number>(
  name: string,
  choices: readonly T[],
): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => String(choice) === text);
    if (found === undefined) {
      throw refused(name, `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`, text);
    }
    return found;
  };
}

function refused(name: string, expected: string, text: string): MaxsimError {
  return new MaxsimError("INVALID_ARGUMENT", `${name} takes ${expected}, found ${JSON.stringify(text)}`);
}
