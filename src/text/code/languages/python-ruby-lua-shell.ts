/** Languages whose indentation tells where a definition ends: Python by rule; Ruby, Lua and shells by custom. */
import type { Grammar, Head, Surroundings } from "../definitions.js";
import { DOUBLE_QUOTED, type Lexis, SINGLE_QUOTED } from "../lexis.js";
import { between, readPath, spansLines, statementEnd, wordSet } from "../reading.js";
import type { Tokens } from "../tokens.js";
import { skipAtAttributes } from "./attributes.js";

export const pythonLexis: Lexis = {
  lineComments: ["#"],
  literals: [
    { open: '"""', close: '"""', escape: "backslash", manyLines: true },
    { open: "'''", close: "'''", escape: "backslash", manyLines: true },
    DOUBLE_QUOTED,
    SINGLE_QUOTED,
  ],
};

export const pythonGrammar: Grammar = {
  head(tokens, i, around) {
    let at = skipAtAttributes(tokens, i);
    if (tokens.is(at, "async")) at++;
    const name = tokens.word(at + 1);
    const keyword = tokens.word(at);
    if (name !== "" && (keyword === "def" || keyword === "class")) {
      const end = statementEnd(tokens, i, true, at);
      const isClass = keyword === "class";
      if (end <= at + 1) return undefined;
      return {
        name: isClass ? `class ${name}` : `${name}()`,
        end,
        body: Math.min(end, at + 2),
        inside: isClass ? "type" : "code",
      };
    }
    return around === "top" ? pythonValue(tokens, i) : undefined;
  },
  importEnd(tokens, i) {
    return tokens.is(i, "import") || tokens.is(i, "from") ? statementEnd(tokens, i, true) : undefined;
  },
};

/** `LIMITS = {…}` on several lines, with or without a type. */
function pythonValue(tokens: Tokens, i: number): Head | undefined {
  if (!tokens.isWord(i)) return undefined;
  let eq = i + 1;
  if (tokens.is(eq, ":"))
    while (eq < i + 40 && !tokens.is(eq, "=") && !tokens.isLineFirst(eq)) eq = tokens.after(eq);
  if (!tokens.is(eq, "=")) return undefined;
  const end = statementEnd(tokens, i, true);
  return end > eq && spansLines(tokens, i, end) ? { name: tokens.at(i), end } : undefined;
}

/** Lines of a definition that are not indented more than it, at most. */
const MAX_LEVEL = 200;

/** The last token of a definition that the first word `closer` ends which begins a line and is not indented more. */
function closedBy(tokens: Tokens, i: number, closers: ReadonlySet<string>): number {
  const indent = tokens.indent(i);
  let onFirstLine = true;
  let level = 0;
  for (let at = i + 1; at < tokens.length; at++) {
    const isFirst = tokens.isLineFirst(at);
    if (isFirst && onFirstLine && closers.has(tokens.at(at - 1))) return at - 1;
    if (isFirst) {
      onFirstLine = false;
      if (tokens.indent(at) > indent) continue;
      if (closers.has(tokens.at(at))) return at;
      // Further left the definition is over, closed or not; as far left, the lines are not indented.
      if (tokens.indent(at) < indent) return at - 1;
      if (++level > MAX_LEVEL) return -1;
    }
  }
  return onFirstLine || closers.has(tokens.at(tokens.length - 1)) ? tokens.length - 1 : -1;
}

const END: ReadonlySet<string> = new Set(["end"]);
const BRACE: ReadonlySet<string> = new Set(["}"]);
const PARENTHESIS: ReadonlySet<string> = new Set([")"]);

export const rubyLexis: Lexis = {
  lineComments: ["#"],
  blockComments: [{ open: "=begin", close: "=end", wholeLines: true }],
  literals: [DOUBLE_QUOTED, SINGLE_QUOTED],
  specials: ["ruby-heredoc"],
  looseBrackets: true,
};

const RUBY_MODIFIERS = wordSet("private protected public module_function private_class_method");

export const rubyGrammar: Grammar = {
  head(tokens, i) {
    const at = RUBY_MODIFIERS.has(tokens.word(i)) && !tokens.isLineFirst(i + 1) ? i + 1 : i;
    const word = tokens.word(at);
    if ((word === "class" || word === "module") && (tokens.isWord(at + 1) || tokens.is(at + 1, "<"))) {
      const { name, next } = readPath(tokens, at + 1, ["::"]);
      const shown = name === "" ? between(tokens, at, at + 4) : `${word} ${name}`;
      return ended(tokens, i, at, shown, next, "type");
    }
    if (word === "def") {
      let after = Math.max(readPath(tokens, at + 1, ["."]).next, at + 2);
      // `empty?`, `name=`, `<=>`.
      while (/^[^\w\s(;]+$/.test(tokens.at(after)) && tokens.start(after) === tokens.end(after - 1)) after++;
      const name = `${between(tokens, at + 1, after)}()`;
      return rubyShort(tokens, i, after, name) ?? ended(tokens, i, at, name, after, "code");
    }
    const isBlock = /^(?:describe|context|it|specify|namespace|task|RSpec)$/.test(word);
    return isBlock ? rubyBlock(tokens, i, at) : undefined;
  },
  importEnd(tokens, i) {
    return /^(?:require|require_relative|load)$/.test(tokens.word(i)) ? endOfLine(tokens, i) : undefined;
  },
};

function ended(
  tokens: Tokens,
  i: number,
  at: number,
  name: string,
  body: number,
  inside: Surroundings,
): Head | undefined {
  const end = closedBy(tokens, i, END);
  return end > at ? { name, end, body, inside } : undefined;
}

/** `def name(…) = value`. */
function rubyShort(tokens: Tokens, i: number, from: number, name: string): Head | undefined {
  let at = from;
  if (tokens.is(at, "(")) while (at < from + 60 && !tokens.is(at, ")")) at++;
  if (tokens.is(at, ")")) at++;
  return tokens.is(at, "=") ? { name, end: statementEnd(tokens, i, true) } : undefined;
}

/** `describe "name" do`. */
function rubyBlock(tokens: Tokens, i: number, at: number): Head | undefined {
  const last = endOfLine(tokens, i);
  const hasBlock = tokens.is(last, "do") || tokens.is(last, "|");
  if (!hasBlock) return undefined;
  let until = at;
  while (until < last && !tokens.is(until, "do")) until++;
  const end = closedBy(tokens, i, END);
  return end > last ? { name: between(tokens, at, until), end, body: last, inside: "code" } : undefined;
}

function endOfLine(tokens: Tokens, i: number): number {
  let at = i + 1;
  while (at < tokens.length && !tokens.isLineFirst(at)) at++;
  return at - 1;
}

export const luaLexis: Lexis = {
  lineComments: ["--"],
  blockComments: [],
  literals: [DOUBLE_QUOTED, SINGLE_QUOTED],
  specials: ["long-brackets"],
  looseBrackets: true,
};

export const luaGrammar: Grammar = {
  head(tokens, i) {
    const at = tokens.is(i, "local") ? i + 1 : i;
    const isPlain = tokens.is(at, "function");
    const { name, next } = readPath(tokens, isPlain ? at + 1 : at, [".", ":"]);
    const isValue = !isPlain && tokens.is(next, "=") && tokens.is(next + 1, "function");
    if (name === "" || !(isPlain || isValue)) return undefined;
    return ended(tokens, i, at, `${name}()`, next + 1, "code");
  },
  importEnd(tokens, i) {
    const isRequire = tokens.is(i, "local") && tokens.is(i + 2, "=") && tokens.is(i + 3, "require");
    return isRequire ? endOfLine(tokens, i) : undefined;
  },
};

export const shellLexis: Lexis = {
  lineComments: ["#"],
  commentsBeginWords: true,
  literals: [
    { ...DOUBLE_QUOTED, manyLines: true },
    { open: "'", close: "'", manyLines: true },
  ],
  specials: ["heredoc"],
  looseBrackets: true,
};

export const shellGrammar: Grammar = {
  head(tokens, i) {
    const keyword = tokens.is(i, "function");
    let next = keyword ? i + 1 : i;
    if (!tokens.isWord(next)) return undefined;
    const nameStart = next++;
    while (
      /^[-:.]$/.test(tokens.at(next)) &&
      tokens.isWord(next + 1) &&
      tokens.start(next) === tokens.end(next - 1)
    ) {
      next += 2;
    }
    const name = `${between(tokens, nameStart, next)}()`;
    const parentheses = tokens.is(next, "(") && tokens.is(next + 1, ")");
    if (parentheses) next += 2;
    if (!(parentheses || keyword) || !(tokens.is(next, "{") || tokens.is(next, "("))) return undefined;
    const end = closedBy(tokens, i, tokens.is(next, "{") ? BRACE : PARENTHESIS);
    return end > next ? { name, end, body: next + 1 } : undefined;
  },
  importEnd(tokens, i) {
    return tokens.is(i, "source") || tokens.is(i, "set") || (tokens.is(i, ".") && tokens.isWord(i + 1))
      ? endOfLine(tokens, i)
      : undefined;
  },
};
