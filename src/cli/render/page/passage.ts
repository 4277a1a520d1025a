/** The text of a passage with the tokens that a query found, and the table of what found what. */
import type { TokenMatches } from "../../../engine/options.js";
import { type DescribedMatches, tellingTokens } from "../matches/describe-matches.js";
import { stepOf } from "../matches/scale.js";
import { spansApart } from "../matches/spans.js";
import type { TokenName } from "../matches/token-names.js";
import { escapeHtml } from "./escape.js";

/** From this step on a token has its colour also when another one was chosen: it says much the same. */
const ALIKE = stepOf(0.8);

/** HTML of both texts of a passage; see `markedPassage`. */
export interface MarkedPassage {
  /** Title and headings, which are encoded before the text; empty where nothing in them was found. */
  readonly context: string;
  readonly text: string;
}

/**
 * Tokens have the number of their column (`data-p`). Those that a word of the query chose are `<mark>`; they, and others
 * that are as similar to a word as good matches are, have the colour of their best similarity.
 */
export function markedPassage(matches: TokenMatches, text: string): MarkedPassage {
  const telling = tellingTokens(matches);
  const chosen = new Set(matches.choices.flatMap(({ passage }, i) => (telling[i] === true ? [passage] : [])));
  const tokens = matches.passage.map((token, column) => {
    let similarity = Number.NEGATIVE_INFINITY;
    matches.similarities.forEach((row, i) => {
      if (telling[i] === true) similarity = Math.max(similarity, row[column] ?? similarity);
    });
    return { token, column, similarity, chosen: chosen.has(column) };
  });
  const found = tokens.some(({ token, chosen }) => chosen && token.contextSpan !== undefined);
  const inContext = tokens.map((token) => ({ ...token, span: token.token.contextSpan ?? null }));
  const inText = tokens.map((token) => ({ ...token, span: token.token.span }));
  return { context: found ? marked(inContext, matches.context) : "", text: marked(inText, text) };
}

interface ColouredToken {
  readonly span: readonly [start: number, end: number] | null;
  readonly column: number;
  readonly similarity: number;
  readonly chosen: boolean;
}

function marked(tokens: readonly ColouredToken[], text: string): string {
  let at = 0;
  const parts = spansApart(tokens, text).map(({ start, end, column, similarity, chosen }) => {
    const before = escapeHtml(text.slice(at, start));
    at = end;
    const element = chosen ? "mark" : "span";
    const step = stepOf(similarity);
    const color = step > 0 && (chosen || step >= ALIKE) ? ` class="s${step}"` : "";
    return `${before}<${element}${color} data-p="${column}">${escapeHtml(text.slice(start, end))}</${element}>`;
  });
  return parts.join("") + escapeHtml(text.slice(at));
}

/** The text with the highlights of its snippet, where there are no token matches. */
export function plainPassage(text: string, highlights: ReadonlyArray<readonly [number, number]>): string {
  let at = 0;
  const spans = spansApart(
    highlights.map((span) => ({ span })),
    text,
  );
  const parts = spans.map(({ start, end }) => {
    const before = escapeHtml(text.slice(at, start));
    at = end;
    return `${before}<mark>${escapeHtml(text.slice(start, end))}</mark>`;
  });
  return parts.join("") + escapeHtml(text.slice(at));
}

/** Query token, passage token, similarity with a bar; special tokens in one row; the sum. */
export function pairsTable({ pairs, special, sum }: DescribedMatches): string {
  const rows = pairs.map(
    ({ query, passage, similarity }) =>
      `<tr><td>${name(query)}<td>${name(passage, stepOf(similarity))}` +
      `<td class="n">${similarity.toFixed(2)}<td class="b">${bar(similarity)}\n`,
  );
  const markers = special.names.map(
    ({ name: token, count }) => token + (count === 1 ? "" : ` \u00d7 ${count}`),
  );
  const folded =
    special.count === 0
      ? ""
      : `<tr class="rest"><td colspan="2">special tokens <span class="special"><bdi>${escapeHtml(markers.join(" "))}</bdi></span>` +
        `<td class="n">${special.sum.toFixed(2)}<td>\n`;
  return (
    `<table class="pairs"><thead><tr><th scope="col">query<th scope="col">found<th scope="col" colspan="2">similarity\n` +
    `<tbody>${rows.join("")}${folded}<tr class="sum"><td colspan="2">sum<td class="n">${sum.toFixed(2)}<td>\n</table>`
  );
}

function name({ text, word, kind }: TokenName, step?: number): string {
  const classes = [
    ...(kind === "text" ? [] : [kind]),
    ...(step === undefined || kind === "special" ? [] : [`s${step}`]),
  ];
  const attribute = classes.length === 0 ? "" : ` class="${classes.join(" ")}"`;
  const notes = [...(word === undefined ? [] : [word]), ...(kind === "context" ? ["title"] : [])];
  const note = notes.length === 0 ? "" : ` <small><bdi>${escapeHtml(notes.join(", "))}</bdi></small>`;
  return `<span${attribute}><bdi>${escapeHtml(text)}</bdi></span>${note}`;
}

/** In attributes of SVG, which a content security policy does not count among styles. */
function bar(similarity: number): string {
  const width = Math.round(Math.min(1, Math.max(0, similarity)) * 100);
  return `<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="f" width="${width}" height="8"/></svg>`;
}
