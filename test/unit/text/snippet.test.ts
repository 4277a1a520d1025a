import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeSnippet } from "../../../src/text/snippet.js";
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
