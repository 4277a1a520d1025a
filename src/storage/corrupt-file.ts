/** The error of a damaged binary file. */
import { MaxsimError } from "../common/errors.js";

/** Where a file is damaged, and how. */
export interface Damage {
  /** Byte of the file, where one is known. */
  readonly offset?: number;
  /** What was expected and what was found. */
  readonly what: string;
}

const places = new WeakMap<Error, Damage>();

/** An error that says where in a file what was expected and what was found. */
export function corruptFile(path: string, offset: number, expected: string, found: string): MaxsimError {
  const what = `expected ${expected}, found ${found}`;
  const error = new MaxsimError("CORRUPT", `${path} is damaged at byte ${offset}: ${what}`, {
    hint: "Restore the index from a copy, or build it again.",
  });
  places.set(error, { offset, what });
  return error;
}

/** What an error about the file `path` says, without naming the file. */
export function damageOf(path: string, error: MaxsimError): Damage {
  const known = places.get(error);
  if (known !== undefined) return known;
  const { message } = error;
  if (!message.startsWith(path)) return { what: message };
  return { what: message.slice(path.length).replace(/^( is damaged)?:? /, "") };
}
