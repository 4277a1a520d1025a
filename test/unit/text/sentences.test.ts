import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findSentences } from "../../../src/text/sentences.js";

const sentences = (text: string): string[] =>
  findSentences(text).map(({ start, end }) => text.slice(start, end));

describe("sentences", () => {
  test.each([
    ["One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]],
    [
      "See e.g. Smith et al. 2020 and Dr. Jones. Next.",
      ["See e.g. Smith et al. 2020 and Dr. Jones.", "Next."],
    ],
    ["As Fig. 3 and No. 7 show, it is 3.5 m. Done.", ["As Fig. 3 and No. 7 show, it is 3.5 m.", "Done."]],
    ["I said no. Then I left.", ["I said no.", "Then I left."]],
    ["J. R. Smith wrote it. We read it.", ["J. R. Smith wrote it.", "We read it."]],
    ['He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]],
    ["A line\nthat goes on. And\nmore.", ["A line\nthat goes on.", "And\nmore."]],
    ["今日は晴れ。明日は雨。", ["今日は晴れ。", "明日は雨。"]],
    ["1. First item. More.", ["1. First item.", "More."]],
    [" \n ", []],
  ])("of %j", (text, expected) => {
    expect(sentences(text)).toEqual(expected);
  });

  test("hold every visible character once, in order, also across windows", () => {
    const part = fc.constantFrom("word", " ", ". ", "\n", "e.g. ", "😀", "x".repeat(700), "? ", "\u00a0");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 200 }), (parts) => {
        const text = parts.join("");
        let at = 0;
        for (const { start, end } of findSentences(text)) {
          expect(text.slice(at, start).trim()).toBe("");
          expect(text.slice(start, end)).toBe(text.slice(start, end).trim());
          expect(end).toBeGreaterThan(start);
          at = end;
        }
        expect(text.slice(at).trim()).toBe("");
      }),
      { numRuns: 100 },
    );
  });
});
