/**
 * Languages in which keywords begin definitions and braces hold their bodies: attributes, modifiers, a keyword, a name.
 * What a language has besides is in its own module.
 */
import type { Grammar, Head, Surroundings } from "../definitions.js";
import {
  between,
  braced,
  findBody,
  MAX_PREFIX,
  readPath,
  skipAngles,
  spansLines,
  statementEnd,
} from "../reading.js";
import { MARK, type Tokens } from "../tokens.js";

export interface KeywordRules {
  readonly modifiers: ReadonlySet<string>;
  /** Keywords of what has members. */
  readonly types: ReadonlySet<string>;
  /** Keywords of what holds definitions and is no type, such as `namespace`. */
  readonly modules?: ReadonlySet<string>;
  readonly functions: ReadonlySet<string>;
  /** Keywords of variables, constants and aliases; those that take several lines are definitions. */
  readonly values?: ReadonlySet<string>;
  readonly imports: ReadonlySet<string>;
  /** Statements end with their lines. */
  readonly newlines: boolean;
  /** What ties the words of a name together. */
  readonly separators: readonly string[];
  /** The index after the attributes or annotations at `i`. */
  skipAttributes(tokens: Tokens, i: number): number;
  /** Looked at first; `at` is the index after attributes and modifiers. */
  special?(tokens: Tokens, i: number, at: number, around: Surroundings): Head | undefined;
  /** Looked at last, where no keyword stands. */
  member?(tokens: Tokens, i: number, at: number, around: Surroundings): Head | undefined;
}

export function keywordGrammar(rules: KeywordRules): Grammar {
  return {
    head(tokens, i, around) {
      const at = skipModifiers(tokens, rules.skipAttributes(tokens, i), rules);
      const special = rules.special?.(tokens, i, at, around);
      if (special !== undefined) return special;
      const word = tokens.word(at);
      const named = tokens.isWord(at + 1);
      if (named && rules.types.has(word)) return typeHead(tokens, i, at, word, rules, "type");
      if (named && rules.modules?.has(word)) return typeHead(tokens, i, at, word, rules, "top");
      if (rules.functions.has(word)) return functionHead(tokens, i, at, rules);
      if (rules.values?.has(word) && around !== "code") return valueHead(tokens, i, at, rules);
      return rules.member?.(tokens, i, at, around);
    },
    importEnd(tokens, i) {
      return rules.imports.has(tokens.word(i)) ? statementEnd(tokens, i, rules.newlines) : undefined;
    },
  };
}

function skipModifiers(tokens: Tokens, i: number, rules: KeywordRules): number {
  let at = i;
  while (rules.modifiers.has(tokens.word(at)) && at < i + MAX_PREFIX) {
    // `pub(crate)`, `private[this]`, `extern "C"`.
    const next = at + 1;
    const after = tokens.is(next, "(") || tokens.is(next, "[") ? tokens.after(next) : next;
    if (!tokens.isWord(after) && !tokens.at(after).startsWith('"')) return at;
    at = tokens.isWord(after) ? after : after + 1;
  }
  return at;
}

function typeHead(
  tokens: Tokens,
  i: number,
  at: number,
  label: string,
  rules: KeywordRules,
  inside: Surroundings,
): Head | undefined {
  // `enum class`, `record struct`.
  const from = rules.types.has(tokens.word(at + 1)) && tokens.isWord(at + 2) ? at + 2 : at + 1;
  const { name, next } = readPath(tokens, from, rules.separators);
  const body = findBody(tokens, i, skipAngles(tokens, next), { newlines: rules.newlines });
  if (body.kind === "{") return braced(tokens, `${label} ${name}`, body.at, inside);
  // `record Money(decimal Amount);`
  if (body.kind === ";" && tokens.is(next, "(")) return { name: `${label} ${name}`, end: body.at };
  const end = statementEnd(tokens, i, rules.newlines, at);
  return end >= from && rules.newlines ? { name: `${label} ${name}`, end } : undefined;
}

function functionHead(tokens: Tokens, i: number, at: number, rules: KeywordRules): Head | undefined {
  let from = tokens.is(at + 1, "&") ? at + 2 : at + 1;
  from = skipAngles(tokens, from);
  const path = functionName(tokens, from, rules.separators);
  // `init`, `deinit`: the keyword is the name.
  const name = path.name === "" ? tokens.at(at) : path.name;
  const after = skipAngles(tokens, path.next);
  if (!tokens.is(after, "(") && path.name === "" && !tokens.is(after, "{") && !tokens.is(after, "?"))
    return undefined;
  const body = findBody(tokens, i, after, { newlines: rules.newlines });
  if (body.kind === "{") return braced(tokens, `${name}()`, body.at, "code");
  if (body.kind === "=") {
    const end = statementEnd(tokens, i, rules.newlines, at);
    return end > body.at ? { name: `${name}()`, end, body: body.at + 1 } : undefined;
  }
  const end = body.kind === ";" ? body.at : rules.newlines ? statementEnd(tokens, i, true, at) : -1;
  return end > at ? { name: `${name}()`, end } : undefined;
}

/** Words that separators tie together, with type arguments between them, as in `List<T>.second`; or an operator. */
function functionName(
  tokens: Tokens,
  from: number,
  separators: readonly string[],
): { readonly name: string; readonly next: number } {
  let { name, next } = readPath(tokens, from, separators);
  for (let more = skipAngles(tokens, next); more > next; more = skipAngles(tokens, next)) {
    if (!separators.includes(tokens.at(more)) || !tokens.isWord(more + 1)) break;
    const rest = readPath(tokens, more + 1, separators);
    name += tokens.at(more) + rest.name;
    next = rest.next;
  }
  if (name !== "" || tokens.kind(from) !== MARK || tokens.is(from, "?")) return { name, next };
  while (tokens.kind(next) === MARK && next < from + 4) next++;
  return tokens.is(next, "(") ? { name: between(tokens, from, next), next } : { name, next: from };
}

function valueHead(tokens: Tokens, i: number, at: number, rules: KeywordRules): Head | undefined {
  const end = statementEnd(tokens, i, rules.newlines, at);
  if (end <= at || !spansLines(tokens, i, end)) return undefined;
  const grouped = tokens.is(at + 1, "(");
  const { name } = readPath(tokens, at + 1, rules.separators);
  return grouped || name === "" ? undefined : { name, end };
}

/** A definition whose name is what stands in its head, such as `impl Display for Point`. */
export function headAsName(tokens: Tokens, i: number, at: number, newlines: boolean): Head | undefined {
  const body = findBody(tokens, i, at + 1, { newlines });
  return body.kind === "{" ? braced(tokens, between(tokens, at, body.at), body.at, "type") : undefined;
}
