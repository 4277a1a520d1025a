/** SQL: statements up to their semicolons, of which those that create something have a name. */
import type { Grammar, Head } from "../definitions.js";
import { DOUBLE_QUOTED, type Lexis, NESTED_COMMENTS } from "../lexis.js";
import { between, wordSet } from "../reading.js";
import { CLOSE, type Tokens } from "../tokens.js";

export const sqlLexis: Lexis = {
  ...NESTED_COMMENTS,
  lineComments: ["--"],
  literals: [
    { open: "'", close: "'", escape: "doubled", manyLines: true },
    { ...DOUBLE_QUOTED, escape: "doubled" },
    { open: "`", close: "`" },
  ],
  specials: ["dollar-quotes"],
};

const BEFORE_KIND = wordSet(
  "or replace alter temp temporary unlogged global local unique clustered nonclustered materialized recursive external " +
    "foreign definer algorithm sql security constraint force",
);
const KINDS = wordSet(
  "table view function procedure trigger index type schema sequence domain aggregate event package",
);
const ROUTINES = wordSet("function procedure trigger event package");

/** Words between CREATE and the kind, at most. */
const MAX_HEAD = 20;
const MAX_STATEMENT = 100_000;

export const sqlGrammar: Grammar = {
  head(tokens, i, around): Head | undefined {
    const word = tokens.word(i).toLowerCase();
    if (around !== "top" || (word !== "create" && word !== "alter")) return undefined;
    let at = i + 1;
    while (BEFORE_KIND.has(tokens.word(at).toLowerCase()) && at < i + MAX_HEAD) at++;
    const kind = tokens.word(at).toLowerCase();
    if (!KINDS.has(kind)) return undefined;
    at++;
    while (/^(?:if|not|exists|concurrently|only)$/i.test(tokens.word(at))) at++;
    const nameStart = at++;
    while (tokens.is(at, ".") && at < nameStart + MAX_HEAD) at += 2;
    const name = between(tokens, nameStart, at).replace(/["`]/g, "");
    const end = endOfStatement(tokens, i, ROUTINES.has(kind));
    const label = word === "alter" ? `alter ${kind}` : kind;
    return end < at - 1 || end >= tokens.length ? undefined : { name: `${label} ${name}`, end };
  },
};

/** @param isRoutine semicolons between BEGIN and END belong to the statement. */
function endOfStatement(tokens: Tokens, first: number, isRoutine: boolean): number {
  let depth = 0;
  for (
    let at = first, steps = 0;
    at < tokens.length && steps < MAX_STATEMENT;
    at = tokens.after(at), steps++
  ) {
    if (tokens.is(at, ";") && depth <= 0) return at;
    if (tokens.kind(at) === CLOSE) continue;
    const word = tokens.word(at).toLowerCase();
    const begins = at > first && tokens.isLineFirst(at) && tokens.indent(at) <= tokens.indent(first);
    if (begins && (word === "create" || word === "go")) return at - 1;
    if (!isRoutine) continue;
    if (word === "begin" || (word === "case" && !/^end$/i.test(tokens.at(at - 1)))) depth++;
    if (word === "end" && !/^(?:if|loop|while|repeat|for)$/i.test(tokens.at(at + 1))) depth--;
  }
  return tokens.length - 1;
}
