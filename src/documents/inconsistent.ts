import { MaxsimError } from "../common/errors.js";

/** A commit that cannot be right: a bug of the caller, refused before anything is stored. */
export function inconsistent(problem: string): MaxsimError {
  return new MaxsimError("INTERNAL", `the commit contradicts itself: ${problem}`);
}
