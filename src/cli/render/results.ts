/** Hits for people: a line that says what and where, and under it the snippet, or the passage with its matches. */
import type { Colors } from "./color.js";
import type { DescribedMatches } from "./matches/describe-matches.js";
import { drawMatches } from "./matches/drawing.js";
import { flow } from "./matches/flow.js";
import type { Heat } from "./matches/heat.js";
import { singleLine, textWidth, truncate } from "./plain-text.js";

export interface RenderableHit {
  /** From 1. */
  readonly rank: number;
  readonly score: number;
  readonly id: string;
  readonly title?: string;
  /** Where to look, such as `docs/guide.md:42`; the id stands in where there is none. */
  readonly where?: string;
  /** What else there is to say of the score, in one line. */
  readonly remark?: string;
  readonly snippet: {
    readonly text: string;
    /** Half-open ranges of `text` in UTF-16 code units, ascending: what matches the query. */
    readonly highlights: ReadonlyArray<readonly [number, number]>;
    readonly leadingEllipsis?: boolean;
    readonly trailingEllipsis?: boolean;
  };
  /** Drawn in the place of the snippet. */
  readonly explained?: { readonly matches: DescribedMatches; readonly text: string };
}

export interface HitsOptions {
  readonly colors: Colors;
  /** Columns of the terminal. */
  readonly width: number;
  /** For hits that are explained. Default: no backgrounds, ASCII. */
  readonly heat?: Heat;
  readonly unicode?: boolean;
}

const MIN_WIDTH = 40;
/** A title that would be cut shorter than this gets a line of its own. */
const MIN_TITLE = 10;
const NO_HEAT: Heat = { enabled: false, paint: (text) => text };

/** The hits as text that ends with a line break; `no hits` when there are none. */
export function renderHits(hits: readonly RenderableHit[], options: HitsOptions): string {
  if (hits.length === 0) return "no hits\n";
  const { colors, width } = options;
  const columns = Math.max(width, MIN_WIDTH);
  const rankWidth = Math.max(...hits.map(({ rank }) => String(rank).length));
  const scores = formatScores(hits.map(({ score }) => score));
  const scoreWidth = Math.max(...scores.map((score) => score.length));
  const indent = " ".repeat(rankWidth + 2);
  const blocks = hits.map((hit, i) => {
    const rank = String(hit.rank).padStart(rankWidth);
    const score = (scores[i] ?? "").padStart(scoreWidth);
    const taken = rankWidth + 2 + scoreWidth + 2;
    // A place must stay whole to be of use (terminals make links of it): the title gives way.
    const where = singleLine(hit.where ?? hit.id);
    const room = columns - taken - textWidth(where) - 2;
    const whole = singleLine(hit.title ?? "");
    const beside = textWidth(whole) <= room || room >= MIN_TITLE;
    const title = colors.bold(truncate(whole, beside ? room : columns - indent.length));
    const head = `${colors.dim(rank)}  ${colors.green(score)}  ${colors.cyan(where)}`;
    const body = bodyLines(hit, { ...options, width: columns - indent.length });
    const lines = body.map((line) => (line === "" ? "" : indent + line));
    if (whole === "") return [head, ...lines];
    return beside ? [`${head}  ${title}`, ...lines] : [head, indent + title, ...lines];
  });
  return blocks.map((lines) => lines.map((line) => `${line}\n`).join("")).join("\n");
}

/** Two decimals, four where all scores are below 1: ranks that were fused give 1/60 and less. */
export function formatScores(scores: readonly number[]): string[] {
  const digits = scores.every((score) => Math.abs(score) < 1) ? 4 : 2;
  return scores.map((score) => score.toFixed(digits));
}

function bodyLines({ remark, snippet, explained }: RenderableHit, options: HitsOptions): string[] {
  const { colors, width, heat = NO_HEAT, unicode = false } = options;
  const remarks = remark === undefined ? [] : [colors.dim(truncate(singleLine(remark), width))];
  if (explained === undefined) return [...remarks, ...snippetLines(snippet, width, colors.match)];
  return [...remarks, ...drawMatches(explained.matches, explained.text, { colors, heat, unicode, width })];
}

function snippetLines(
  { text, highlights, leadingEllipsis, trailingEllipsis }: RenderableHit["snippet"],
  width: number,
  match: (text: string) => string,
): string[] {
  const before = leadingEllipsis === true ? "… " : "";
  const after = trailingEllipsis === true ? " …" : "";
  const marks = highlights.map(([start, end]) => ({
    start: Math.min(start, text.length) + before.length,
    end: Math.min(end, text.length) + before.length,
    mark: true,
  }));
  return flow(before + text + after, marks, width).map((line) =>
    line.map((part) => (part.mark === true ? match(part.text) : part.text)).join(""),
  );
}
