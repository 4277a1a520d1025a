/**
 * Path patterns. `*` stands for any characters of one name, `?` for one character, `[a-z]` and `[!a-z]` for one of
 * those characters or of the others, `**` as a whole name for any number of folders, none as well. A backslash takes
 * the meaning off the character behind it. Case matters.
 *
 * A pattern that begins with `/` or a drive (`C:/`) describes the whole path. Any other may begin at any folder:
 * `docs/*.md` finds /home/me/docs/a.md as well as docs/a.md.
 *
 * Matching never backtracks further than to the last star, neither among names nor within one, so its time is bounded
 * by the product of both lengths.
 */

/** One character of a name's pattern. */
type Piece =
  | { readonly kind: "star" }
  | { readonly kind: "any" }
  | { readonly kind: "literal"; readonly code: number }
  | {
      readonly kind: "class";
      readonly negated: boolean;
      readonly ranges: readonly (readonly [number, number])[];
    };

/** A folder or file name of the pattern: `**`, text without wildcards, or pieces. */
type Name = "folders" | { readonly text: string } | { readonly pieces: readonly Piece[] };

export interface GlobProblem {
  readonly problem: string;
  readonly hint: string;
}

class GlobError extends Error {
  constructor(readonly details: GlobProblem) {
    super(details.problem);
  }
}

/** What is wrong with a pattern, continuing a sentence that begins with it. */
export function globProblem(pattern: string): GlobProblem | undefined {
  try {
    parseNames(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof GlobError) return error.details;
    throw error;
  }
}

/** A function that tells whether a path matches. The pattern has no `globProblem`. */
export function globMatcher(pattern: string): (path: string) => boolean {
  const names = parseNames(pattern);
  return (path) => matchNames(names, splitPath(path));
}

const WINDOWS_ROOT = /^(?:[A-Za-z]:[\\/]|\\\\)/;

/** Names of a path. A backslash separates in paths of Windows only; elsewhere it is a character like any other. */
function splitPath(path: string): string[] {
  return WINDOWS_ROOT.test(path) ? path.split(/[\\/]/) : path.split("/");
}

function parseNames(pattern: string): Name[] {
  const names = pattern.split("/").map((name): Name => {
    if (name === "**") return "folders";
    const pieces = parsePieces(name);
    const literal = pieces.every((piece) => piece.kind === "literal");
    return literal ? { text: String.fromCodePoint(...pieces.map((piece) => piece.code)) } : { pieces };
  });
  return /^(?:\/|[A-Za-z]:\/)/.test(pattern) ? names : ["folders", ...names];
}

function parsePieces(name: string): Piece[] {
  const chars = Array.from(name, (char) => char.codePointAt(0) as number);
  const pieces: Piece[] = [];
  for (let at = 0; at < chars.length; at++) {
    const code = chars[at] as number;
    const char = String.fromCodePoint(code);
    if (char === "*") {
      if (pieces.at(-1)?.kind !== "star") pieces.push({ kind: "star" });
    } else if (char === "?") {
      pieces.push({ kind: "any" });
    } else if (char === "{" || char === "}") {
      throw new GlobError({
        problem: `has a ${char}, and alternatives in braces are not known`,
        hint: 'Join two conditions: path glob "*.md" or path glob "*.txt". For the character itself write a backslash before it.',
      });
    } else if (char === "[") {
      const { piece, end } = parseClass(chars, at);
      pieces.push(piece);
      at = end;
    } else {
      if (char === "\\") at++;
      pieces.push({ kind: "literal", code: literalAt(chars, at) });
    }
  }
  return pieces;
}

function literalAt(chars: readonly number[], at: number): number {
  const code = chars[at];
  if (code !== undefined) return code;
  throw new GlobError({
    problem: "has a backslash with nothing behind it in its name",
    hint: "Names are separated by /; write two backslashes for the character itself.",
  });
}

/** The class that opens at `start`; `]` as its first character, and any behind a backslash, belongs to it. */
function parseClass(chars: readonly number[], start: number): { piece: Piece; end: number } {
  const is = (at: number, char: string): boolean => chars[at] === char.codePointAt(0);
  let at = start + 1;
  const negated = is(at, "!") || is(at, "^");
  if (negated) at++;
  const ranges: [number, number][] = [];
  const one = (): number => {
    if (is(at, "\\")) at++;
    return literalAt(chars, at++);
  };
  for (const first = at; at === first || !is(at, "]"); ) {
    if (at >= chars.length) {
      throw new GlobError({
        problem: "has a [ that is not closed before the next / or the end",
        hint: "Close it with ], or write a backslash before it for the character itself.",
      });
    }
    const low = one();
    const isRange = is(at, "-") && at + 1 < chars.length && !is(at + 1, "]");
    if (isRange) at++;
    const high = isRange ? one() : low;
    if (low > high) {
      throw new GlobError({
        problem: `has the empty range ${String.fromCodePoint(low)}-${String.fromCodePoint(high)}`,
        hint: "Write the lower character first.",
      });
    }
    ranges.push([low, high]);
  }
  return { piece: { kind: "class", negated, ranges }, end: at };
}

function matchNames(pattern: readonly Name[], path: readonly string[]): boolean {
  let p = 0;
  let s = 0;
  /** The last `**`, and the name of the path up to which it reaches. */
  let star = -1;
  let reach = 0;
  while (s < path.length) {
    const name = pattern[p];
    if (name === "folders") {
      star = p++;
      reach = s;
    } else if (name !== undefined && matchName(name, path[s] as string)) {
      p++;
      s++;
    } else if (star >= 0) {
      p = star + 1;
      s = ++reach;
    } else {
      return false;
    }
  }
  while (pattern[p] === "folders") p++;
  return p === pattern.length;
}

function matchName(name: Exclude<Name, "folders">, text: string): boolean {
  if ("text" in name) return name.text === text;
  const { pieces } = name;
  let p = 0;
  let s = 0;
  let star = -1;
  let reach = 0;
  while (s < text.length) {
    const piece = pieces[p];
    if (piece?.kind === "star") {
      star = p++;
      reach = s;
      continue;
    }
    const code = text.codePointAt(s) as number;
    if (piece !== undefined && matchPiece(piece, code)) {
      p++;
      s += width(code);
    } else if (star >= 0) {
      p = star + 1;
      reach += width(text.codePointAt(reach) as number);
      s = reach;
    } else {
      return false;
    }
  }
  while (pieces[p]?.kind === "star") p++;
  return p === pieces.length;
}

function matchPiece(piece: Exclude<Piece, { kind: "star" }>, code: number): boolean {
  if (piece.kind === "any") return true;
  if (piece.kind === "literal") return piece.code === code;
  return piece.ranges.some(([low, high]) => low <= code && code <= high) !== piece.negated;
}

/** UTF-16 code units of a code point. */
function width(code: number): number {
  return code > 0xffff ? 2 : 1;
}
