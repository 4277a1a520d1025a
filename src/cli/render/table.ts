/** Plain tables: columns aligned with spaces, no rules. */
import type { Colors } from "./color.js";
import { singleLine, textWidth, truncate } from "./plain-text.js";

export type Alignment = "left" | "right";

export interface TableOptions {
  /** Alignment of each column; columns without one are left-aligned. */
  readonly align?: readonly Alignment[];
  /** Columns of the terminal; wider tables have their widest columns cut. Default: as wide as the cells. */
  readonly width?: number;
}

const GAP = "  ";
/** Cutting stops here: a column narrower than this says nothing. */
const MIN_COLUMN = 6;

/**
 * The rows as lines, each ended by a line break; no text without rows. Cells are made safe for terminals. Rows may
 * have different lengths.
 */
export function renderTable(rows: ReadonlyArray<readonly string[]>, options: TableOptions = {}): string {
  const cells = rows.map((row) => row.map(singleLine));
  const columns = cells.reduce((most, row) => Math.max(most, row.length), 0);
  const natural = Array.from({ length: columns }, (_, column) =>
    cells.reduce((widest, row) => Math.max(widest, textWidth(row[column] ?? "")), 0),
  );
  const widths = options.width === undefined ? natural : narrow(natural, options.width);
  const lines = cells.map((row) => {
    const padded = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      const shown = truncate(cell, width);
      const space = " ".repeat(width - textWidth(shown));
      return options.align?.[column] === "right" ? space + shown : shown + space;
    });
    return `${padded.join(GAP).trimEnd()}\n`;
  });
  return lines.join("");
}

export interface RenderStyle {
  readonly colors: Colors;
  /** Columns of the terminal; without them nothing is cut. */
  readonly width?: number;
}

/** A table whose first row is its head. `numbers` are the heads of the columns of numbers. */
export function renderHeadedTable(
  rows: ReadonlyArray<readonly string[]>,
  { colors, width }: RenderStyle,
  numbers: readonly string[],
): string {
  const align = (rows[0] ?? []).map((head) => (numbers.includes(head) ? "right" : "left"));
  const table = renderTable(rows, { align, ...(width === undefined ? {} : { width }) });
  const [head = "", ...lines] = table.split("\n");
  return [colors.dim(head), ...lines].join("\n");
}

/** Column widths that fit into `available`, taken from the widest columns first. */
function narrow(natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - available;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= MIN_COLUMN) break;
    widths[widths.indexOf(widest)] = widest - 1;
    excess--;
  }
  return widths;
}
