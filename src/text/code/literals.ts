/** Literals that fixed marks cannot tell. */
import { CLOSE, LITERAL, type Tokens } from "./tokens.js";

/** 'x', '\n', '\u{1F600}', and characters of two code units; more would take in the space between two lifetimes. */
export const CHARACTER = /'(?:\\[^\n][^'\n]{0,10}|[^\\'\n]{1,2})'/y;

/** Words after which a value comes, though words before a slash mostly mean a division. */
const BEFORE_VALUE: ReadonlySet<string> = new Set(
  "return typeof case in of delete void throw new else do instanceof yield await".split(" "),
);

/** JavaScript: whether a slash after these tokens begins a regular expression. */
export function beginsValue(tokens: Tokens): boolean {
  const last = tokens.length - 1;
  const kind = tokens.kind(last);
  if (kind === 0) return true;
  if (kind === LITERAL) return false;
  if (tokens.isWord(last)) return BEFORE_VALUE.has(tokens.word(last));
  // Of closing brackets, a brace often ends a statement, the others mostly a value.
  if (kind === CLOSE) return tokens.is(last, "}") && tokens.text.charCodeAt(tokens.end(last)) === 0x0a;
  // The end of a tag.
  return !(tokens.is(last, "<") && tokens.text.charCodeAt(tokens.end(last)) === 0x2f);
}

/** The offset after a regular expression that begins at `from`, with its flags, or -1: it never holds a line end. */
export function regexEnd(text: string, from: number): number {
  if (text.charCodeAt(from + 1) === 0x3e) return -1;
  let inClass = false;
  for (let at = from + 1; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "\n") return -1;
    if (character === "\\") at++;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "/" && !inClass) {
      at++;
      while (/[a-z]/.test(text.charAt(at))) at++;
      return at;
    }
  }
  return -1;
}

export interface PendingHeredoc {
  /** Offset after the mark and the word. */
  readonly end: number;
  readonly word: string;
  /** The closing word may be indented. */
  readonly indented: boolean;
}

const HEREDOCS = {
  heredoc: /<<(-?)[ \t]*(?:(["'])(\w{1,64})\2|\\?([A-Za-z_]\w{0,63}))/y,
  "ruby-heredoc": /<<([-~]?)(?:(["'`])(\w{1,64})\2|([A-Z_]\w{0,63}))/y,
  "php-heredoc": /<<<()[ \t]*(?:(["'])(\w{1,64})\2|(\w{1,64}))(?=[ \t]*\n)/y,
} as const;

export type HeredocKind = keyof typeof HEREDOCS;

/** The mark of a heredoc at `at`. */
export function heredocAt(text: string, at: number, kind: HeredocKind): PendingHeredoc | undefined {
  const pattern = HEREDOCS[kind];
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const indented = match[1] !== "" || kind === "php-heredoc";
  return { end: pattern.lastIndex, word: match[3] ?? match[4]!, indented };
}
