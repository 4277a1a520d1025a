/** Why a hit has its score, drawn for a terminal: the passage with its matched tokens, and the pairs of tokens. */
import type { Colors } from "../color.js";
import { textWidth } from "../plain-text.js";
import type { DescribedMatches, MarkedSpan } from "./describe-matches.js";
import { flow, type Part } from "./flow.js";
import type { Heat } from "./heat.js";
import { pairTable } from "./pair-table.js";
import { STEP_BOUNDS, stepOf } from "./scale.js";

export interface DrawingStyle {
  readonly colors: Colors;
  readonly heat: Heat;
  /** Whether bars may be drawn with block characters. */
  readonly unicode: boolean;
  /** Columns. */
  readonly width: number;
}

/**
 * Title and headings where something matched in them, the text of the passage, an empty line, the table: lines without line
 * breaks.
 */
export function drawMatches(matches: DescribedMatches, text: string, style: DrawingStyle): string[] {
  const { spans, context } = matches;
  return [
    ...(context.spans.length === 0 ? [] : markedText(context.spans, context.text, style, style.colors.dim)),
    ...markedText(spans, text, style, (plain) => plain),
    "",
    ...pairTable(matches, style),
  ];
}

/** One line that says what the backgrounds or the digits mean. */
export function heatLegend({ colors, heat }: Pick<DrawingStyle, "colors" | "heat">): string {
  if (!heat.enabled) return "under matched tokens: their similarity in tenths, 7~~~ for 0.7 to 0.8";
  const steps = STEP_BOUNDS.map((bound, i) => heat.paint(` ${bound.toFixed(1)} `, i + 1));
  return `${colors.dim("similarity of matched tokens from")} ${steps.join("")}`;
}

interface Strength {
  readonly similarity: number;
}

function markedText(
  spans: readonly MarkedSpan[],
  text: string,
  { heat, width }: DrawingStyle,
  paint: (plain: string) => string,
): string[] {
  const marks = spans.map(({ start, end, similarity }) => ({ start, end, mark: { similarity } }));
  return flow<Strength>(text, marks, width).flatMap((line) => {
    if (heat.enabled) {
      const painted = line.map(({ text: run, mark }) =>
        mark === undefined ? paint(run) : heat.paint(run, stepOf(mark.similarity)),
      );
      return [painted.join("")];
    }
    const written = line.map((part) => part.text).join("");
    const below = line.map(underline).join("").trimEnd();
    return below === "" ? [written] : [written, below];
  });
}

/** As wide as the part: tenths of the similarity, and a wave up to its end. */
function underline({ text, mark }: Part<Strength>): string {
  const columns = textWidth(text);
  if (mark === undefined || columns === 0) return " ".repeat(columns);
  const tenths = Math.floor(Number((mark.similarity * 10).toFixed(1)));
  return String(Math.min(9, Math.max(0, tenths))).padEnd(columns, "~");
}
