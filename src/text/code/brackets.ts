/** Which bracket closes which, also where some are missing. */
import { CLOSE, DIRECTIVE, OPEN, type Tokens } from "./tokens.js";

const PARTNER: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{", "${": "{" };

/**
 * Fills `tokens.partners`. Where brackets do not come out even, they are paired a second time with an eye on the
 * indentation, which mostly tells where one is missing. Of the branches of a preprocessor condition, the first counts.
 */
export function matchBrackets(tokens: Tokens): void {
  if (!pair(tokens, false)) pair(tokens, true);
}

/** Brackets without partner between a brace and its own, at most. */
const MAX_MISSING = 100;

/** Brackets that wait for their partners: indexes of tokens. */
class OpenBrackets {
  private readonly indexes: number[] = [];
  private readonly counts = new Map<string, number>();

  constructor(private readonly tokens: Tokens) {}

  get length(): number {
    return this.indexes.length;
  }

  at(depth: number): number {
    return this.indexes[depth]!;
  }

  typeAt(depth: number): string {
    const bracket = this.tokens.at(this.indexes[depth]!);
    return PARTNER[bracket] ?? bracket;
  }

  has(type: string): boolean {
    return (this.counts.get(type) ?? 0) > 0;
  }

  push(index: number): void {
    this.indexes.push(index);
    this.count(this.typeAt(this.length - 1), 1);
  }

  pop(): number {
    this.count(this.typeAt(this.length - 1), -1);
    return this.indexes.pop()!;
  }

  private count(type: string, change: number): void {
    this.counts.set(type, (this.counts.get(type) ?? 0) + change);
  }
}

/** @returns whether every bracket has a partner. */
function pair(tokens: Tokens, byIndent: boolean): boolean {
  const partners = new Int32Array(tokens.length).fill(-1);
  const open = new OpenBrackets(tokens);
  const branches: boolean[] = [];
  let skipped = 0;
  let even = true;
  for (let i = 0; i < tokens.length; i++) {
    const kind = tokens.kind(i);
    if (kind === DIRECTIVE) {
      skipped += enterBranch(tokens.at(i), branches);
    } else if (skipped > 0) {
      // The other branch has the same brackets once more.
    } else if (kind === OPEN) {
      open.push(i);
    } else if (kind === CLOSE) {
      const type = PARTNER[tokens.at(i)]!;
      if (!open.has(type)) {
        even = false;
        continue;
      }
      if (byIndent && type === "{" && tokens.isLineFirst(i)) closeDeeper(tokens, i, open, partners);
      while (open.typeAt(open.length - 1) !== type) {
        even = false;
        open.pop();
      }
      const index = open.pop();
      partners[index] = i;
      partners[i] = index;
    }
  }
  tokens.partners = partners;
  return even && open.length === 0;
}

/** +1 when tokens begin to be skipped, -1 when they count again. */
function enterBranch(directive: string, branches: boolean[]): number {
  const name = /^#\s*(\w+)/.exec(directive)?.[1];
  if (name === "if" || name === "ifdef" || name === "ifndef") {
    branches.push(false);
  } else if ((name === "else" || name === "elif") && branches.at(-1) === false) {
    branches[branches.length - 1] = true;
    return 1;
  } else if (name === "endif" && branches.pop() === true) {
    return -1;
  }
  return 0;
}

/** Indentation of the line on which the statement of a brace began, as far as its parentheses tell. */
function statementIndent(tokens: Tokens, brace: number, partners: Int32Array): number {
  const before = tokens.is(brace - 1, ")") ? partners[brace - 1]! : -1;
  return tokens.indent(before < 0 ? brace : before);
}

/** Gives up braces that are indented more than the closing one, when one of its own indentation lies below them. */
function closeDeeper(tokens: Tokens, close: number, open: OpenBrackets, partners: Int32Array): void {
  const indent = tokens.indent(close);
  const lowest = Math.max(0, open.length - MAX_MISSING);
  for (let depth = open.length - 1; depth >= lowest; depth--) {
    if (open.typeAt(depth) !== "{") continue;
    const opened = statementIndent(tokens, open.at(depth), partners);
    if (opened > indent) continue;
    if (opened === indent) while (open.length - 1 > depth) open.pop();
    return;
  }
}
