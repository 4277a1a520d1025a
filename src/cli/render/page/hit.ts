/** One hit of the page. */
import type { TokenMatches } from "../../../engine/options.js";
import { describeMatches } from "../matches/describe-matches.js";
import { escapeHtml, isWebUrl } from "./escape.js";
import { heatMap } from "./heat-map.js";
import { markedPassage, pairsTable, plainPassage } from "./passage.js";

export interface PageHit {
  /** From 1. */
  readonly rank: number;
  readonly score: string;
  readonly id: string;
  readonly title?: string;
  readonly url?: string;
  /** Such as `docs/guide.md:42`. */
  readonly where?: string;
  /** What else there is to say of the score. */
  readonly remark?: string;
  /** Of the passage. */
  readonly text: string;
  readonly snippet: { readonly text: string; readonly highlights: ReadonlyArray<readonly [number, number]> };
  readonly matches?: TokenMatches;
}

/** @param open whether the heat map is shown at once. */
export function hitSection(hit: PageHit, query: string, open: boolean): string {
  const { rank, score, id, title, url, where, remark, text, snippet, matches } = hit;
  const name = title === undefined || title.trim() === "" ? id : title;
  const facts = [
    ...(where === undefined ? [] : [`<code>${bdi(where)}</code>`]),
    ...(where === undefined && name !== id ? [`<code>${bdi(id)}</code>`] : []),
    ...(url === undefined ? [] : [link(url)]),
    ...(remark === undefined ? [] : [escapeHtml(remark)]),
  ];
  const head =
    `<header><span class="rank">${rank}</span><h2 dir="auto">${escapeHtml(name)}</h2>` +
    `<span class="score" title="score">${escapeHtml(score)}</span></header>\n` +
    (facts.length === 0 ? "" : `<p class="facts">${facts.join(" \u00b7 ")}</p>\n`);
  const body =
    matches === undefined ? unexplained(text, snippet) : explained(matches, query, text, rank, open);
  return `<article id="hit-${rank}">\n${head}${body}</article>\n`;
}

function explained(matches: TokenMatches, query: string, text: string, rank: number, open: boolean): string {
  const tokens = matches.passage.length;
  const passage = markedPassage(matches, text);
  const context = passage.context === "" ? "" : `<div class="context" dir="auto">${passage.context}</div>`;
  return (
    `<div class="why"><div class="text" dir="auto" tabindex="0" role="region" aria-label="passage of hit ${rank}">${context}${passage.text}</div>\n` +
    `${pairsTable(describeMatches(matches, query, text))}</div>\n` +
    `<details class="heat"${open ? " open" : ""}><summary>Heat map: every word of the query against ${tokens} tokens of the passage</summary>\n` +
    `<div class="map" tabindex="0" role="region" aria-label="heat map of hit ${rank}">${heatMap(matches, query, text)}</div></details>\n`
  );
}

function unexplained(text: string, { text: shown, highlights }: PageHit["snippet"]): string {
  if (highlights.length === 0) return `<div class="text" dir="auto" tabindex="0">${escapeHtml(text)}</div>\n`;
  return (
    `<div class="text" dir="auto">${plainPassage(shown, highlights)}</div>\n` +
    `<details><summary>Whole passage</summary><div class="text" dir="auto" tabindex="0">${escapeHtml(text)}</div></details>\n`
  );
}

function link(url: string): string {
  if (!isWebUrl(url)) return bdi(url);
  return `<a href="${escapeHtml(url)}" rel="noopener noreferrer">${bdi(url)}</a>`;
}

function bdi(text: string): string {
  return `<bdi>${escapeHtml(text)}</bdi>`;
}
