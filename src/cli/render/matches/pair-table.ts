/** A row for each token of the query: which token of the passage it found, and how similar the two are. */
import { formatNumber } from "../format.js";
import { singleLine, textWidth, truncate } from "../plain-text.js";
import { drawBar } from "./bar.js";
import type { DescribedMatches, MatchedPair } from "./describe-matches.js";
import type { DrawingStyle } from "./drawing.js";
import { stepOf } from "./scale.js";
import type { TokenName } from "./token-names.js";

const GAP = "  ";
const MAX_QUERY = 20;
const MAX_PASSAGE = 32;
/** `+ 30 special` fits into two of them. */
const MIN_NAME = 6;
const MAX_BAR = 20;
/** A bar that would be shorter is left out. */
const MIN_BAR = 5;
/** Special tokens that are named. */
const SHOWN_NAMES = 4;

/** Columns of names, of numbers and of bars. */
interface Columns {
  readonly query: number;
  readonly passage: number;
  readonly number: number;
  readonly bar: number;
}

/** Lines without line breaks: head, pairs, one for all special tokens of the query, sum. */
export function pairTable({ pairs, special, sum }: DescribedMatches, style: DrawingStyle): string[] {
  const { colors } = style;
  const columns = columnsFor(pairs, [special.sum, sum], style.width);
  const names = columns.query + GAP.length + columns.passage;
  const total = (name: string, value: number): string =>
    `${pad(name, names)}${GAP}${value.toFixed(2).padStart(columns.number)}`;
  const head = [pad("query", columns.query), pad("passage", columns.passage), "similarity"].join(GAP);
  return [
    colors.dim(truncate(head, Math.max(style.width, names))),
    ...pairs.map((pair) => pairLine(pair, columns, style)),
    ...(special.count === 0 ? [] : [colors.dim(total(specialName(special, names), special.sum))]),
    total("sum", sum),
  ];
}

function columnsFor(pairs: readonly MatchedPair[], sums: readonly number[], width: number): Columns {
  const widest = (names: readonly TokenName[], most: number): number =>
    names.reduce((columns, name) => Math.min(most, Math.max(columns, textWidth(fullName(name)))), MIN_NAME);
  const shown = [...pairs.map(({ similarity }) => similarity), ...sums].map((value) => value.toFixed(2));
  const number = Math.max(...shown.map((text) => text.length));
  let query = widest(
    pairs.map((pair) => pair.query),
    MAX_QUERY,
  );
  let passage = Math.max(
    "passage".length,
    widest(
      pairs.map((pair) => pair.passage),
      MAX_PASSAGE,
    ),
  );
  const room = Math.max(2 * MIN_NAME, width - number - 2 * GAP.length);
  // The longer name gives way.
  while (query + passage > room) {
    if (passage >= query) passage--;
    else query--;
  }
  const left = room - query - passage - GAP.length;
  return { query, passage, number, bar: left < MIN_BAR ? 0 : Math.min(MAX_BAR, left) };
}

function pairLine(
  { query, passage, similarity }: MatchedPair,
  columns: Columns,
  style: DrawingStyle,
): string {
  const { colors, heat, unicode } = style;
  const found = truncate(singleLine(passage.text), columns.passage);
  const rest = pad(fullName(passage), columns.passage).slice(found.length);
  const painted = passage.kind !== "special" ? heat.paint(found, stepOf(similarity)) : colors.dim(found);
  const bar = columns.bar === 0 ? "" : `${GAP}${drawBar(similarity, columns.bar, unicode)}`;
  const value = similarity.toFixed(2).padStart(columns.number);
  return `${pad(fullName(query), columns.query)}${GAP}${painted}${colors.dim(rest)}${GAP}${value}${bar}`.trimEnd();
}

/** `##ing (running)`, `Tea (title)`, `[CLS]`. */
function fullName({ text, word, kind }: TokenName): string {
  const notes = [...(word === undefined ? [] : [word]), ...(kind === "context" ? ["title"] : [])];
  return singleLine(notes.length === 0 ? text : `${text} (${notes.join(", ")})`);
}

/** `+ 21 special tokens: [CLS] [Q] [MASK]x18 [SEP]`, or `+ 21 special` where there is no room. */
function specialName({ names, count }: DescribedMatches["special"], width: number): string {
  const counted = `+ ${formatNumber(count)} special`;
  const listed = names
    .slice(0, SHOWN_NAMES)
    .map(({ name, count: times }) =>
      times === 1 ? singleLine(name) : `${singleLine(name)}x${formatNumber(times)}`,
    );
  const whole = `${counted} tokens: ${listed.join(" ")}${names.length > SHOWN_NAMES ? " ..." : ""}`;
  return textWidth(whole) <= width ? whole : counted;
}

function pad(text: string, columns: number): string {
  const shown = truncate(text, columns);
  return shown + " ".repeat(Math.max(0, columns - textWidth(shown)));
}
