import { MaxsimError } from "../common/errors.js";

/** CORRUPT, saying what is wrong with the catalog. */
export function damagedCatalog(path: string, what: string): MaxsimError {
  return new MaxsimError("CORRUPT", `${path} is damaged: ${what}`, {
    hint: "Restore the index from a copy, or build it again.",
  });
}
