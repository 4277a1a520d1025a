/** What the grammars of many languages need to read the beginning of a definition. Indexes are those of tokens. */
import { oneLine } from "../context.js";
import type { Head, Surroundings } from "./definitions.js";
import { CLOSE, OPEN, type Tokens } from "./tokens.js";

/** Heads that are longer are none, so that looking for one takes bounded time. Brackets count as one token. */
const MAX_HEAD = 300;

/** Modifiers of a definition at most, in tokens. */
export const MAX_PREFIX = 32;

/** Statements that are longer are no definitions. */
const MAX_STATEMENT = 3000;

/** Code units of a name at most. */
const MAX_NAME = 100;

/**
 * The index after the angle brackets that open at `i`; `i` where there are none, or they do not close soon.
 * @param braces types between braces may lie inside.
 */
export function skipAngles(tokens: Tokens, i: number, braces = false): number {
  if (!tokens.is(i, "<")) return i;
  let depth = 0;
  for (let at = i, steps = 0; at < tokens.length && steps < MAX_HEAD; at = tokens.after(at), steps++) {
    if (tokens.is(at, "<")) depth++;
    else if (tokens.is(at, ">") || tokens.is(at, ">=")) depth--;
    else if (tokens.is(at, ";") || (tokens.is(at, "{") && !braces) || tokens.kind(at) === CLOSE) return i;
    if (depth === 0) return at + 1;
  }
  return i;
}

/** Words from `i` on that the separators tie together: the name on one line, and the index after it. */
export function readPath(
  tokens: Tokens,
  i: number,
  separators: readonly string[],
): { readonly name: string; readonly next: number } {
  let next = i;
  if (!tokens.isWord(next)) return { name: "", next };
  next++;
  while (next - i < MAX_HEAD && separators.includes(tokens.at(next)) && tokens.isWord(next + 1)) next += 2;
  return { name: between(tokens, i, next), next };
}

/** The text of the tokens [from, to) on one line, clipped to a bounded length. */
export function between(tokens: Tokens, from: number, to: number): string {
  if (to <= from) return "";
  const start = tokens.start(from);
  const end = tokens.end(to - 1);
  const text = oneLine(tokens.text.slice(start, Math.min(end, start + 2 * MAX_NAME)));
  return text.length <= MAX_NAME && end - start <= 2 * MAX_NAME
    ? text
    : `${[...text].slice(0, MAX_NAME).join("")}…`;
}

export interface BodyOptions {
  /** Statements end with their lines: a line that is not indented more, and does not begin with a brace, is another one. */
  readonly newlines?: boolean;
  /** Braces after these marks are types, not bodies. */
  readonly typesAfter?: ReadonlySet<string>;
}

/** What ends the head of a definition that goes on at `from`: its brace, a mark, or nothing within reach. */
export type HeadEnd = { readonly kind: "{" | ";" | "=" | "none"; readonly at: number };

/** @param first the first token of the definition, whose indentation counts. */
export function findBody(tokens: Tokens, first: number, from: number, options: BodyOptions = {}): HeadEnd {
  const indent = tokens.indent(first);
  for (let at = from, steps = 0; at < tokens.length && steps < MAX_HEAD; at = tokens.after(at), steps++) {
    const token = tokens.at(at);
    if (token === "{" && options.typesAfter?.has(tokens.at(at - 1)) !== true) {
      return { kind: tokens.partners[at]! > at ? "{" : "none", at };
    }
    if (token === ";" || token === "=") return { kind: token, at };
    if (tokens.kind(at) === CLOSE) return { kind: "none", at };
    if (options.newlines === true && at > first && tokens.isLineFirst(at) && tokens.indent(at) <= indent) {
      // What closes the parameters may stand under the first word.
      if (tokens.kind(at) !== OPEN && !/^(?:where|extends|implements|with|throws|\)|:|->)$/.test(token)) {
        return { kind: "none", at };
      }
    }
  }
  return { kind: "none", at: from };
}

/**
 * The last token of the statement that begins at `first`: a semicolon, what stands before the bracket that closes
 * around it, or, where `newlines` end statements, before the next line that is not indented more. -1 for one without end
 * in reach.
 * @param from where to begin to look: after attributes, which may have lines of their own.
 */
export function statementEnd(tokens: Tokens, first: number, newlines: boolean, from = first): number {
  const indent = tokens.indent(first);
  let steps = 0;
  for (let at = from; at < tokens.length; at = tokens.after(at)) {
    if (++steps > MAX_STATEMENT) return -1;
    if (tokens.is(at, ";")) return at;
    if (tokens.kind(at) === CLOSE) return at - 1;
    if (newlines && at > from && tokens.isLineFirst(at) && tokens.indent(at) <= indent) return at - 1;
  }
  return tokens.length - 1;
}

/** Whether the tokens [first, last] stand on several lines. */
export function spansLines(tokens: Tokens, first: number, last: number): boolean {
  return tokens.lineOf(last) > tokens.lineOf(first) || tokens.at(last).includes("\n");
}

/** A definition with braces. */
export function braced(tokens: Tokens, name: string, body: number, inside: Surroundings): Head {
  return { name, end: tokens.partners[body]!, body, inside };
}

export function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(" "));
}
