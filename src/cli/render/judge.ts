/** What somebody who judges sees: the query, then one passage after the other, without scores. */
import type { Query } from "../../datasets/queries.js";
import type { Judgements } from "../../engine/judgements.js";
import type { Hit } from "../../engine/options.js";
import { shownPlace } from "../shown-hit.js";
import type { Colors } from "./color.js";
import { formatCount, formatNumber } from "./format.js";
import { flow } from "./matches/flow.js";
import { singleLine, truncate } from "./plain-text.js";
import { type RenderStyle, renderHeadedTable } from "./table.js";

export interface JudgeStyle {
  readonly colors: Colors;
  /** Columns. */
  readonly width: number;
}

/** Texts are wrapped at this width at most: longer lines are hard to read. */
const READABLE = 100;

/** `waiting`: how many of its answers are to be judged; `judged`: how many were before. */
export function renderQuery(
  query: Query,
  waiting: number,
  judged: number,
  { colors, width }: JudgeStyle,
): string {
  const before = judged === 0 ? "" : `, ${formatNumber(judged)} judged before`;
  const lines = wrap(query.text, Math.min(width, READABLE));
  return `\n${lines.map((line) => `${colors.bold(line)}\n`).join("")}${colors.dim(
    `query ${singleLine(query.id)}: ${formatCount(waiting, "answer")} to judge${before}`,
  )}\n`;
}

/** The best passage of a document; `place` is its number among those of the query. */
export function renderCandidate(
  hit: Hit,
  place: number,
  waiting: number,
  { colors, width }: JudgeStyle,
): string {
  const columns = Math.min(width, READABLE);
  const where = singleLine(shownPlace(hit) ?? hit.id);
  const title = hit.title === undefined ? "" : `${colors.bold(truncate(singleLine(hit.title), columns))}\n`;
  const head = `${colors.dim(`${formatNumber(place)}/${formatNumber(waiting)}`)}  ${colors.cyan(where)}\n`;
  const body = wrap(hit.text, columns - 2).map((line) => (line === "" ? "\n" : `  ${line}\n`));
  return `\n${head}${title}${body.join("")}`;
}

/** One row a query. */
export function renderJudgements({ queries, qrels }: Judgements, style: RenderStyle): string {
  const rows = queries.map(({ id, text }) => {
    const grades = [...(qrels.get(id)?.values() ?? [])];
    const relevant = grades.filter((grade) => grade > 0).length;
    return [id, formatNumber(grades.length), formatNumber(relevant), text];
  });
  return renderHeadedTable([["id", "judged", "relevant", "query"], ...rows], style, ["judged", "relevant"]);
}

function wrap(text: string, width: number): string[] {
  return flow(text, [], width).map((line) => line.map((part) => part.text).join(""));
}
