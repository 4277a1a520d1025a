/** The result of an evaluation as a table. */
import type { LatencySummary, SystemReport } from "../actions/eval-report.js";
import { textWidth } from "./plain-text.js";
import { type RenderStyle, renderHeadedTable } from "./table.js";

/** Below this a difference is marked. */
export const SIGNIFICANT = 0.05;
const GAP = 2;

interface Column {
  readonly head: string;
  readonly cells: readonly string[];
}

export interface EvaluationTable {
  readonly systems: readonly SystemReport[];
  readonly baseline: string;
  /** The metric that is compared with the baseline. */
  readonly compared: string;
}

/**
 * A row a system. Where the terminal is too narrow for all columns there are two tables: the metrics, and below them the comparison
 * with the times.
 */
export function renderEvaluation(table: EvaluationTable, style: RenderStyle): string {
  const { systems } = table;
  const names = column("", systems, ({ name }) => name);
  const [first] = systems;
  const metrics = [...(first?.metrics.keys() ?? [])].map((metric) =>
    column(metric, systems, ({ metrics: means }) => decimals(means.get(metric))),
  );
  const rest = [...comparisonColumns(table), ...latencyColumns(systems)];
  const whole = [names, ...metrics, ...rest];
  if (rest.length === 0 || style.width === undefined || widthOf(whole) <= style.width) {
    return tableOf(whole, style);
  }
  return `${tableOf([names, ...metrics], style)}\n${tableOf([names, ...rest], style)}`;
}

/** `0.0003`, and `<0.0001` where that would be 0. */
export function formatPValue(p: number): string {
  return p < 0.0001 ? "<0.0001" : p.toFixed(4);
}

function comparisonColumns({ systems, baseline, compared }: EvaluationTable): Column[] {
  if (systems.every(({ comparisons }) => comparisons === undefined)) return [];
  const of = (system: SystemReport) => system.comparisons?.get(compared);
  return [
    column(`${compared} - ${baseline}`, systems, (system) => {
      const difference = of(system)?.difference;
      return difference === undefined
        ? ""
        : `${difference < 0 ? "-" : "+"}${Math.abs(difference).toFixed(4)}`;
    }),
    column("p", systems, (system) => {
      const p = of(system)?.pValue;
      return p === undefined ? "" : `${formatPValue(p)}${p < SIGNIFICANT ? "*" : " "}`;
    }),
  ];
}

function latencyColumns(systems: readonly SystemReport[]): Column[] {
  if (systems.every(({ latency }) => latency === undefined)) return [];
  const milliseconds = (head: string, of: (latency: LatencySummary) => number): Column =>
    column(head, systems, ({ latency }) => (latency === undefined ? "" : formatMilliseconds(of(latency))));
  return [milliseconds("p50 ms", ({ p50 }) => p50), milliseconds("p95 ms", ({ p95 }) => p95)];
}

/** Three digits: `0.34`, `3.41`, `34.1`, `341`. */
export function formatMilliseconds(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

function decimals(value: number | undefined): string {
  return value === undefined ? "" : value.toFixed(4);
}

function column(
  head: string,
  systems: readonly SystemReport[],
  cell: (system: SystemReport) => string,
): Column {
  return { head, cells: systems.map(cell) };
}

function widthOf(columns: readonly Column[]): number {
  const widths = columns.map(({ head, cells }) => Math.max(...[head, ...cells].map(textWidth)));
  return widths.reduce((sum, width) => sum + width, 0) + GAP * (columns.length - 1);
}

function tableOf(columns: readonly Column[], style: RenderStyle): string {
  const rows = (columns[0]?.cells ?? []).map((_, row) => columns.map(({ cells }) => cells[row] ?? ""));
  const heads = columns.map(({ head }) => head);
  return renderHeadedTable([heads, ...rows], style, heads.slice(1));
}
