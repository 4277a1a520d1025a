/** Token matches drawn for a terminal. */
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createColors } from "../../../src/cli/render/color.js";
import { drawBar } from "../../../src/cli/render/matches/bar.js";
import { describeMatches } from "../../../src/cli/render/matches/describe-matches.js";
import { drawMatches, heatLegend } from "../../../src/cli/render/matches/drawing.js";
import { flow } from "../../../src/cli/render/matches/flow.js";
import { createHeat, takesUnicode } from "../../../src/cli/render/matches/heat.js";
import { resultJson } from "../../../src/cli/render/matches/json.js";
import { STEP_BOUNDS, STEPS, stepOf } from "../../../src/cli/render/matches/scale.js";
import { spansApart } from "../../../src/cli/render/matches/spans.js";
import { nameOf } from "../../../src/cli/render/matches/token-names.js";
import { textWidth } from "../../../src/cli/render/plain-text.js";
import { renderHits } from "../../../src/cli/render/results.js";
import type { SearchResult } from "../../../src/engine/options.js";
import { contextTokens, matchesOf, tokensOf } from "../../support/token-matches.js";

const terminal = { isTTY: true };
const env256 = { TERM: "xterm-256color" };
const plain = { colors: createColors({}, {}), heat: createHeat({}, {}), unicode: false };
const coloured = {
  colors: createColors(terminal, env256),
  heat: createHeat(terminal, env256),
  unicode: true,
};

const QUERY = "repair tyre";
const TEXT = "Glue a patch on the hole of the wheel.";
// Query: [CLS] repair tyre [MASK] [MASK]. Passage: [CLS] title glue a patch ...
const matches = matchesOf(
  tokensOf(QUERY, ["[CLS]"], ["[MASK]", "[MASK]"]),
  tokensOf(TEXT, ["[CLS]", "flat"]),
  [
    [0, 0, 0.5],
    [1, 4, 0.83],
    [2, 10, 0.64],
    [3, 1, 0.25],
    [4, 1, 0.25],
  ],
);
const described = describeMatches(matches, QUERY, TEXT);

describe("describeMatches", () => {
  it("marks what words of the query chose, and folds special tokens", () => {
    expect(described.spans.map(({ start, end }) => TEXT.slice(start, end))).toEqual(["patch", "wheel."]);
    expect(described.pairs.map(({ query, passage }) => [query.text, passage.text])).toEqual([
      ["repair", "patch"],
      ["tyre", "wheel."],
    ]);
    expect(described.special).toEqual({
      names: [
        { name: "[CLS]", count: 1 },
        { name: "[MASK]", count: 2 },
      ],
      count: 3,
      sum: expect.closeTo(1, 5),
    });
    expect(described.sum).toBeCloseTo(0.5 + 0.83 + 0.64 + 0.5, 5);
  });

  it("marks by special tokens where the query has nothing else", () => {
    const only = matchesOf(tokensOf("", ["[MASK]"]), tokensOf("a b"), [[0, 1, 0.7]]);
    const { spans, pairs } = describeMatches(only, "", "a b");
    expect({ spans, pairs }).toEqual({
      spans: [{ start: 2, end: 3, similarity: expect.closeTo(0.7, 5) }],
      pairs: [],
    });
  });

  it("marks titles and headings apart from the text", () => {
    const passage = [...contextTokens("Flat tyres"), ...tokensOf(TEXT)];
    const found = matchesOf(
      tokensOf(QUERY),
      passage,
      [
        [0, 4, 0.8],
        [1, 1, 0.9],
      ],
      "Flat tyres",
    );
    const titled = describeMatches(found, QUERY, TEXT);
    expect(titled.context).toEqual({
      text: "Flat tyres",
      spans: [{ start: 5, end: 10, similarity: expect.closeTo(0.9, 5) }],
    });
    expect(drawMatches(titled, TEXT, { ...plain, width: 60 })).toEqual([
      "Flat tyres",
      "     9~~~~",
      "Glue a patch on the hole of the wheel.",
      "       8~~~~",
      "",
      "query   passage        similarity",
      "repair  patch          0.80  ################",
      "tyre    tyres (title)  0.90  ##################",
      "sum                    1.70",
    ]);
  });

  it("names pieces with their words, tokens of titles, and markers", () => {
    const text = "the boiling water";
    const name = (token: string, span: readonly [number, number] | null) =>
      nameOf({ token, part: "text", span }, text, "");
    expect(name("##ing", [8, 11])).toEqual({ text: "##ing", word: "boiling", kind: "text" });
    expect(name("boil", [4, 8])).toEqual({ text: "boil", word: "boiling", kind: "text" });
    expect(name("WATER", [12, 17])).toEqual({ text: "water", kind: "text" });
    // As other vocabularies have pieces, and scripts without spaces.
    expect(name("ing", [8, 11])).toEqual({ text: "ing", word: "boiling", kind: "text" });
    expect(nameOf({ token: "\u7d22", part: "text", span: [1, 2] }, "\u691c\u7d22\u3057", "")).toEqual({
      text: "\u7d22",
      kind: "text",
    });
    // White space would show nothing.
    expect(name("\u2581", [3, 4])).toEqual({ text: "\u2581", kind: "text" });
    expect(name("lost", null)).toEqual({ text: "lost", kind: "text" });
    const title = { token: "tea", part: "context", span: null } as const;
    expect(nameOf({ ...title, contextSpan: [0, 3] }, text, "Teapots")).toEqual({
      text: "Tea",
      word: "Teapots",
      kind: "context",
    });
    expect(nameOf(title, text, "")).toEqual({ text: "tea", kind: "context" });
    for (const part of ["special", "expansion"] as const) {
      expect(nameOf({ token: "[X]", part, span: null }, text, "")).toEqual({ text: "[X]", kind: "special" });
    }
  });

  it("cuts spans apart and never a character in two", () => {
    const text = "a😀b";
    const spans = [
      { span: [2, 3] as const },
      { span: [0, 2] as const },
      { span: null },
      { span: [3, 99] as const },
    ];
    expect(spansApart(spans, text).map(({ start, end }) => [start, end])).toEqual([
      [0, 3],
      [3, 4],
    ]);
  });
});

describe("scale", () => {
  it("has a step for each bound, by the value as it is shown", () => {
    expect(STEPS).toBe(STEP_BOUNDS.length + 1);
    STEP_BOUNDS.forEach((bound, i) => {
      expect(stepOf(bound)).toBe(i + 1);
      expect(stepOf(bound - 0.01)).toBe(i);
      expect(stepOf(Math.fround(bound))).toBe(i + 1);
    });
    expect([stepOf(-1), stepOf(1)]).toEqual([0, STEPS - 1]);
  });
});

describe("drawMatches", () => {
  it("underlines with tenths without colours", () => {
    expect(drawMatches(described, TEXT, { ...plain, width: 60 })).toEqual([
      "Glue a patch on the hole of the wheel.",
      "       8~~~~                    6~~~~~",
      "",
      "query   passage  similarity",
      "repair  patch    0.83  #################",
      "tyre    wheel.   0.64  #############",
      "+ 3 special      1.00",
      "sum              2.47",
    ]);
    expect(heatLegend(plain)).toContain("tenths");
  });

  it("paints backgrounds with colours, and the rest is the same", () => {
    const lines = drawMatches(described, TEXT, { ...coloured, width: 60 });
    expect(lines[0]).toContain("\u001b[48;5;208;38;5;16mpatch\u001b[0m");
    expect(lines.map((line) => stripVTControlCharacters(line))).toEqual([
      "Glue a patch on the hole of the wheel.",
      "",
      "query   passage  similarity",
      `repair  patch    0.83  ${"━".repeat(16)}╸`,
      `tyre    wheel.   0.64  ${"━".repeat(13)}`,
      "+ 3 special      1.00",
      "sum              2.47",
    ]);
    const legend = heatLegend(coloured);
    for (const bound of STEP_BOUNDS) expect(legend).toContain(` ${bound.toFixed(1)} `);
  });

  it("names the special tokens where there is room", () => {
    const long = "a-rather-long-name-of-a-word";
    const wide = matchesOf(tokensOf(long, ["[CLS]", "[Q]"], ["[MASK]", "[MASK]"]), tokensOf(long), []);
    const lines = drawMatches(describeMatches(wide, long, long), long, { ...plain, width: 100 });
    expect(lines.join("\n")).toContain("+ 4 special tokens: [CLS] [Q] [MASK]x2");
  });

  it("uses 16 colours where there are no more", () => {
    const heat = createHeat(terminal, { TERM: "xterm" });
    expect(heat.paint("x", 7)).toBe("\u001b[41;97mx\u001b[0m");
    expect(heat.paint("x", 0)).toBe("x");
    expect(heat.paint("", 7)).toBe("");
    expect(createHeat(terminal, { TERM: "xterm", NO_COLOR: "1" }).enabled).toBe(false);
  });

  it("keeps to its columns, wide characters included, and lets nothing through to the terminal", () => {
    const word = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.constantFrom(
        "検索エンジン",
        "\u001b[2J",
        "a\u009b1m",
        "👩‍👩‍👧",
        "مرحبا",
        "\u202eabc",
        "x".repeat(90),
      ),
    );
    const similarity = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 6 }),
        fc.array(word, { minLength: 1, maxLength: 20 }),
        fc.array(similarity, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 37, max: 120 }),
        fc.boolean(),
        (asked, found, values, width, colours) => {
          const query = asked.join(" ");
          const text = found.join(" ");
          const from = tokensOf(query, ["[CLS]"]);
          const to = tokensOf(text, ["[CLS]"]);
          const places = values.map((value, i) => [i % from.length, (i * 7) % to.length, value] as const);
          const style = { ...(colours ? coloured : plain), width };
          const lines = drawMatches(describeMatches(matchesOf(from, to, places), query, text), text, style);
          for (const line of lines) {
            const bare = stripVTControlCharacters(line);
            expect(textWidth(bare)).toBeLessThanOrEqual(width);
            expect(bare).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
            if (!colours) expect(line).toBe(bare);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("flow", () => {
  it("loses nothing but white space", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.integer({ min: 2, max: 50 }), (text, width) => {
        const written = flow(text, [{ start: 3, end: 9, mark: 1 }], width)
          .flat()
          .map((part) => part.text)
          .join("");
        expect(written.replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
      }),
    );
  });

  it("breaks text without spaces", () => {
    const lines = flow("検索検索検索", [], 5).map((line) => line.map((part) => part.text).join(""));
    expect(lines).toEqual(["検索", "検索", "検索"]);
  });
});

describe("bars", () => {
  it("have half columns, in ASCII whole ones", () => {
    expect([0, -1, 0.5, 0.55, 1, 2].map((share) => drawBar(share, 10, true))).toEqual([
      "",
      "",
      "━━━━━",
      "━━━━━╸",
      "━".repeat(10),
      "━".repeat(10),
    ]);
    expect(drawBar(0.55, 10, false)).toBe("######");
  });

  it.each([
    [{ LANG: "de_DE.UTF-8" }, "linux", true],
    [{ LANG: "de_DE.UTF-8", LC_ALL: "C" }, "linux", false],
    [{ LC_CTYPE: "C.utf8", LANG: "C" }, "linux", true],
    [{ LC_ALL: "", LANG: "C" }, "linux", false],
    [{}, "linux", false],
    [{}, "win32", true],
  ] as const)("are Unicode by the locale: %o on %s: %s", (env, platform, expected) => {
    expect(takesUnicode({ ...env }, platform)).toBe(expected);
  });
});

describe("hits with matches", () => {
  it("draw the passage in the place of the snippet, with what was fused", () => {
    const hit = { rank: 1, score: 0.0312, id: "x", snippet: { text: "snippet", highlights: [] } };
    const explained = {
      ...hit,
      remark: "late 2.47, lexical 7.10",
      explained: { matches: described, text: TEXT },
    };
    const shown = renderHits([explained, { ...hit, rank: 2 }], { ...plain, width: 60 });
    expect(shown).toMatch(/^1 {2}0\.0312 {2}x\n {3}late 2\.47, lexical 7\.10\n {3}Glue a patch/);
    expect(shown).toContain("\n\n   query   passage");
    expect(shown).toMatch(/\n\n2 {2}0\.0312 {2}x\n {3}snippet\n$/);
    expect(shown).not.toMatch(/ $/m);
  });
});

describe("resultJson", () => {
  const hit = { rank: 1, score: 1, id: "x", matches } as unknown as SearchResult["hits"][number];
  const result: SearchResult = { hits: [hit], generation: 1, truncated: false, notes: ["odd"] };

  it("rounds similarities, and leaves matches out where nobody asked", () => {
    const [shown] = (resultJson(result, { explain: true }) as { hits: Array<{ matches: typeof matches }> })
      .hits;
    expect(shown!.matches.choices[1]).toEqual({ passage: 4, similarity: 0.83 });
    expect(shown!.matches.similarities[1]!.slice(0, 5)).toEqual([0.1, 0.1, 0.1, 0.1, 0.83]);
    expect(resultJson(result, { explain: false })).toEqual({
      hits: [{ rank: 1, score: 1, id: "x" }],
      generation: 1,
      truncated: false,
      notes: ["odd"],
    });
  });
});
