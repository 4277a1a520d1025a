/** How tokens are named in drawings. */
import type { ExplainedToken } from "../../../engine/options.js";

/** The characters that a token stands for, and the word around them where it is a piece of one. */
export interface TokenName {
  readonly text: string;
  readonly word?: string;
  /** "text": of the query's or the passage's own text; "context": of title or headings; "special": all else. */
  readonly kind: "text" | "context" | "special";
}

/** @param text what `span` is of. @param context what `contextSpan` is of. */
export function nameOf(
  { token, part, span, contextSpan }: ExplainedToken,
  text: string,
  context: string,
): TokenName {
  const kind = part === "text" || part === "context" ? part : "special";
  if (part === "text" && span !== null) return { ...inText(token, span, text), kind };
  if (part === "context" && contextSpan !== undefined)
    return { ...inText(token, contextSpan, context), kind };
  return { text: token, kind };
}

/** Characters of a word that are looked at on one side of a token. */
const LONGEST_WORD = 40;
const WORD_START = /^[\p{L}\p{N}\p{M}_]+/u;
/** Scripts that put no spaces between words: what stands around a token there is a phrase. */
const WITHOUT_SPACES =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const WORD_END = /[\p{L}\p{N}\p{M}_]+$/u;

function inText(
  token: string,
  [start, end]: readonly [number, number],
  text: string,
): Omit<TokenName, "kind"> {
  const characters = text.slice(start, end);
  if (characters.trim() === "") return { text: token };
  const before = WORD_END.exec(text.slice(Math.max(0, start - LONGEST_WORD), start))?.[0] ?? "";
  const after = WORD_START.exec(text.slice(end, end + LONGEST_WORD))?.[0] ?? "";
  const shown = token.startsWith("##") ? `##${characters}` : characters;
  const isPiece = before + after !== "" && WORD_START.test(characters) && !WITHOUT_SPACES.test(characters);
  return isPiece ? { text: shown, word: before + characters + after } : { text: shown };
}
