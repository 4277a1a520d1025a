/** The result of a sweep as a table on a terminal, and as a page of Markdown. */
import type { SweepPoint, SweepResult } from "../actions/eval-sweep-points.js";
import { formatMilliseconds } from "./evaluation.js";
import { formatCount, formatNumber } from "./format.js";
import { singleLine } from "./plain-text.js";
import { type RenderStyle, renderHeadedTable } from "./table.js";

/** Those that are worth choosing are marked. */
const MARK = "*";

export function renderSweepTable(result: SweepResult, style: RenderStyle): string {
  const [head = [], ...rows] = rowsOf(result);
  return `${titleOf(result)}\n\n${renderHeadedTable([head, ...rows], style, head.slice(2))}\n${noteOf(result)}\n`;
}

/** The drawing is beside the page, as sweep.svg. */
export function renderSweepPage(result: SweepResult): string {
  const [head = [], ...rows] = rowsOf(result).map((row) => row.map(escapeCell));
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  const rule = head.map((_, column) => (column < 2 ? "---" : "---:"));
  const table = [head, rule, ...rows].map(line).join("");
  return `# ${titleOf(result)}\n\n![${result.metric} against time](sweep.svg)\n\n${table}\n${noteOf(result)}\n`;
}

function titleOf({ collection, split, queries, documents }: SweepResult): string {
  const place = split === undefined ? collection : `${collection} (${split})`;
  return `${singleLine(place)}: ${formatCount(queries, "query", "queries")}, ${formatCount(documents, "document")}`;
}

function noteOf({ metric, k, points }: SweepResult): string {
  const timed = points[0]?.latency.queries ?? 0;
  return (
    `${MARK} nothing faster has a higher ${metric}. ms: a search for ${formatNumber(k)} documents without encoding, one at a time, ` +
    `over ${formatCount(timed, "query", "queries")}; the settings take turns. ` +
    "Exact@10: share of the first 10 documents of the exhaustive search of the same index."
  );
}

function rowsOf({ points }: SweepResult): string[][] {
  const metrics = [...(points[0]?.metrics.keys() ?? [])];
  const head = ["", "parameters", ...metrics, "p50 ms", "p95 ms"];
  return [head, ...points.map((point) => rowOf(point, metrics))];
}

function rowOf({ best, label, series, metrics, latency }: SweepPoint, names: readonly string[]): string[] {
  const values = names.map((name) => metrics.get(name)?.toFixed(4) ?? "");
  const times = [latency.p50, latency.p95].map(formatMilliseconds);
  return [best ? MARK : "", label === "" ? series : label, ...values, ...times];
}

function escapeCell(text: string): string {
  return text === MARK ? "\\*" : text.replaceAll("|", "\\|");
}
