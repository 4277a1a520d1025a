/** The result of `maxsim lift` as tables and sentences, on a terminal and as Markdown. */
import type { LiftResult, LiftRow, RerankerResult } from "../actions/lift-report.js";
import { formatMilliseconds, formatPValue, SIGNIFICANT } from "./evaluation.js";
import { formatCount } from "./format.js";
import { formatGain, liftSentences, recommendation } from "./lift-words.js";
import { singleLine, textWidth } from "./plain-text.js";
import { type RenderStyle, renderHeadedTable } from "./table.js";

/** The depth that was chosen is marked. */
const MARK = ">";
/** Between columns. */
const GAP = 2;
/** Depth, metrics, gain and p. */
const FIRST_COLUMNS = 6;
const METRICS = ["nDCG@10", "Recall@10", "Precision@5"] as const;

export function renderLift(result: LiftResult, style: RenderStyle): string {
  const parts = [
    `${titleOf(result)}\n`,
    ...result.rerankers.map((reranker) => {
      const words = liftSentences(result, reranker).join("\n");
      return `${style.colors.bold(singleLine(reranker.name))}\n${tables(rowsOf(result, reranker), style)}\n${words}\n`;
    }),
    `${style.colors.bold("a perfect order of the same candidates")}\n${tables(ceilingRows(result), style)}`,
    `${[...recommendation(result), ...notes(result)].join("\n")}\n`,
  ];
  return parts.join("\n");
}

/** One table, or where the terminal is too narrow for all columns two: the metrics, and below them counts and times. */
function tables(rows: ReadonlyArray<readonly string[]>, style: RenderStyle): string {
  const table = (columns: ReadonlyArray<readonly string[]>): string => {
    return renderHeadedTable(columns, style, (columns[0] ?? []).slice(1));
  };
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => textWidth(row[i] ?? ""))));
  const width = widths.reduce((sum, column) => sum + column + GAP, -GAP);
  if (style.width === undefined || width <= style.width || widths.length <= FIRST_COLUMNS) return table(rows);
  const rest = rows.map(([depth = "", ...columns]) => [depth, ...columns.slice(FIRST_COLUMNS - 1)]);
  return `${table(rows.map((row) => row.slice(0, FIRST_COLUMNS)))}\n${table(rest)}`;
}

export function renderLiftPage(result: LiftResult): string {
  const parts = [
    `# ${titleOf(result)}\n`,
    ...result.rerankers.map((reranker) => {
      const words = liftSentences(result, reranker).map((sentence) => `- ${escapeText(sentence)}\n`);
      const rows = markdownTable(rowsOf(result, reranker));
      return `## ${escapeText(singleLine(reranker.name))}\n\n${rows}\n${words.join("")}`;
    }),
    `## A perfect order of the same candidates\n\n${markdownTable(ceilingRows(result))}`,
    [...recommendation(result), ...notes(result)].map((note) => `${escapeText(note)}\n`).join("\n"),
  ];
  return parts.join("\n");
}

function titleOf({ collection, split, queries, judgements, documents }: LiftResult): string {
  const place = split === undefined ? collection : `${collection} (${split})`;
  return [
    `${singleLine(place)}: ${formatCount(queries, "query", "queries")}`,
    formatCount(judgements, "judgement"),
    formatCount(documents, "document"),
  ].join(", ");
}

function rowsOf({ first }: LiftResult, { depths, chosenDepth }: RerankerResult): string[][] {
  const timed = depths.some(({ latency }) => latency !== undefined);
  const times = timed ? ["p50 ms", "p95 ms"] : [];
  const head = ["depth", ...METRICS, "gain", "p", "better", "worse", "same", ...times];
  const before = METRICS.map((metric) => decimals(first.metrics.get(metric)));
  const blank = ["", "", "", "", ""];
  const own = timed ? ["0", "0"] : [];
  const rows = depths.map((row) => [
    `${row.depth === chosenDepth ? `${MARK} ` : ""}${row.depth}`,
    ...METRICS.map((metric) => decimals(row.metrics.get(metric))),
    formatGain(row.relativeGain),
    `${formatPValue(row.adjustedPValue)}${row.adjustedPValue < SIGNIFICANT ? "*" : " "}`,
    ...[row.better, row.worse, row.same].map(String),
    ...(timed ? timesOf(row) : []),
  ]);
  return [head, [singleLine(first.name), ...before, ...blank, ...own], ...rows];
}

function timesOf({ latency }: LiftRow): string[] {
  return latency === undefined ? ["", ""] : [latency.p50, latency.p95].map(formatMilliseconds);
}

function ceilingRows({ ceilings }: LiftResult): string[][] {
  return [
    ["depth", "relevant among them", ...METRICS],
    ...ceilings.map(({ depth, recall, perfect }) => [
      String(depth),
      decimals(recall),
      ...METRICS.map((metric) => decimals(perfect.get(metric))),
    ]),
  ];
}

function notes({ first, comparisons, rerankers }: LiftResult): string[] {
  const [timed] = rerankers.flatMap(({ depths }) => depths.flatMap(({ latency }) => latency ?? []));
  return [
    `${MARK} the smallest depth that is as good as the best: at most 1 % lower in nDCG@10, not significantly worse. ` +
      `p: paired randomization test of nDCG@10 against ${singleLine(first.name)}, two-sided` +
      `${comparisons > 1 ? `, corrected for ${comparisons} comparisons (Holm)` : ""}; * p < 0.05.`,
    ...(timed === undefined
      ? []
      : [
          `ms: the call of the reranker, one at a time, over ${formatCount(timed.queries, "query", "queries")}.`,
        ]),
  ];
}

function markdownTable(rows: ReadonlyArray<readonly string[]>): string {
  const [head = [], ...rest] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.map(cellText).join(" | ")} |\n`;
  return [head, head.map(() => "---:"), ...rest].map(line).join("");
}

function cellText(text: string): string {
  return text === "---:" ? text : escapeText(text.trim());
}

/** Signs that Markdown would take for markup. */
function escapeText(text: string): string {
  return text.replace(/[\\`*_[\]<>|#]/g, "\\$&");
}

function decimals(value: number | undefined): string {
  return value === undefined ? "" : value.toFixed(4);
}
