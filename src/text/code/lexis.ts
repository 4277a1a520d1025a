/** What the words, comments and literals of a language look like. */

/** A literal between two marks. */
export interface LiteralRule {
  readonly open: string;
  readonly close: string;
  /** What keeps a closing mark from closing: a backslash before it, or a second one after it. Default "none". */
  readonly escape?: "backslash" | "doubled" | "none";
  /** It may hold line ends. One that does not end where it must is no literal, and its mark is a token. */
  readonly manyLines?: boolean;
}

export interface CommentRule {
  readonly open: string;
  readonly close: string;
  readonly nested?: boolean;
  /** Both marks stand at the beginning of a line only, and the comment takes the line of the closing one. */
  readonly wholeLines?: boolean;
}

/** Literals that take more than two fixed marks. */
export type Special =
  /** JavaScript: `…${…}…` between backticks. */
  | "template"
  /** JavaScript: a regular expression where a value may stand. */
  | "regex"
  /** 'x' and '\n', but not the mark of a lifetime, a symbol or a digit group. */
  | "character"
  /** Shell: the lines after <<WORD up to WORD. */
  | "heredoc"
  /** Ruby: the same, with words in capitals or quotes right after the mark. */
  | "ruby-heredoc"
  /** PHP: <<<WORD up to WORD. */
  | "php-heredoc"
  /** PHP: everything outside of its tags. */
  | "php-tags"
  /** Rust: r#"…"# with any number of #. */
  | "rust-raw"
  /** C++: R"mark(…)mark". */
  | "cpp-raw"
  /** Lua: [==[…]==], as a literal and as a comment after --. */
  | "long-brackets"
  /** PostgreSQL: $tag$…$tag$. */
  | "dollar-quotes"
  /** C: a line that begins with #. */
  | "directive";

export interface Lexis {
  readonly lineComments: readonly string[];
  /** The mark of a line comment counts only at the beginning of a word, as in a shell. */
  readonly commentsBeginWords?: boolean;
  readonly blockComments?: readonly CommentRule[];
  /** The first that matches counts: longer opening marks come first. */
  readonly literals: readonly LiteralRule[];
  readonly specials?: readonly Special[];
  /** Brackets are no structure, because they need not come in pairs. */
  readonly looseBrackets?: boolean;
}

export const SLASH_COMMENTS: Pick<Lexis, "lineComments" | "blockComments"> = {
  lineComments: ["//"],
  blockComments: [{ open: "/*", close: "*/" }],
};

export const NESTED_COMMENTS: Pick<Lexis, "lineComments" | "blockComments"> = {
  lineComments: ["//"],
  blockComments: [{ open: "/*", close: "*/", nested: true }],
};

/** "…" on one line, with backslashes. */
export const DOUBLE_QUOTED: LiteralRule = { open: '"', close: '"', escape: "backslash" };

/** '…' on one line, with backslashes. */
export const SINGLE_QUOTED: LiteralRule = { open: "'", close: "'", escape: "backslash" };

/** """…""", raw. */
export const TRIPLE_QUOTED: LiteralRule = { open: '"""', close: '"""', manyLines: true };
