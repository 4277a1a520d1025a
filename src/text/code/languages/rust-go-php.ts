/** Go, Rust and PHP. */
import type { Grammar, Head } from "../definitions.js";
import { DOUBLE_QUOTED, type Lexis, NESTED_COMMENTS, SINGLE_QUOTED, SLASH_COMMENTS } from "../lexis.js";
import {
  between,
  braced,
  findBody,
  readPath,
  skipAngles,
  spansLines,
  statementEnd,
  wordSet,
} from "../reading.js";
import type { Tokens } from "../tokens.js";
import { skipHashAttributes } from "./attributes.js";
import { keywordGrammar } from "./keywords.js";

const NOTHING: ReadonlySet<string> = new Set();

export const goLexis: Lexis = {
  ...SLASH_COMMENTS,
  literals: [DOUBLE_QUOTED, { open: "`", close: "`", manyLines: true }],
  specials: ["character"],
};

export const goGrammar: Grammar = keywordGrammar({
  modifiers: NOTHING,
  types: NOTHING,
  functions: NOTHING,
  values: wordSet("const var"),
  imports: wordSet("package import"),
  newlines: true,
  separators: ["."],
  skipAttributes: (_tokens, i) => i,
  special(tokens, i, at, around) {
    if (around !== "top") return undefined;
    if (tokens.is(at, "func")) return goFunction(tokens, i, at);
    return tokens.is(at, "type") && tokens.isWord(at + 1) ? goType(tokens, i, at) : undefined;
  },
});

function goFunction(tokens: Tokens, i: number, at: number): Head | undefined {
  let nameAt = at + 1;
  let receiver = "";
  if (tokens.is(nameAt, "(")) {
    const close = tokens.after(nameAt) - 1;
    // `(r *Router[T])`: the type is the last word that is not inside of brackets.
    for (let next = nameAt + 1; next < close; next = tokens.after(next)) {
      if (tokens.isWord(next)) receiver = `${tokens.at(next)}.`;
    }
    nameAt = close + 1;
  }
  if (!tokens.isWord(nameAt)) return undefined;
  const name = `${receiver}${tokens.at(nameAt)}()`;
  const first = tokens.is(nameAt + 1, "[") ? tokens.after(nameAt + 1) : nameAt + 1;
  const from = tokens.is(first, "(") ? tokens.after(first) : first;
  for (let next = from, steps = 0; steps < 60; next = tokens.after(next), steps++) {
    if (tokens.is(next, "{")) {
      // The result may be a struct or interface of its own.
      if (/^(?:struct|interface)$/.test(tokens.at(next - 1))) continue;
      return tokens.partners[next]! > next ? braced(tokens, name, next, "code") : undefined;
    }
    if (tokens.at(next) === "" || tokens.isLineFirst(next)) break;
  }
  const end = statementEnd(tokens, i, true);
  return end > nameAt ? { name, end } : undefined;
}

function goType(tokens: Tokens, i: number, at: number): Head | undefined {
  const end = statementEnd(tokens, i, true);
  return end > at && spansLines(tokens, i, end) ? { name: `type ${tokens.at(at + 1)}`, end } : undefined;
}

export const rustLexis: Lexis = {
  ...NESTED_COMMENTS,
  literals: [{ ...DOUBLE_QUOTED, manyLines: true }],
  specials: ["character", "rust-raw"],
};

export const rustGrammar: Grammar = keywordGrammar({
  modifiers: wordSet("pub async unsafe extern default const"),
  types: NOTHING,
  functions: wordSet("fn"),
  modules: wordSet("mod"),
  values: wordSet("static type use"),
  imports: wordSet("use extern"),
  newlines: false,
  separators: ["::"],
  skipAttributes: skipHashAttributes,
  special: rustSpecial,
});

function rustSpecial(tokens: Tokens, i: number, at: number): Head | undefined {
  const word = tokens.word(at);
  if (word === "impl") {
    const from = skipAngles(tokens, at + 1);
    const body = findBody(tokens, i, from);
    if (body.kind !== "{") return undefined;
    let until = from;
    while (until < body.at && !tokens.is(until, "where")) until++;
    return braced(tokens, `impl ${between(tokens, from, until)}`, body.at, "type");
  }
  if (word === "macro_rules" && tokens.is(at + 1, "!") && tokens.isWord(at + 2)) {
    const end = tokens.partners[at + 3] ?? -1;
    return end > at ? { name: `macro ${tokens.at(at + 2)}!`, end } : undefined;
  }
  if (/^(?:struct|enum|union|trait)$/.test(word) && tokens.isWord(at + 1)) {
    const name = `${word} ${tokens.at(at + 1)}`;
    const body = findBody(tokens, i, at + 2);
    // The lines of a struct are fields.
    if (body.kind === "{") return braced(tokens, name, body.at, word === "trait" ? "type" : "list");
    return body.kind === ";" ? { name, end: body.at } : undefined;
  }
  const isConstant = tokens.is(at - 1, "const") && at - 1 >= i && word !== "fn" && tokens.is(at + 1, ":");
  if (isConstant) {
    const end = statementEnd(tokens, i, false);
    return end > at && spansLines(tokens, i, end) ? { name: word, end } : undefined;
  }
  return undefined;
}

export const phpLexis: Lexis = {
  ...SLASH_COMMENTS,
  lineComments: ["//", "#"],
  literals: [
    { ...DOUBLE_QUOTED, manyLines: true },
    { ...SINGLE_QUOTED, manyLines: true },
  ],
  specials: ["php-heredoc", "php-tags"],
};

export const phpGrammar: Grammar = {
  ...keywordGrammar({
    modifiers: wordSet("public private protected static final abstract readonly"),
    types: wordSet("class interface trait enum"),
    modules: NOTHING,
    functions: wordSet("function"),
    values: wordSet("const"),
    imports: NOTHING,
    newlines: false,
    separators: ["\\"],
    skipAttributes: skipHashAttributes,
    special(tokens, i, at) {
      if (!tokens.is(at, "namespace")) return undefined;
      const { name, next } = readPath(tokens, at + 1, ["\\"]);
      return i === at && tokens.is(next, "{") ? braced(tokens, `namespace ${name}`, next, "top") : undefined;
    },
  }),
  importEnd(tokens, i) {
    const isImport = /^(?:use|namespace|require|require_once|include|include_once|declare)$/.test(
      tokens.word(i),
    );
    return isImport ? statementEnd(tokens, i, false) : undefined;
  },
};
