import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeSnippet, type SnippetMatch, snippetOf } from "../../../src/text/snippet.js";
import { stemWord } from "../../../src/text/words.js";

const marked = (text: string, query: string): string[] => {
  const snippet = makeSnippet(text, query);
  return snippet.highlights.map(([start, end]) => snippet.text.slice(start, end));
};

describe("snippets", () => {
  const filler = "Nothing of interest stands in here. ".repeat(20);
  const answer = "To cancel running tasks, call the abort method of their controller.";

  test("show the sentence with most of the query's words", () => {
    const snippet = makeSnippet(filler + answer + filler, "how do I cancel a task?");
    expect(snippet.text.startsWith(answer)).toBe(true);
    expect(snippet.text.length).toBeLessThanOrEqual(240);
    expect([snippet.cutBefore, snippet.cutAfter]).toEqual([true, true]);
    expect(snippet.start).toBe(filler.length);
    expect(marked(filler + answer, "how do I cancel a task?")).toEqual(["cancel", "tasks"]);
  });

  test("are the beginning when no word matches", () => {
    const snippet = makeSnippet(`  ${filler}`, "zebra");
    expect(snippet.text.startsWith("Nothing of interest")).toBe(true);
    expect(snippet).toMatchObject({ start: 2, highlights: [], cutBefore: false, cutAfter: true });
    expect(makeSnippet("", "x")).toEqual({
      text: "",
      start: 0,
      highlights: [],
      cutBefore: false,
      cutAfter: false,
    });
  });

  test("match words without case, diacritics and endings", () => {
    expect(marked("Die CAFÉS\n\n öffnen", "cafe offnen")).toEqual(["CAFÉS", "öffnen"]);
    expect(marked("ＦＵＬＬ width", "full")).toEqual(["ＦＵＬＬ"]);
    expect(marked("東京の天気", "天気")).toEqual(["天", "気"]);
  });

  test("are one line", () => {
    expect(makeSnippet("a\n\n  b\tc", "b")).toMatchObject({ text: "a b c", highlights: [[2, 3]] });
  });

  test("of any text are within the length, and highlights are words in it", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.array(fc.constantFrom("alpha", "beta", "the", "😀", ". ", "\n"), { maxLength: 60 }),
        fc.integer({ min: 1, max: 100 }),
        (noise, words, maxLength) => {
          const text = `${words.join(" ")}${noise}${words.join(" ")}`;
          const snippet = makeSnippet(text, "alpha the 😀", { maxLength });
          expect(snippet.text.length).toBeLessThanOrEqual(maxLength);
          let last = 0;
          for (const [start, end] of snippet.highlights) {
            expect(start).toBeGreaterThanOrEqual(last);
            expect(["alpha", "the"]).toContain(stemless(snippet.text.slice(start, end)));
            last = end;
          }
          expect(last).toBeLessThanOrEqual(snippet.text.length);
          expect(/\p{Surrogate}/u.test(snippet.text)).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("snippets of matches", () => {
  const text = `${"Nothing of interest. ".repeat(20)}An aviation accident, well-known, near the lake. ${"More of it. ".repeat(30)}Lakes.`;
  const at = (word: string, key: string, weight: number): SnippetMatch => {
    const start = text.indexOf(word);
    return { start, end: start + word.length, key, weight };
  };
  const shown = (matches: readonly SnippetMatch[]): string[] => {
    const snippet = snippetOf(text, matches);
    return snippet.highlights.map(([start, end]) => snippet.text.slice(start, end));
  };

  test("are where the most weight is, each part of the query once", () => {
    const near = [at("aviation", "plane", 0.7), at("accident", "crash", 0.8)];
    const far = at("Lakes", "sea", 1.4);
    expect(shown([...near, far])).toEqual(["aviation accident"]);
    expect(shown([...near, { ...far, weight: 1.6 }])).toEqual(["Lakes"]);
    const repeated = [at("aviation", "plane", 0.7), { ...at("accident", "plane", 0.7) }];
    expect(shown([...repeated, { ...far, weight: 1 }])).toEqual(["Lakes"]);
  });

  test("join what stands side by side, with a hyphen or without, but not across punctuation", () => {
    const matches = [
      at("aviation", "a", 1),
      at("accident", "b", 1),
      at("well", "c", 1),
      at("known", "d", 1),
      at("near", "e", 1),
    ];
    expect(shown(matches)).toEqual(["aviation accident", "well-known", "near"]);
    const twice = [at("accident", "a", 1), at("accident", "b", 1)];
    expect(shown(twice)).toEqual(["accident"]);
  });

  test("are the beginning without matches", () => {
    expect(snippetOf(text, [])).toMatchObject({ start: 0, highlights: [], cutBefore: false });
  });
});

const stemless = (word: string): string =>
  stemWord(word) === stemWord("alpha") ? "alpha" : stemWord(word) === stemWord("the") ? "the" : word;

test("words of one family have one stem", () => {
  for (const family of [
    ["index", "indexes", "indexed", "indexing"],
    ["cache", "caches", "cached", "caching"],
    ["query", "queries"],
    ["cancel", "cancels", "cancelled", "cancelling"],
    ["process", "processes", "processing"],
    ["string", "strings"],
    ["run", "runs", "running"],
  ]) {
    expect(new Set(family.map(stemWord)).size).toBe(1);
  }
  expect(stemWord("thing")).toBe("thing");
});
