/** JavaScript and TypeScript, with JSX. */
import type { Grammar, Head, Surroundings } from "../definitions.js";
import { DOUBLE_QUOTED, type Lexis, SINGLE_QUOTED, SLASH_COMMENTS } from "../lexis.js";
import {
  between,
  braced,
  findBody,
  MAX_PREFIX,
  readPath,
  skipAngles,
  spansLines,
  statementEnd,
  wordSet,
} from "../reading.js";
import { LITERAL, OPEN, type Tokens } from "../tokens.js";
import { skipAtAttributes } from "./attributes.js";

export const javascriptLexis: Lexis = {
  ...SLASH_COMMENTS,
  literals: [DOUBLE_QUOTED, SINGLE_QUOTED],
  specials: ["template", "regex"],
};

const MODIFIERS = wordSet(
  "export default declare abstract async public private protected static readonly override accessor",
);
const CONTROL = wordSet(
  "if for while switch catch with return new typeof await function super import do else throw",
);
const TYPES_AFTER: ReadonlySet<string> = new Set([":", "|", "&", "<", ",", "=", "?", "=>", "extends", "is"]);
const BODY = { newlines: true, typesAfter: TYPES_AFTER };
/** Tokens of a type, or between the name of a test and its body, at most. */
const MAX_TYPE = 100;
const TESTS = wordSet("describe test it suite");

const BEFORE_OBJECT: ReadonlySet<string> = new Set([
  "=",
  "(",
  ",",
  ":",
  "[",
  "?",
  "return",
  "default",
  "|",
  "&",
]);

export const javascriptGrammar: Grammar = {
  head,
  importEnd,
  inBraces: (tokens, i) => (BEFORE_OBJECT.has(tokens.at(i - 1)) ? "object" : "code"),
};

/** What a value is to the lines in it. */
function insideOf(tokens: Tokens, value: number): Surroundings {
  return tokens.is(value, "{") ? "object" : "code";
}

function importEnd(tokens: Tokens, i: number): number | undefined {
  const isImport = tokens.is(i, "import") && !tokens.is(i + 1, "(") && !tokens.is(i + 1, ".");
  const isRequire = /^(?:const|let|var)$/.test(tokens.word(i)) && requires(tokens, i);
  return isImport || isRequire ? statementEnd(tokens, i, true) : undefined;
}

/** `const x = require("x")`. */
function requires(tokens: Tokens, i: number): boolean {
  const eq = tokens.after(i + 1);
  return tokens.is(eq, "=") && tokens.is(eq + 1, "require") && tokens.is(eq + 2, "(");
}

function head(tokens: Tokens, i: number, around: Surroundings): Head | undefined {
  const at = skipModifiers(tokens, skipAtAttributes(tokens, i));
  const word = tokens.word(at);
  const next = tokens.at(at + 1);
  if (word === "class") return classHead(tokens, i, at);
  if ((word === "interface" || word === "enum") && tokens.isWord(at + 1))
    return typeHead(tokens, i, at, word, at + 1);
  if (word === "const" && next === "enum") return typeHead(tokens, i, at, "enum", at + 2);
  if (word === "namespace" || word === "module") {
    const named = tokens.isWord(at + 1) || tokens.kind(at + 1) === LITERAL;
    if (named) return typeHead(tokens, i, at, word, at + 1);
  }
  if (word === "global" && next === "{") return braced(tokens, "declare global", at + 1, "top");
  if (word === "type" && tokens.isWord(at + 1)) return aliasHead(tokens, i, at);
  if (word === "function") return functionHead(tokens, i, at);
  if (word === "const" || word === "let" || word === "var") return variableHead(tokens, i, at, around);
  if (TESTS.has(word)) {
    const test = testHead(tokens, at, word);
    if (test !== undefined) return test;
  }
  if (around === "type" || around === "object") return memberHead(tokens, i, at, around);
  if (at > i && tokens.is(at - 1, "default")) return defaultHead(tokens, i, at);
  return assignmentHead(tokens, i, at);
}

/** A word such as `static` is a modifier when something that can be named follows. */
function skipModifiers(tokens: Tokens, i: number): number {
  let at = i;
  while (
    at < i + MAX_PREFIX &&
    MODIFIERS.has(tokens.word(at)) &&
    !/^(?:[(=:,;?!.{}]|=>|)$/.test(tokens.at(at + 1))
  )
    at++;
  if (tokens.is(at, "default")) at++;
  return at;
}

function classHead(tokens: Tokens, i: number, at: number): Head | undefined {
  const named = tokens.isWord(at + 1) && !/^(?:extends|implements)$/.test(tokens.at(at + 1));
  const body = findBody(tokens, i, skipAngles(tokens, named ? at + 2 : at + 1, true), BODY);
  return body.kind === "{"
    ? braced(tokens, named ? `class ${tokens.at(at + 1)}` : "class", body.at, "type")
    : undefined;
}

function typeHead(tokens: Tokens, i: number, at: number, label: string, from: number): Head | undefined {
  const { name, next } = readPath(tokens, from, ["."]);
  const body = findBody(tokens, i, Math.max(next, at + 1), { newlines: true });
  const shown = name === "" ? between(tokens, from, from + 1) : name;
  // Lines of an interface are signatures: nothing in it is a definition.
  const inside = label === "namespace" || label === "module" ? "top" : "list";
  return body.kind === "{" ? braced(tokens, `${label} ${shown}`, body.at, inside) : undefined;
}

function aliasHead(tokens: Tokens, i: number, at: number): Head | undefined {
  if (!tokens.is(skipAngles(tokens, at + 2, true), "=")) return undefined;
  const end = statementEnd(tokens, i, true);
  return end > i && spansLines(tokens, i, end) ? { name: `type ${tokens.at(at + 1)}`, end } : undefined;
}

function functionHead(tokens: Tokens, i: number, at: number): Head | undefined {
  const from = tokens.is(at + 1, "*") ? at + 2 : at + 1;
  const name = tokens.isWord(from) ? tokens.at(from) : "default";
  const body = findBody(tokens, i, skipAngles(tokens, tokens.isWord(from) ? from + 1 : from, true), BODY);
  if (body.kind === "{") return braced(tokens, `${name}()`, body.at, "code");
  // One of several signatures.
  return body.kind === ";" ? { name: `${name}()`, end: body.at } : undefined;
}

function variableHead(tokens: Tokens, i: number, at: number, around: Surroundings): Head | undefined {
  const name = tokens.word(at + 1);
  if (name === "" || name === "enum") return undefined;
  const eq = tokens.is(at + 2, "=") ? at + 2 : findAssignment(tokens, at + 2);
  if (eq < 0) return undefined;
  const value = functionValue(tokens, i, eq + 1, name);
  if (value !== undefined) return value;
  if (around === "code" || around === "list") return undefined;
  const end = statementEnd(tokens, i, true);
  if (end <= eq || !spansLines(tokens, i, end) || tokens.is(eq + 1, "require")) return undefined;
  return { name, end, body: eq + 1, inside: insideOf(tokens, eq + 1) };
}

/** The `=` after the type of a variable. */
function findAssignment(tokens: Tokens, from: number): number {
  if (!tokens.is(from, ":") && !tokens.is(from, "!")) return -1;
  for (let at = from, steps = 0; steps < MAX_TYPE; at = tokens.after(at), steps++) {
    if (tokens.is(at, "=")) return at;
    if (tokens.is(at, ";") || tokens.at(at) === "") return -1;
  }
  return -1;
}

/** A function or class that is a value and begins at `from`. */
function functionValue(tokens: Tokens, i: number, from: number, name: string): Head | undefined {
  let at = tokens.is(from, "async") ? from + 1 : from;
  if (tokens.is(at, "class")) {
    const body = findBody(tokens, i, at + 1, BODY);
    return body.kind === "{" ? braced(tokens, `class ${name}`, body.at, "type") : undefined;
  }
  if (tokens.is(at, "function")) {
    const body = findBody(tokens, i, at + 1, BODY);
    return body.kind === "{" ? braced(tokens, `${name}()`, body.at, "code") : undefined;
  }
  at = skipAngles(tokens, at, true);
  const arrow = tokens.isWord(at) ? at + 1 : tokens.is(at, "(") ? arrowAfter(tokens, tokens.after(at)) : -1;
  if (arrow < 0 || !tokens.is(arrow, "=>")) return undefined;
  if (tokens.is(arrow + 1, "{") && tokens.partners[arrow + 1]! > 0)
    return braced(tokens, `${name}()`, arrow + 1, "code");
  const end = statementEnd(tokens, i, true);
  return end > arrow ? { name: `${name}()`, end, body: arrow + 1 } : undefined;
}

/** The arrow after parameters, behind the type of the result if there is one. */
function arrowAfter(tokens: Tokens, from: number): number {
  if (!tokens.is(from, ":")) return from;
  for (let at = from, steps = 0; steps < MAX_TYPE; at = tokens.after(at), steps++) {
    if (tokens.is(at, "=>")) return at;
    if (tokens.is(at, ";") || tokens.is(at, "=") || tokens.at(at) === "") return -1;
  }
  return -1;
}

/** `describe("name", () => { … })`. */
function testHead(tokens: Tokens, at: number, word: string): Head | undefined {
  let call = readPath(tokens, at, ["."]).next;
  // `test.each(table)("name", …)`.
  if (tokens.is(call, "(") && tokens.is(tokens.after(call), "(")) call = tokens.after(call);
  const end = tokens.partners[call] ?? -1;
  if (!tokens.is(call, "(") || end < 0 || tokens.kind(call + 1) !== LITERAL) return undefined;
  for (let next = call + 1, steps = 0; next < end && steps < MAX_TYPE; next = tokens.after(next), steps++) {
    const isBody = tokens.is(next, "{") && (tokens.is(next - 1, "=>") || tokens.is(next - 1, ")"));
    if (isBody) return { name: `${word} ${between(tokens, call + 1, call + 2)}`, end, body: next };
  }
  return undefined;
}

/** Methods, accessors, and functions that are values of properties. */
function memberHead(tokens: Tokens, i: number, at: number, around: "type" | "object"): Head | undefined {
  let from = at;
  const accessor = /^(?:get|set)$/.test(tokens.word(from)) && !/^(?:[(=:,;?]|)$/.test(tokens.at(from + 1));
  if (accessor) from++;
  if (tokens.is(from, "*")) from++;
  if (around === "type" && tokens.is(from, "static") && tokens.is(from + 1, "{")) {
    return braced(tokens, "static", from + 1, "code");
  }
  const nameStart = from;
  if (tokens.is(from, "#")) from++;
  if (tokens.kind(from) === OPEN && !tokens.is(from, "[")) return undefined;
  from = tokens.after(from);
  const name = between(tokens, nameStart, from);
  if (tokens.is(from, "?") || tokens.is(from, "!")) from++;
  const afterName = skipAngles(tokens, from, true);
  if (tokens.is(afterName, "(") && !CONTROL.has(name)) {
    const body = findBody(tokens, i, tokens.after(afterName), BODY);
    return body.kind === "{" ? braced(tokens, `${name}()`, body.at, "code") : undefined;
  }
  if (around === "object") {
    if (!tokens.is(from, ":")) return undefined;
    return functionValue(tokens, i, from + 1, name) ?? nested(tokens, from + 1, name);
  }
  const eq = tokens.is(from, "=") ? from : findAssignment(tokens, from);
  return eq < 0 ? undefined : functionValue(tokens, i, eq + 1, name);
}

function nested(tokens: Tokens, at: number, name: string): Head | undefined {
  if (!tokens.is(at, "{") || tokens.partners[at]! < 0) return undefined;
  return spansLines(tokens, at, tokens.partners[at]!) ? braced(tokens, name, at, "object") : undefined;
}

/** `export default` of a value. */
function defaultHead(tokens: Tokens, i: number, at: number): Head | undefined {
  const end = statementEnd(tokens, i, true);
  if (end <= at || !spansLines(tokens, i, end)) return undefined;
  return (
    functionValue(tokens, i, at, "default") ?? {
      name: "default",
      end,
      body: at,
      inside: insideOf(tokens, at),
    }
  );
}

/** `exports.name = function …`, `Router.prototype.handle = …`. */
function assignmentHead(tokens: Tokens, i: number, at: number): Head | undefined {
  const { name, next } = readPath(tokens, at, ["."]);
  if (!name.includes(".") || !tokens.is(next, "=")) return undefined;
  const value = functionValue(tokens, i, next + 1, name);
  if (value !== undefined || name !== "module.exports") return value;
  const end = statementEnd(tokens, i, true);
  return end > next && spansLines(tokens, i, end)
    ? { name, end, body: next + 1, inside: insideOf(tokens, next + 1) }
    : undefined;
}
