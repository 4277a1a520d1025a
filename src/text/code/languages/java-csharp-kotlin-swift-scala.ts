/** Java, Kotlin, Scala, C# and Swift. */
import type { Grammar, Head, Surroundings } from "../definitions.js";
import { DOUBLE_QUOTED, type Lexis, NESTED_COMMENTS, SLASH_COMMENTS, TRIPLE_QUOTED } from "../lexis.js";
import { braced, findBody, readPath, statementEnd, wordSet } from "../reading.js";
import type { Tokens } from "../tokens.js";
import { skipAtAttributes, skipBracketAttributes } from "./attributes.js";
import { callableHead, propertyHead } from "./callables.js";
import { headAsName, keywordGrammar } from "./keywords.js";

const NOTHING: ReadonlySet<string> = new Set();

export const javaLexis: Lexis = {
  ...SLASH_COMMENTS,
  literals: [{ ...TRIPLE_QUOTED, escape: "backslash" }, DOUBLE_QUOTED],
  specials: ["character"],
};

export const javaGrammar: Grammar = keywordGrammar({
  modifiers: wordSet(
    "public private protected static final abstract synchronized native default sealed strictfp transient volatile",
  ),
  types: wordSet("class interface enum record"),
  functions: NOTHING,
  imports: wordSet("import package"),
  newlines: false,
  separators: ["."],
  skipAttributes: skipAtAttributes,
  special(tokens, _i, at) {
    if (tokens.is(at, "@") && tokens.is(at + 1, "interface") && tokens.is(at + 3, "{")) {
      return braced(tokens, `@interface ${tokens.at(at + 2)}`, at + 3, "type");
    }
    return undefined;
  },
  member(tokens, i, at, around) {
    if (around !== "type") return undefined;
    const rules = { signatures: true, arrows: false, separators: ["."] };
    return (
      compactConstructor(tokens, i, at) ?? callableHead(tokens, i, skipAngleTypes(tokens, at), around, rules)
    );
  },
});

/** The type parameters of a generic method. */
function skipAngleTypes(tokens: Tokens, at: number): number {
  if (!tokens.is(at, "<")) return at;
  let depth = 0;
  for (let next = at; next < at + 60; next++) {
    if (tokens.is(next, "<")) depth++;
    if (tokens.is(next, ">") && --depth === 0) return next + 1;
  }
  return at;
}

/** `public Range { … }` in a record. */
function compactConstructor(tokens: Tokens, i: number, at: number): Head | undefined {
  const named = tokens.isWord(at) && at > i && tokens.is(at + 1, "{");
  return named ? braced(tokens, `${tokens.at(at)}()`, at + 1, "code") : undefined;
}

export const csharpLexis: Lexis = {
  ...SLASH_COMMENTS,
  literals: [
    { open: '"""', close: '"""', manyLines: true },
    { open: '@"', close: '"', escape: "doubled", manyLines: true },
    { open: '$@"', close: '"', escape: "doubled", manyLines: true },
    { open: '@$"', close: '"', escape: "doubled", manyLines: true },
    DOUBLE_QUOTED,
  ],
  specials: ["character", "directive"],
};

export const csharpGrammar: Grammar = keywordGrammar({
  modifiers: wordSet(
    "public private protected internal static sealed abstract partial virtual override readonly async unsafe extern new " +
      "const volatile ref required file",
  ),
  types: wordSet("class struct interface enum record"),
  modules: wordSet("namespace"),
  functions: NOTHING,
  imports: wordSet("using"),
  newlines: false,
  separators: ["."],
  skipAttributes: skipBracketAttributes,
  member(tokens, i, at, around) {
    if (around !== "type") return undefined;
    const rules = { signatures: true, arrows: true, separators: ["."] };
    return propertyHead(tokens, i, at) ?? callableHead(tokens, i, at, around, rules);
  },
});

export const kotlinLexis: Lexis = {
  ...NESTED_COMMENTS,
  literals: [TRIPLE_QUOTED, DOUBLE_QUOTED],
  specials: ["character"],
};

export const kotlinGrammar: Grammar = keywordGrammar({
  modifiers: wordSet(
    "public private protected internal open abstract final sealed data inline value override lateinit suspend operator " +
      "infix tailrec external const annotation inner companion expect actual crossinline noinline",
  ),
  types: wordSet("class interface object enum"),
  functions: wordSet("fun constructor"),
  values: wordSet("val var typealias"),
  imports: wordSet("import package"),
  newlines: true,
  separators: [".", "?."],
  skipAttributes: skipAtAttributes,
  special(tokens, _i, at) {
    const isCompanion = tokens.is(at - 1, "companion") || tokens.is(at, "companion");
    const word = tokens.is(at, "companion") ? at + 1 : at;
    if (isCompanion && tokens.is(word, "object") && tokens.is(word + 1, "{")) {
      return braced(tokens, "companion object", word + 1, "type");
    }
    if (tokens.is(at, "init") && tokens.is(at + 1, "{")) return braced(tokens, "init", at + 1, "code");
    return undefined;
  },
});

export const swiftLexis: Lexis = {
  ...NESTED_COMMENTS,
  literals: [
    { open: '#"""', close: '"""#', manyLines: true },
    { open: '#"', close: '"#' },
    { ...TRIPLE_QUOTED, escape: "backslash" },
    DOUBLE_QUOTED,
  ],
};

export const swiftGrammar: Grammar = keywordGrammar({
  modifiers: wordSet(
    "public private fileprivate internal open final static class override mutating nonmutating convenience required lazy " +
      "weak unowned indirect dynamic optional nonisolated isolated async prefix postfix infix",
  ),
  types: wordSet("class struct enum protocol actor"),
  functions: wordSet("func init deinit subscript"),
  values: wordSet("let var typealias"),
  imports: wordSet("import"),
  newlines: true,
  separators: ["."],
  skipAttributes: skipAtAttributes,
  special: swiftSpecial,
});

function swiftSpecial(tokens: Tokens, i: number, at: number, around: Surroundings): Head | undefined {
  // `class` is a modifier only before another keyword: `class func`.
  if (tokens.is(at - 1, "class") && at - 1 >= i && !/^(?:func|var|let|subscript)$/.test(tokens.at(at))) {
    const body = findBody(tokens, i, at + 1, { newlines: true });
    if (body.kind === "{")
      return braced(tokens, `class ${readPath(tokens, at, ["."]).name}`, body.at, "type");
  }
  if (tokens.is(at, "extension") && tokens.isWord(at + 1)) return headAsName(tokens, i, at, true);
  if (around === "type" && tokens.is(at, "var")) {
    // A computed property: its body comes without an assignment.
    const body = findBody(tokens, i, at + 1, { newlines: true });
    if (body.kind === "{") return braced(tokens, tokens.at(at + 1), body.at, "code");
  }
  return undefined;
}

export const scalaLexis: Lexis = {
  ...NESTED_COMMENTS,
  literals: [TRIPLE_QUOTED, DOUBLE_QUOTED],
  specials: ["character"],
};

export const scalaGrammar: Grammar = keywordGrammar({
  modifiers: wordSet(
    "private protected final sealed abstract implicit lazy override inline transparent opaque open infix case",
  ),
  types: NOTHING,
  functions: NOTHING,
  values: wordSet("val var type given"),
  imports: wordSet("import package"),
  newlines: true,
  separators: ["."],
  skipAttributes: skipAtAttributes,
  special: scalaSpecial,
});

/** Bodies in braces, or in lines that are indented more. */
function scalaSpecial(tokens: Tokens, i: number, at: number): Head | undefined {
  const word = tokens.word(at);
  const isType = /^(?:class|object|trait|enum|extension|package)$/.test(word);
  if (word === "package" && !tokens.is(at + 1, "object")) return undefined;
  if (!isType && word !== "def") return undefined;
  const from = word === "package" ? at + 2 : at + 1;
  const named = tokens.isWord(from) ? tokens.at(from) : "";
  if (named === "" && word !== "extension") return undefined;
  const name = word === "def" ? `${named}()` : `${word} ${named}`.trim();
  const inside = word === "def" ? "code" : "type";
  const body = findBody(tokens, i, from + 1, { newlines: true });
  if (body.kind === "{") return braced(tokens, name, body.at, inside);
  if (body.kind === "=" && tokens.is(body.at + 1, "{") && tokens.partners[body.at + 1]! > 0) {
    return braced(tokens, name, body.at + 1, inside);
  }
  const end = statementEnd(tokens, i, true, at);
  return end > at ? { name, end, body: Math.min(end, from + 1), inside } : undefined;
}
