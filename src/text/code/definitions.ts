/** The definitions of a source file as a tree: what has a name, where it begins with its comments, and where it ends. */
import type { Comment, Tokens } from "./tokens.js";
import { CLOSE, OPEN } from "./tokens.js";

export interface Definition {
  /** Such as `class Router`, `handle()`, `LIMITS`. */
  readonly name: string;
  /** Offsets in the text: from the first comment, attribute or word to what closes it. */
  readonly start: number;
  readonly end: number;
  readonly children: Definition[];
}

/** What lies around a line: what a line may mean depends on it. */
export type Surroundings =
  /** The file, a module or a namespace. */
  | "top"
  /** The body of a class or its like. */
  | "type"
  /** The body of a function, and any other block of statements. */
  | "code"
  /** Between the braces of an object. */
  | "object"
  /** Between parentheses or square brackets. */
  | "list";

/** The beginning of a definition, as a language finds it. Indexes are those of tokens. */
export interface Head {
  readonly name: string;
  /** The last token. */
  readonly end: number;
  /** Where definitions inside of it may begin: the brace of its body, or the first token of it; without, nowhere. */
  readonly body?: number;
  /** What the body is to the lines in it. Default "code". */
  readonly inside?: Surroundings;
}

export interface Grammar {
  /** The definition that begins at token `i`, the first of its line. */
  head(tokens: Tokens, i: number, around: Surroundings): Head | undefined;
  /** The last token of the import that begins at token `i`, the first of its line; undefined when there is none. */
  importEnd?(tokens: Tokens, i: number): number | undefined;
  /** What lies between braces that are no body of a definition. Default "code". */
  inBraces?(tokens: Tokens, i: number): Surroundings;
}

export interface Outline {
  readonly definitions: readonly Definition[];
  /** Offset after the imports that stand before the first definition; 0 without. */
  readonly importsEnd: number;
}

/** Definitions that lie deeper belong to the one around them. */
const MAX_DEPTH = 6;

interface OpenDefinition {
  readonly children: Definition[];
  /** The last token. */
  readonly last: number;
}

/** What lies around a token: a stack in two plain lists, since a file may open millions of brackets. */
class Frames {
  private readonly lasts: number[] = [];
  private readonly kinds: Surroundings[] = [];

  /** @param last the last token in it. */
  push(last: number, around: Surroundings): void {
    if (this.lasts.at(-1) === last && this.kinds.at(-1) === around) return;
    this.lasts.push(last);
    this.kinds.push(around);
  }

  at(i: number): Surroundings {
    while (this.lasts.length > 0 && this.lasts.at(-1)! < i) {
      this.lasts.pop();
      this.kinds.pop();
    }
    return this.kinds.at(-1) ?? "top";
  }
}

export function outline(tokens: Tokens, grammar: Grammar): Outline {
  const roots: Definition[] = [];
  const open: OpenDefinition[] = [{ children: roots, last: tokens.length }];
  const frames = new Frames();
  let importsEnd = 0;
  let body = -1;
  let bodyAround: Surroundings = "code";
  for (let i = 0; i < tokens.length; i++) {
    while (open.at(-1)!.last < i) open.pop();
    const around = frames.at(i);
    if (around !== "list" && open.length <= MAX_DEPTH && mayBegin(tokens, i)) {
      const head = grammar.head(tokens, i, around);
      if (head !== undefined && head.end >= i) {
        const definition = define(tokens, i, head);
        open.at(-1)!.children.push(definition);
        open.push({ children: definition.children, last: head.end });
        body = head.body !== undefined && head.body > i && head.body <= head.end ? head.body : -1;
        bodyAround = head.inside ?? "code";
        frames.push(head.end, bodyAround);
        i = body < 0 ? head.end : body - 1;
        continue;
      }
      const end = roots.length === 0 && around === "top" ? grammar.importEnd?.(tokens, i) : undefined;
      if (end !== undefined && end >= i) {
        importsEnd = endOfLine(tokens, end);
        i = end;
        continue;
      }
    }
    if (tokens.kind(i) === OPEN && tokens.partners[i]! > i) {
      const inside = i === body ? bodyAround : surroundings(tokens, i, grammar);
      frames.push(tokens.partners[i]!, inside);
    }
  }
  return { definitions: roots, importsEnd };
}

function mayBegin(tokens: Tokens, i: number): boolean {
  return tokens.kind(i) !== CLOSE && tokens.isLineFirst(i);
}

function surroundings(tokens: Tokens, i: number, grammar: Grammar): Surroundings {
  if (!tokens.is(i, "{")) return "list";
  return grammar.inBraces?.(tokens, i) ?? "code";
}

function define(tokens: Tokens, first: number, head: Head): Definition {
  const start = withComments(tokens, first);
  return { name: head.name, start, end: endOfLine(tokens, head.end), children: [] };
}

/** The offset after a token, the marks that follow on its line, and a comment at the end of the line. */
function endOfLine(tokens: Tokens, last: number): number {
  let next = last + 1;
  while (next < tokens.length && !tokens.isLineFirst(next) && (tokens.is(next, ";") || tokens.is(next, ",")))
    next++;
  const end = tokens.end(next - 1);
  if (next < tokens.length && !tokens.isLineFirst(next)) return end;
  const comment = tokens.comments[firstAfter(tokens.comments, end)];
  if (comment === undefined || (next < tokens.length && comment.start > tokens.start(next))) return end;
  const between = tokens.text.slice(end, Math.min(comment.start, end + MAX_GAP));
  return comment.start - end > MAX_GAP || between.includes("\n") ? end : comment.end;
}

/** Comments further away than this, in code units, are not looked at. */
const MAX_GAP = 200;

/**
 * Where the comments before a definition begin: those on lines of their own that follow each other up to it. One blank
 * line may part them from it, except at the beginning of the file.
 */
function withComments(tokens: Tokens, first: number): number {
  const { text, comments } = tokens;
  const own = tokens.start(first);
  const after = first > 0 ? tokens.end(first - 1) : 0;
  let start = own;
  for (let next = firstAfter(comments, own) - 1; next >= 0; next--) {
    const comment = comments[next]!;
    if (comment.start < after || start - comment.end > MAX_GAP || !beginsLine(text, comment.start)) break;
    const gap = text.slice(comment.end, start);
    const lines = gap.split("\n").length - 1;
    if (gap.trim() !== "" || lines > (start === own && first > 0 ? 2 : 1)) break;
    start = comment.start;
  }
  return start;
}

function beginsLine(text: string, offset: number): boolean {
  return /(?:^|\n)[^\S\n]*$/.test(text.slice(Math.max(0, offset - MAX_GAP), offset));
}

/** Index of the first comment that begins at or after `offset`. */
function firstAfter(comments: readonly Comment[], offset: number): number {
  let low = 0;
  let high = comments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comments[middle]!.start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
