/** Attributes, annotations and decorators before a definition: the index after those at `i`, and `i` without any. */
import { readPath } from "../reading.js";
import type { Tokens } from "../tokens.js";

/** More before one definition are not looked at, so that looking takes bounded time. */
const MAX_ATTRIBUTES = 24;

function repeat(i: number, skipOne: (at: number) => number): number {
  let at = i;
  for (let count = 0; count < MAX_ATTRIBUTES; count++) {
    const next = skipOne(at);
    if (next === at) break;
    at = next;
  }
  return at;
}

/** `@Name`, `@a.b.Name(…)`. */
export function skipAtAttributes(tokens: Tokens, i: number): number {
  return repeat(i, (at) => {
    if (!tokens.is(at, "@") || !tokens.isWord(at + 1) || tokens.is(at + 1, "interface")) return at;
    const { next } = readPath(tokens, at + 1, [".", ":"]);
    return tokens.is(next, "(") ? tokens.after(next) : next;
  });
}

/** `[…]` and `[[…]]`, as C# and C++ have them. */
export function skipBracketAttributes(tokens: Tokens, i: number): number {
  return repeat(i, (at) => (tokens.is(at, "[") && tokens.partners[at]! > at ? tokens.after(at) : at));
}

/** `#[…]`, as Rust and PHP have them. */
export function skipHashAttributes(tokens: Tokens, i: number): number {
  return repeat(i, (at) => (tokens.is(at, "#") && tokens.is(at + 1, "[") ? tokens.after(at + 1) : at));
}
