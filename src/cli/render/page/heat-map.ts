/** Similarities of all tokens of a query with all of a passage, as a table. */
import type { TokenMatches } from "../../../engine/options.js";
import { stepOf } from "../matches/scale.js";
import { nameOf, type TokenName } from "../matches/token-names.js";
import { escapeHtml } from "./escape.js";

/**
 * Rows are query tokens, columns passage tokens; a cell has the similarity in hundredths. Classes: `c` of the cell that a
 * query token chose, `k` of columns with such a cell, `x` of rows and columns of special tokens, `s1` ... of steps.
 */
export function heatMap(matches: TokenMatches, query: string, text: string): string {
  const { choices, similarities } = matches;
  const rows = matches.query.map((token) => nameOf(token, query, ""));
  const columns = matches.passage.map((token) => nameOf(token, text, matches.context));
  const own = matches.query.map(({ part }) => part === "text");
  const chosen = new Set(choices.map(({ passage }) => passage));
  const chosenByWords = new Set(choices.flatMap(({ passage }, i) => (own[i] === true ? [passage] : [])));
  const columnClass = (j: number): string => (chosenByWords.has(j) ? "k" : chosen.has(j) ? "kx" : "");
  const head = columns.map((name, j) => heading(name, "col", [columnClass(j)])).join("");
  const body = rows.map((name, i) => {
    const row = similarities[i];
    const cells = columns.map((_, j) => {
      const similarity = row?.[j] ?? 0;
      const step = stepOf(similarity);
      const classes = [
        step > 0 ? `s${step}` : "",
        choices[i]?.passage === j ? "c" : "",
        columnClass(j),
      ].filter((name) => name !== "");
      return `<td${classAttribute(classes)}>${hundredths(similarity)}`;
    });
    return `<tr${own[i] === true ? "" : ' class="x"'}>${heading(name, "row", [])}${cells.join("")}\n`;
  });
  return `<table><thead><tr><td class="corner"></td>${head}</thead>\n<tbody>\n${body.join("")}</tbody></table>`;
}

/** `94`, `7`, `-12`: shorter than 0.94, for cells. */
export function hundredths(similarity: number): string {
  const value = Math.round(similarity * 100);
  return value === 0 ? "0" : String(value).replace("-", "\u2212");
}

function heading({ text, word, kind }: TokenName, scope: "row" | "col", more: readonly string[]): string {
  const classes = [kind === "text" ? "" : kind, ...more].filter((name) => name !== "");
  const notes = [...(word === undefined ? [] : [word]), ...(kind === "context" ? ["title or heading"] : [])];
  const hint = notes.length === 0 ? "" : ` title="${escapeHtml(notes.join(", "))}"`;
  return `<th scope="${scope}"${classAttribute(classes)}${hint}><bdi>${escapeHtml(text)}</bdi></th>`;
}

function classAttribute(classes: readonly string[]): string {
  return classes.length === 0 ? "" : ` class="${classes.join(" ")}"`;
}
