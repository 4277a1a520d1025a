/** Hits for people: a line that says what and where, and the snippet under it. */
import type { Colors } from "./color.js";
import { characterWidth, singleLine, textWidth, truncate } from "./plain-text.js";

export interface RenderableHit {
  /** From 1. */
  readonly rank: number;
  readonly score: number;
  readonly id: string;
  readonly title?: string;
  /** Where to look, such as `docs/guide.md:42`; the id stands in where there is none. */
  readonly where?: string;
  readonly snippet: {
    readonly text: string;
    /** Half-open ranges of `text` in UTF-16 code units, ascending: the words that match the query. */
    readonly highlights: ReadonlyArray<readonly [number, number]>;
    readonly leadingEllipsis?: boolean;
    readonly trailingEllipsis?: boolean;
  };
}

export interface HitsOptions {
  readonly colors: Colors;
  /** Columns of the terminal. */
  readonly width: number;
}

const MIN_WIDTH = 40;
/** A title that would be cut shorter than this gets a line of its own. */
const MIN_TITLE = 10;

/** The hits as text that ends with a line break; `no hits` when there are none. */
export function renderHits(hits: readonly RenderableHit[], { colors, width }: HitsOptions): string {
  if (hits.length === 0) return "no hits\n";
  const columns = Math.max(width, MIN_WIDTH);
  const rankWidth = Math.max(...hits.map(({ rank }) => String(rank).length));
  const scores = hits.map(({ score }) => score.toFixed(2));
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
    const body = snippetLines(hit.snippet, columns - indent.length, colors.match);
    const lines = body.map((line) => indent + line);
    if (whole === "") return [head, ...lines];
    return beside ? [`${head}  ${title}`, ...lines] : [head, indent + title, ...lines];
  });
  return blocks.map((lines) => lines.map((line) => `${line}\n`).join("")).join("\n");
}

/** A word with its width; `parts` alternate between plain and matched text. */
interface Word {
  readonly parts: Array<{ text: string; matched: boolean }>;
  width: number;
}

/** The snippet broken into lines of at most `width` columns; single words may be wider. */
function snippetLines(
  snippet: RenderableHit["snippet"],
  width: number,
  match: (text: string) => string,
): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of wordsOf(snippet)) {
    if (used > 0 && used + 1 + word.width > width) {
      lines.push(line);
      line = "";
      used = 0;
    }
    const painted = word.parts.map(({ text, matched }) => (matched ? match(text) : text)).join("");
    line += used > 0 ? ` ${painted}` : painted;
    used += word.width + (used > 0 ? 1 : 0);
  }
  return used > 0 ? [...lines, line] : lines;
}

function wordsOf({ text, highlights, leadingEllipsis, trailingEllipsis }: RenderableHit["snippet"]): Word[] {
  const words: Word[] = [];
  let open: Word | undefined;
  const append = (piece: string, matched: boolean): void => {
    for (const run of singleLine(piece).split(/(\s+)/)) {
      if (run === "") continue;
      if (/^\s/.test(run)) {
        open = undefined;
        continue;
      }
      if (open === undefined) {
        open = { parts: [], width: 0 };
        words.push(open);
      }
      open.parts.push({ text: run, matched });
      for (const character of run) open.width += characterWidth(character);
    }
  };
  if (leadingEllipsis === true) append("… ", false);
  let at = 0;
  for (const [start, end] of highlights) {
    append(text.slice(at, Math.max(start, at)), false);
    append(text.slice(Math.max(start, at), end), true);
    at = Math.max(at, end);
  }
  append(text.slice(at), false);
  if (trailingEllipsis === true) append(" …", false);
  return words;
}
