import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseQuery, plainQuery } from "../../../src/lexical/query.js";

/** The text that its places lead to. */
const traced = (query: string, { text, places }: { text: string; places: readonly number[] }): string =>
  [...places].map((place, i) => (text[i] === " " ? " " : query[place])).join("");

describe("places of a query's text in what was written", () => {
  test.each([
    ['  "to be" or  not -this', "to be or not"],
    ['find " two words "?', "find two words?"],
    ['-"not this" that', "that"],
    ["a-b -c  d", "a-b d"],
    ["", ""],
  ])("%j", (query, text) => {
    const parsed = parseQuery(query);
    expect(parsed.text).toBe(text);
    expect(traced(query, parsed)).toBe(text);
  });

  test("ascend and lead to the same characters", () => {
    const parts = fc.constantFrom(
      "word",
      '"',
      "-",
      " ",
      "\n",
      "\u00a0",
      "😀",
      '"a b"',
      '-"c d"',
      "-e",
      ".",
      "é",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (pieces) => {
        const query = pieces.join("");
        for (const parsed of [parseQuery(query), plainQuery(query)]) {
          expect(parsed.places).toHaveLength(parsed.text.length);
          expect(parsed.text).toBe(parsed.text.trim());
          parsed.places.forEach((place, i) => {
            if (i > 0) expect(place).toBeGreaterThan(parsed.places[i - 1]!);
            if (parsed.text[i] !== " ") expect(query[place]).toBe(parsed.text[i]);
          });
        }
      }),
    );
  });
});
