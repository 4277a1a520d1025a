/** Damage of an index as one line each. */
import type { IndexProblem } from "../../engine/verify.js";
import { singleLine } from "./plain-text.js";

/** `file:byte: what`, without the byte where none is known. */
export function problemLine({ file, offset, what }: IndexProblem): string {
  return singleLine(`${file}${offset === undefined ? "" : `:${offset}`}: ${what}`);
}
