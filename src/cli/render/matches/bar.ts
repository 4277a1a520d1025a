/** Bars of characters. */

/** One to seven eighths of a column; a full column is the eighth of them. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;

/** A bar for a share of `columns`: 0 and less is nothing, 1 and more all of them. In ASCII by whole columns. */
export function drawBar(share: number, columns: number, unicode: boolean): string {
  const length = Math.min(1, Math.max(0, share)) * columns;
  if (!unicode) return "#".repeat(Math.round(length));
  const eighths = Math.round(length * 8);
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}
