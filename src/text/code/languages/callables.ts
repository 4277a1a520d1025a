/** Functions without a keyword, as C and its kin have them: a type, a name, parameters, a body. */
import type { Head, Surroundings } from "../definitions.js";
import { between, braced, statementEnd, wordSet } from "../reading.js";
import { CLOSE, DIRECTIVE, LITERAL, type Tokens } from "../tokens.js";

const CONTROL = wordSet(
  "if for while switch catch return new throw else do sizeof synchronized using lock fixed foreach goto case delete " +
    "defined static_assert alignof decltype when try import package yield await assert",
);

/** Tokens before the parameters, and between them and the body, at most. */
const MAX_TYPE = 80;
const MAX_TAIL = 120;

export interface CallableRules {
  /** Signatures without a body are definitions in types. */
  readonly signatures: boolean;
  /** `=> value;` is a body. */
  readonly arrows: boolean;
  /** What ties the words of a name together, such as `::`. */
  readonly separators: readonly string[];
}

/** @param at the index after attributes and modifiers. */
export function callableHead(
  tokens: Tokens,
  i: number,
  at: number,
  around: Surroundings,
  rules: CallableRules,
): Head | undefined {
  const open = parametersAfter(tokens, at);
  if (open < 0) return undefined;
  const nameEnd = beforeAngles(tokens, open, at);
  const nameStart = startOfName(tokens, nameEnd, at, rules.separators);
  const word = tokens.at(nameEnd - 1);
  if (CONTROL.has(word) || CONTROL.has(tokens.at(nameStart))) return undefined;
  const after = tokens.after(open);
  const isMacro = nameStart === at && around === "top" && /^[A-Z][A-Z0-9_]+$/.test(word);
  const name = isMacro ? between(tokens, nameStart, after) : `${between(tokens, nameStart, nameEnd)}()`;
  for (let next = after, steps = 0; steps < MAX_TAIL; next = tokens.after(next), steps++) {
    const token = tokens.at(next);
    if (token === "{") {
      if (isMember(tokens, next)) continue;
      return tokens.partners[next]! > next ? braced(tokens, name, next, "code") : undefined;
    }
    if (token === "=>" && rules.arrows) return ending(tokens, i, name, next);
    if (token === ";" || (token === "=" && around === "type")) {
      const hasType = nameStart > i;
      return rules.signatures && around === "type" && hasType ? ending(tokens, i, name, next) : undefined;
    }
    const kind = tokens.kind(next);
    if (token === "" || token === "=" || kind === CLOSE || kind === DIRECTIVE || CONTROL.has(token))
      return undefined;
    if (kind === LITERAL) return undefined;
  }
  return undefined;
}

/** The parenthesis of the parameters, when a name stands before it. */
function parametersAfter(tokens: Tokens, at: number): number {
  for (let next = at; next < at + MAX_TYPE; next = tokens.is(next, "[") ? tokens.after(next) : next + 1) {
    const token = tokens.at(next);
    if (token === "(") {
      const named = tokens.isWord(beforeAngles(tokens, next, at) - 1) || isOperator(tokens, next, at);
      if (next === at) return -1;
      if (!named) return -1;
      // `operator()(…)`, and attributes such as `__attribute__((…))`.
      if (tokens.is(next - 1, "operator") || /^__\w+$/.test(tokens.at(next - 1))) {
        next = tokens.after(next) - 1;
        if (tokens.is(next + 1, "(")) return next + 1;
        continue;
      }
      return tokens.partners[next]! > next ? next : -1;
    }
    const isAssignment = token === "=" && !isOperator(tokens, next + 1, at);
    if (token === "" || token === ";" || token === "{" || token === "}" || token === ")" || isAssignment)
      return -1;
    if (tokens.kind(next) === LITERAL || tokens.kind(next) === DIRECTIVE) return -1;
  }
  return -1;
}

/** `operator==` and its like before `next`. */
function isOperator(tokens: Tokens, next: number, at: number): boolean {
  for (let before = next - 1; before >= at && before >= next - 4; before--) {
    if (tokens.is(before, "operator")) return true;
  }
  return false;
}

/** The index of the angle brackets that close right before `end`; `end` where there are none. */
function beforeAngles(tokens: Tokens, end: number, at: number): number {
  let depth = 0;
  for (let before = end - 1; before > at && before >= end - MAX_TYPE; before--) {
    if (tokens.is(before, ">")) depth++;
    else if (tokens.is(before, "<")) depth--;
    else if (depth === 0 || tokens.is(before, ";") || tokens.is(before, "{")) return end;
    if (depth === 0) return before;
  }
  return end;
}

/** The first token of `ns::Type<T>::name`, `~Type`, `operator+=`, which ends before `end`. */
function startOfName(tokens: Tokens, end: number, at: number, separators: readonly string[]): number {
  let start = end - 1;
  if (!tokens.isWord(start)) {
    for (let before = start; before >= at && before >= end - 4; before--) {
      if (tokens.is(before, "operator")) start = before;
    }
  }
  if (tokens.is(start - 1, "~")) start--;
  for (;;) {
    if (start - 2 < at || !separators.includes(tokens.at(start - 1))) return start;
    const outer = beforeAngles(tokens, start - 1, at) - 1;
    if (outer < at || !tokens.isWord(outer)) return start;
    start = outer;
  }
}

/** Whether a brace after parameters begins the value of a member: `Point::Point(int x) : x_{x} {`. */
function isMember(tokens: Tokens, brace: number): boolean {
  const after = tokens.after(brace);
  return (
    tokens.isWord(brace - 1) && (tokens.is(after, "{") || tokens.is(after, ",")) && !tokens.isLineFirst(brace)
  );
}

function ending(tokens: Tokens, i: number, name: string, from: number): Head | undefined {
  const end = statementEnd(tokens, i, false);
  return end >= from ? { name, end } : undefined;
}

/** A property with accessors: `public int Size { get; set; }`. */
export function propertyHead(tokens: Tokens, i: number, at: number): Head | undefined {
  for (let next = at; next < at + MAX_TYPE; next++) {
    const token = tokens.at(next);
    if (token === "{") {
      const accessors = tokens.is(next + 1, "[") ? tokens.after(next + 1) : next + 1;
      const isAccessor = /^(?:get|set|init|add|remove|private|protected|internal)$/.test(
        tokens.word(accessors),
      );
      if (!isAccessor || !tokens.isWord(next - 1) || next - 1 === at) return undefined;
      const end = tokens.partners[next]!;
      const initialized = tokens.is(end + 1, "=") ? statementEnd(tokens, end + 1, false) : end;
      return initialized > next ? { name: tokens.at(next - 1), end: initialized } : undefined;
    }
    if (token === "=>" && tokens.isWord(next - 1) && next - 1 > at)
      return ending(tokens, i, tokens.at(next - 1), next);
    if (token === "" || token === "(" || token === ";" || token === "=" || token === "}") return undefined;
  }
  return undefined;
}
