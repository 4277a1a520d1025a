/** The page of a search result. */
import fc from "fast-check";
import { parse } from "parse5";
import { describe, expect, it } from "vitest";
import { STEP_BOUNDS } from "../../../src/cli/render/matches/scale.js";
import { escapeHtml, isWebUrl } from "../../../src/cli/render/page/escape.js";
import { hundredths } from "../../../src/cli/render/page/heat-map.js";
import type { PageHit } from "../../../src/cli/render/page/hit.js";
import { renderPage } from "../../../src/cli/render/page/page.js";
import { contrast, DARK, LIGHT, textOn } from "../../../src/cli/render/page/palette.js";
import { matchesOf, tokensOf } from "../../support/token-matches.js";

const TEXT = "Glue a patch on the hole.";
const QUERY = "repair tyre";
const matches = matchesOf(tokensOf(QUERY, ["[CLS]"], ["[MASK]"]), tokensOf(TEXT, ["[CLS]"]), [
  [1, 3, 0.83],
  [2, 6, 0.64],
  [2, 1, -0.2],
]);

const hit = (over: Partial<PageHit> = {}): PageHit => ({
  rank: 1,
  score: "2.47",
  id: "x",
  text: TEXT,
  snippet: { text: TEXT, highlights: [[7, 12]] },
  ...over,
});

const page = (hits: readonly PageHit[], query = QUERY): string =>
  renderPage({ query, hits, facts: ["2 of 9 documents"], notes: [] });

interface Element {
  readonly tagName?: string;
  readonly nodeName: string;
  readonly value?: string;
  readonly attrs?: ReadonlyArray<{ readonly name: string; readonly value: string }>;
  readonly childNodes?: readonly Element[];
}

function elements(html: string, name: string): Element[] {
  const found: Element[] = [];
  const visit = (node: Element): void => {
    if (node.tagName === name) found.push(node);
    node.childNodes?.forEach(visit);
  };
  visit(parse(html) as unknown as Element);
  return found;
}

function textOf(node: Element): string {
  return node.nodeName === "#text" ? (node.value ?? "") : (node.childNodes ?? []).map(textOf).join("");
}

const attribute = (node: Element, name: string): string | undefined =>
  node.attrs?.find((attr) => attr.name === name)?.value;

describe("renderPage", () => {
  it("has the passage with marks, the pairs, and the matrix with chosen cells", () => {
    const html = page([hit({ matches, title: "Flat tyres", where: "notes.md:3" })]);
    expect(elements(html, "mark").slice(1).map(textOf)).toEqual(["patch", "hole."]);
    const [pairs, map] = elements(html, "table");
    expect(textOf(pairs!)).toMatch(/repair\s*patch\s*0\.83/);
    const rows = elements(html, "tr").filter((row) => attribute(row, "class") === "x");
    expect(rows).toHaveLength(2);
    const cells = elements(html, "td").filter((cell) => attribute(cell, "class")?.split(" ").includes("c"));
    expect(cells.map((cell) => textOf(cell).trim())).toEqual(["10", "83", "64", "10"]);
    expect(textOf(map!)).toContain("\u221220");
    expect(elements(html, "details").map((one) => attribute(one, "open"))).toEqual([""]);
  });

  it("opens the first heat map only", () => {
    const html = page([hit({ rank: 1 }), hit({ rank: 2, matches }), hit({ rank: 3, matches })]);
    const open = elements(html, "details").map((one) => attribute(one, "open") !== undefined);
    // The first hit has no matches; its details hold the whole passage.
    expect(open).toEqual([false, true, false]);
  });

  it("asks for nothing from anywhere", () => {
    const html = page([hit({ matches, url: "https://example.org/a?b=1&c=2" })]);
    expect(elements(html, "link")).toEqual([]);
    expect(elements(html, "img")).toEqual([]);
    for (const name of ["script", "iframe", "svg", "use"]) {
      for (const one of elements(html, name)) expect(attribute(one, "src")).toBeUndefined();
    }
    expect(html).not.toMatch(/@import|url\(/);
    const policy = elements(html, "meta").map((meta) => attribute(meta, "content"));
    expect(policy.find((content) => content?.includes("default-src 'none'"))).toMatch(
      /style-src 'sha256-[^']+'; script-src 'sha256-[^']+'$/,
    );
    // A policy that allows hashes alone forbids these.
    expect(html.replace(/<script>.*<\/script>/s, "")).not.toMatch(/ style=| on[a-z]+=/);
  });

  it("keeps every text a text", () => {
    const scripts = elements(page([hit()]), "script").length;
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.constantFrom(
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</style></title></textarea><script>",
        "javascript:alert(1)",
        "<!--",
        "&lt;b&gt; &amp;",
        "\u202e\u0000\u001b[31m\ud83d",
        "مرحبا 👩‍👩‍👧 日本語",
      ),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (query, title, text) => {
        const evil = matchesOf(tokensOf(query, ["[CLS]", title]), tokensOf(text, [title, "<b>"]), [
          [0, 1, 0.9],
        ]);
        const html = page(
          [hit({ id: title, title, url: title, where: title, remark: title, text, matches: evil })],
          query,
        );
        expect(elements(html, "script")).toHaveLength(scripts);
        for (const name of ["img", "b", "textarea", "a"]) {
          const found = elements(html, name);
          expect(found.filter((one) => !/^https?:/.test(attribute(one, "href") ?? ""))).toEqual([]);
        }
        const passage = elements(html, "div").find((one) => attribute(one, "class") === "text");
        const seen = text
          .replace(/\r\n?/g, "\n")
          .replace(/[^\P{Cc}\t\n]|[\ufdd0-\ufdef\ufffe\uffff]|\p{Cs}/gu, "\ufffd");
        expect(textOf(passage!)).toBe(seen);
      }),
      { numRuns: 60 },
    );
  });

  it("says so when there are no hits", () => {
    expect(page([])).toContain("<p>no hits</p>");
    expect(page([])).not.toContain('class="legend"');
  });
});

describe("colours", () => {
  it.each([
    ["light", LIGHT],
    ["dark", DARK],
  ])("of the %s page are readable", (_, palette) => {
    expect(palette.steps).toHaveLength(STEP_BOUNDS.length);
    for (const step of palette.steps) expect(contrast(textOn(step), step), step).toBeGreaterThanOrEqual(4.5);
    for (const back of [palette.paper, palette.card]) {
      for (const text of [palette.ink, palette.muted, palette.accent]) {
        expect(contrast(text, back), `${text} on ${back}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    expect(contrast(palette.card, palette.accent)).toBeGreaterThanOrEqual(4.5);
  });

  it("become stronger from step to step", () => {
    const light = LIGHT.steps.map((step) => contrast(step, LIGHT.card));
    const dark = DARK.steps.map((step) => contrast(step, DARK.card));
    for (const steps of [light, dark]) expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  it("have the contrast that WCAG says", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
    expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
  });
});

describe("pieces", () => {
  it("escape and shorten", () => {
    expect(escapeHtml(`<a href="x">&'\r\n\u0007`)).toBe("&lt;a href=&quot;x&quot;&gt;&amp;&#39;\n\ufffd");
    expect([0.944, -0.2, -0.001, 1].map(hundredths)).toEqual(["94", "\u221220", "0", "100"]);
    expect(
      ["https://a.b/c", "HTTP://x", "javascript:alert(1)", "data:text/html,x", "a.md"].map(isWebUrl),
    ).toEqual([true, true, false, false, false]);
  });
});
