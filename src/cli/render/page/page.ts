/** A search result as one HTML page that needs nothing else: no network, no fonts, and no scripts for what it says. */
import { createHash } from "node:crypto";
import { STEP_BOUNDS } from "../matches/scale.js";
import { escapeHtml } from "./escape.js";
import { hitSection, type PageHit } from "./hit.js";
import { SCRIPT } from "./script.js";
import { STYLE } from "./style.js";

export interface ResultPage {
  readonly query: string;
  readonly hits: readonly PageHit[];
  /** What there is to know of the search, such as the name of the index; shown in one line. */
  readonly facts: readonly string[];
  /** Sentences. */
  readonly notes: readonly string[];
}

/** The page. Style and script are allowed by their hashes alone, so that nothing in a document could run. */
export function renderPage({ query, hits, facts, notes }: ResultPage): string {
  const explained = hits.filter(({ matches }) => matches !== undefined);
  const policy =
    "default-src 'none'; base-uri 'none'; form-action 'none'; " +
    `style-src 'sha256-${sha256(STYLE)}'; script-src 'sha256-${sha256(SCRIPT)}'`;
  const noted = notes.map((note) => `<p class="note">${escapeHtml(note)}</p>\n`).join("");
  const sections = hits.map((hit) => hitSection(hit, query, hit === explained[0]));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="maxsim">
<title>${escapeHtml(query)} \u2013 maxsim</title>
<style>${STYLE}</style>
</head>
<body>
<header class="page">
<p class="kind">maxsim search</p>
<h1 dir="auto">${escapeHtml(query)}</h1>
<p class="facts">${facts.map((fact) => `<bdi>${escapeHtml(fact)}</bdi>`).join(" \u00b7 ")}</p>
${noted}${explained.length === 0 ? "" : legend()}</header>
<main>
${sections.length === 0 ? "<p>no hits</p>\n" : sections.join("")}</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function legend(): string {
  const steps = STEP_BOUNDS.map((bound, i) => `<span class="s${i + 1}">${bound.toFixed(1)}</span>`).join("");
  return `<div class="legend">
<span class="scale"><span class="label">similarity from</span>${steps}</span>
<span class="label"><mark class="s4">word</mark> found by a word of the query</span>
<span class="label"><span class="chosen s4">68</span> highest of its row</span>
<label><input type="checkbox" id="special"> special tokens</label>
<label><input type="checkbox" id="only"> found words only</label>
</div>
`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
