/** Which files are source code whose definitions are found, by their extensions. */
import type { Grammar } from "./definitions.js";
import { cGrammar, cLexis } from "./languages/c.js";
import {
  csharpGrammar,
  csharpLexis,
  javaGrammar,
  javaLexis,
  kotlinGrammar,
  kotlinLexis,
  scalaGrammar,
  scalaLexis,
  swiftGrammar,
  swiftLexis,
} from "./languages/java-csharp-kotlin-swift-scala.js";
import { javascriptGrammar, javascriptLexis } from "./languages/javascript.js";
import {
  luaGrammar,
  luaLexis,
  pythonGrammar,
  pythonLexis,
  rubyGrammar,
  rubyLexis,
  shellGrammar,
  shellLexis,
} from "./languages/python-ruby-lua-shell.js";
import { goGrammar, goLexis, phpGrammar, phpLexis, rustGrammar, rustLexis } from "./languages/rust-go-php.js";
import { sqlGrammar, sqlLexis } from "./languages/sql.js";
import type { Lexis } from "./lexis.js";

export interface Language {
  readonly lexis: Lexis;
  readonly grammar: Grammar;
}

const LANGUAGES: ReadonlyArray<readonly [string, Lexis, Grammar]> = [
  ["js mjs cjs jsx ts mts cts tsx", javascriptLexis, javascriptGrammar],
  ["py pyi pyw", pythonLexis, pythonGrammar],
  ["go", goLexis, goGrammar],
  ["rs", rustLexis, rustGrammar],
  ["java", javaLexis, javaGrammar],
  ["kt kts", kotlinLexis, kotlinGrammar],
  ["c h cc cpp cxx hh hpp hxx cu cuh", cLexis, cGrammar],
  ["cs", csharpLexis, csharpGrammar],
  ["rb rake", rubyLexis, rubyGrammar],
  ["php", phpLexis, phpGrammar],
  ["swift", swiftLexis, swiftGrammar],
  ["scala", scalaLexis, scalaGrammar],
  ["sh bash zsh ksh", shellLexis, shellGrammar],
  ["lua", luaLexis, luaGrammar],
  ["sql", sqlLexis, sqlGrammar],
];

const BY_EXTENSION: ReadonlyMap<string, Language> = new Map(
  LANGUAGES.flatMap(([extensions, lexis, grammar]) =>
    extensions.split(" ").map((extension) => [extension, { lexis, grammar }] as const),
  ),
);

/** Extensions, without the dot. */
export const LANGUAGE_EXTENSIONS: readonly string[] = [...BY_EXTENSION.keys()];

/** @param extension without the dot, in small letters. */
export function languageOf(extension: string): Language | undefined {
  return BY_EXTENSION.get(extension);
}
