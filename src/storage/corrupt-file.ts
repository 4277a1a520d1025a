/** The error of a damaged binary file. */
import { MaxsimError } from "../common/errors.js";

/** An error that says where in a file what was expected and what was found. */
export function corruptFile(path: string, offset: number, expected: string, found: string): MaxsimError {
  return new MaxsimError(
    "CORRUPT",
    `${path} is damaged at byte ${offset}: expected ${expected}, found ${found}`,
    {
      hint: "Restore the index from a copy, or build it again.",
    },
  );
}
