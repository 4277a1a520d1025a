/** C, C++, CUDA and Objective-C headers as far as they are C. */
import type { Grammar, Head, Surroundings } from "../definitions.js";
import { DOUBLE_QUOTED, type Lexis, SLASH_COMMENTS } from "../lexis.js";
import { between, braced, findBody, skipAngles, statementEnd, wordSet } from "../reading.js";
import { DIRECTIVE, type Tokens } from "../tokens.js";
import { skipBracketAttributes } from "./attributes.js";
import { callableHead } from "./callables.js";

export const cLexis: Lexis = {
  ...SLASH_COMMENTS,
  literals: [DOUBLE_QUOTED],
  specials: ["character", "cpp-raw", "directive"],
};

export const cGrammar: Grammar = {
  head,
  importEnd,
  // `extern "C" {` changes nothing.
  inBraces: (tokens, i) => (tokens.is(i - 2, "extern") ? "top" : "code"),
};

const MAX_TEMPLATES = 4;
const TYPES = wordSet("class struct union enum namespace");
const RULES = { signatures: false, arrows: false, separators: ["::"] };

function importEnd(tokens: Tokens, i: number): number | undefined {
  return tokens.kind(i) === DIRECTIVE && /^#\s*(?:include|import|pragma once)/.test(tokens.at(i))
    ? i
    : undefined;
}

function head(tokens: Tokens, i: number, around: Surroundings): Head | undefined {
  if (tokens.kind(i) === DIRECTIVE) return macroHead(tokens, i);
  if (around === "code") return undefined;
  let at = skipBracketAttributes(tokens, i);
  // Members of templates have two of them.
  for (let count = 0; count < MAX_TEMPLATES && tokens.is(at, "template"); count++) {
    at = skipBracketAttributes(tokens, skipAngles(tokens, at + 1));
  }
  if (tokens.is(at, "extern") && tokens.at(at + 1).startsWith('"')) {
    if (tokens.is(at + 2, "{")) return undefined;
    at += 2;
  }
  const isTypedef = tokens.is(at, "typedef");
  const type = typeHead(
    tokens,
    i,
    isTypedef || /^(?:static|inline|export)$/.test(tokens.word(at)) ? at + 1 : at,
    isTypedef,
  );
  return type ?? callableHead(tokens, i, at, around, RULES);
}

/** A macro of several lines. */
function macroHead(tokens: Tokens, i: number): Head | undefined {
  const text = tokens.at(i);
  const name = /^#\s*define\s+(\w{1,100})/.exec(text)?.[1];
  return name !== undefined && text.includes("\n") ? { name, end: i } : undefined;
}

function typeHead(tokens: Tokens, i: number, at: number, isTypedef: boolean): Head | undefined {
  const keyword = tokens.word(at);
  if (!TYPES.has(keyword)) return undefined;
  const body = findBody(tokens, i, at + 1);
  if (body.kind !== "{") return undefined;
  for (let next = at + 1; next < body.at; next++) {
    // A function that returns a struct.
    if (tokens.is(next, "(") && tokens.isWord(next - 1) && !isAttribute(tokens.at(next - 1)))
      return undefined;
  }
  const end = tokens.partners[body.at]!;
  const whole = isTypedef ? statementEnd(tokens, i, false) : end;
  const alias = isTypedef && tokens.isWord(whole - 1) ? tokens.at(whole - 1) : "";
  const name = nameOf(tokens, at + 1, body.at) || alias;
  const inside = keyword === "namespace" ? "top" : keyword === "enum" ? "code" : "type";
  const shown = name === "" ? keyword : `${keyword} ${name}`;
  return { ...braced(tokens, shown, body.at, inside), end: Math.max(end, whole) };
}

function isAttribute(word: string): boolean {
  return /^(?:alignas|__\w+|[A-Z][A-Z0-9_]*)$/.test(word);
}

/** The last word before the base classes, so that export macros are none. */
function nameOf(tokens: Tokens, from: number, to: number): string {
  let first = -1;
  let last = -1;
  for (let at = from; at < to; at = tokens.after(at)) {
    if (tokens.is(at, ":") || tokens.is(at, "<")) break;
    if (tokens.is(at, "::")) {
      last = at;
    } else if (
      tokens.isWord(at) &&
      !/^(?:final|class|struct)$/.test(tokens.at(at)) &&
      !tokens.is(at + 1, "(")
    ) {
      if (last < 0 || !tokens.is(last, "::")) first = at;
      last = at;
    }
  }
  return first < 0 ? "" : between(tokens, first, last + 1);
}
