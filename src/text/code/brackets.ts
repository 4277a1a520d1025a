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

interface Opened {
  readonly index: number;
  readonly type: string;
  /** Indentation of the line on which the statement of the bracket began, as far as parentheses tell. */
  readonly indent: number;
}

/** @returns whether every bracket has a partner. */
function pair(tokens: Tokens, byIndent: boolean): boolean {
  const partners = new Int32Array(tokens.length).fill(-1);
  const open: Opened[] = [];
  const counts = new Map<string, number>();
  const branches: boolean[] = [];
  let skipped = 0;
  let even = true;
  const pop = (): Opened => {
    const last = open.pop()!;
    counts.set(last.type, counts.get(last.type)! - 1);
    return last;
  };
  for (let i = 0; i < tokens.length; i++) {
    const kind = tokens.kind(i);
    if (kind === DIRECTIVE) {
      skipped += enterBranch(tokens.at(i), branches);
    } else if (skipped > 0) {
      // The other branch has the same brackets once more.
    } else if (kind === OPEN) {
      const type = PARTNER[tokens.at(i)] ?? tokens.at(i);
      open.push({ index: i, type, indent: byIndent ? statementIndent(tokens, i, partners) : 0 });
      counts.set(type, (counts.get(type) ?? 0) + 1);
    } else if (kind === CLOSE) {
      const type = PARTNER[tokens.at(i)]!;
      if ((counts.get(type) ?? 0) === 0) {
        even = false;
        continue;
      }
      if (byIndent && type === "{" && tokens.isLineFirst(i)) closeDeeper(tokens.indent(i), open, pop);
      while (open.at(-1)!.type !== type) {
        even = false;
        pop();
      }
      const { index } = pop();
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

function statementIndent(tokens: Tokens, brace: number, partners: Int32Array): number {
  const before = tokens.is(brace - 1, ")") ? partners[brace - 1]! : -1;
  return tokens.indent(before < 0 ? brace : before);
}

/** Gives up braces that are indented more than the closing one, when one of its own indentation lies below them. */
function closeDeeper(indent: number, open: readonly Opened[], pop: () => Opened): void {
  let depth = open.length - 1;
  while (depth >= 0 && (open[depth]!.type !== "{" || open[depth]!.indent > indent)) depth--;
  if (depth < 0 || open[depth]!.indent !== indent) return;
  while (open.length - 1 > depth) pop();
}
