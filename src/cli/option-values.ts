/** Parsers of option values for commander; what they refuse is wrong usage (exit status 2). */
import { describe } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { JsonValue } from "../common/json.js";

/** Bound of options that count things. */
export const MAX_COUNT = 1_000_000_000;

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

/** Numbers in a range. */
export function numberOption(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (value >= min && value <= max) return value;
    throw refused(name, `a number from ${min} to ${max}`, text);
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

/** A JSON object, given as text. */
export function jsonObjectOption(name: string): (text: string) => Readonly<Record<string, JsonValue>> {
  return (text) => {
    const value = parseJson(name, text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Readonly<Record<string, JsonValue>>;
    }
    throw new MaxsimError("INVALID_ARGUMENT", `${name} takes a JSON object, found ${describe(value)}`, {
      hint: EXAMPLE_OBJECT,
    });
  };
}

/** The value of a text that should be JSON. */
export function parseJson(name: string, text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MaxsimError("INVALID_ARGUMENT", `${name} is not JSON: ${reason}`, {
      hint: `Put it in single quotes, names and texts within it in double quotes. ${EXAMPLE_OBJECT}`,
      cause: error,
    });
  }
}

const EXAMPLE_OBJECT = `For example: '{"year": 2024, "tags": ["new"]}'`;

function refused(name: string, expected: string, text: string): MaxsimError {
  return new MaxsimError("INVALID_ARGUMENT", `${name} takes ${expected}, found ${JSON.stringify(text)}`);
}
