/** `maxsim history`: what made the generations of an index. */
import type { HistoryEntry } from "../../engine/options.js";
import type { HistoryCommandOptions } from "../commands/history.js";
import { type CommandContext, shownPath, terminalWidth } from "../context.js";
import { openView } from "../open-index.js";
import { createColors } from "../render/color.js";
import { formatNumber, formatTime } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { type RenderStyle, renderHeadedTable } from "../render/table.js";

export function showHistory(options: HistoryCommandOptions, context: CommandContext): void {
  const view = openView(options.index);
  try {
    const { folder, generation } = view;
    const entries = view.history(options.limit);
    if (options.json === true) {
      context.stdout.write(renderJson({ index: folder, generation, generations: entries }));
      return;
    }
    const colors = createColors(context.stdout, context.env);
    context.stdout.write(renderHistory(entries, { colors, ...terminalWidth(context.stdout) }));
    // Generations count from 0, the empty index.
    const all = generation + 1;
    const more = entries.length < all ? `; all with --limit ${all}` : "";
    context.stderr.write(
      `${formatNumber(entries.length)} of ${formatNumber(all)} generations of ${shownPath(folder)}${more}\n`,
    );
  } finally {
    view.close();
  }
}

const NUMBERS = ["generation", "added", "removed", "documents", "passages", "segments"] as const;

/** One line a generation; unknown times are a dash. */
export function renderHistory(entries: readonly HistoryEntry[], style: RenderStyle): string {
  const rows = entries.map(({ generation, time, operation, ...counts }) => [
    formatNumber(generation),
    time === undefined ? "-" : formatTime(time),
    operation,
    ...[counts.added, counts.removed, counts.documents, counts.passages, counts.segments].map(formatNumber),
  ]);
  const [generation, ...counts] = NUMBERS;
  return renderHeadedTable([[generation, "time", "operation", ...counts], ...rows], style, NUMBERS);
}
