/** Blocks of source code: a definition is one, or several where definitions lie inside of it. */
import { skipSpace, skipSpaceBack } from "../blocks.js";
import type { TextBlock } from "../types.js";
import { matchBrackets } from "./brackets.js";
import { type Definition, outline } from "./definitions.js";
import type { Language } from "./languages.js";
import { lex } from "./lexer.js";

/** What only closes has nothing to say by itself. */
const CLOSING = /^(?:[\s)\]};,]|end\b|#endif\b)+(?:(?:\/\/|\/\*)[^\n]*)?$/;
const MAX_CLOSING = 60;

/**
 * Blocks with their scopes, ascending; together they hold every visible character. Imports at the beginning of the file,
 * and what stands before them, are one block. Any text gives blocks, in time linear in its length.
 */
export function codeBlocks(text: string, language: Language): TextBlock[] {
  const tokens = lex(text, language.lexis);
  if (language.lexis.looseBrackets !== true) matchBrackets(tokens);
  const { definitions, importsEnd } = outline(tokens, language.grammar);
  const blocks: TextBlock[] = [];
  const add = (from: number, to: number, scope: readonly string[], opens: boolean): void => {
    const start = skipSpace(text, from, to);
    const end = skipSpaceBack(text, to, start);
    if (start >= end) return;
    const last = blocks.at(-1);
    const closes = !opens && end - start <= MAX_CLOSING && CLOSING.test(text.slice(start, end));
    if (closes && last !== undefined) blocks[blocks.length - 1] = { ...last, end };
    else blocks.push({ kind: "code", start, end, scope, ...(opens ? { opens } : {}) });
  };
  const addAll = (
    children: readonly Definition[],
    from: number,
    to: number,
    scope: readonly string[],
    opens: boolean,
  ): void => {
    let at = from;
    let first = opens;
    for (const { name, start, end, children: inner } of children) {
      add(at, start, scope, first);
      first = false;
      addAll(inner, Math.max(at, start), Math.min(end, to), [...scope, name], true);
      at = Math.max(at, Math.min(end, to));
    }
    add(at, to, scope, first);
  };
  const firstStart = definitions[0]?.start ?? text.length;
  const importsTo = Math.min(importsEnd, firstStart);
  add(0, importsTo, [], false);
  addAll(definitions, importsTo, text.length, [], false);
  return blocks;
}
