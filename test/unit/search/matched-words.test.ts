import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchedWords, type PlacedTokens } from "../../../src/search/matched-words.js";
import type { TokenSimilarities } from "../../../src/search/token-matches.js";

/** A text cut into tokens by `|`, with a special token before and after it. */
function tokensOf(cut: string): { text: string; tokens: PlacedTokens; count: number } {
  const pieces = cut.split("|");
  const starts = [-1];
  const ends = [-1];
  let at = 0;
  for (const piece of pieces) {
    starts.push(at + piece.length - piece.trimStart().length);
    at += piece.length;
    ends.push(at);
  }
  starts.push(-1);
  ends.push(-1);
  const tokens = { starts: Int32Array.from(starts), ends: Int32Array.from(ends) };
  return { text: pieces.join(""), tokens, count: starts.length };
}

/** Similarities of 0.1, but those that are named by the characters of two tokens. */
function similar(
  query: ReturnType<typeof tokensOf>,
  passage: ReturnType<typeof tokensOf>,
  named: ReadonlyArray<readonly [string, string, number]>,
): TokenSimilarities {
  const values = new Float32Array(query.count * passage.count).fill(0.1);
  const called = ({ text, tokens }: typeof query, i: number): string =>
    tokens.starts[i]! < 0 ? "" : text.slice(tokens.starts[i], tokens.ends[i]);
  for (let q = 0; q < query.count; q++) {
    for (let t = 0; t < passage.count; t++) {
      for (const [a, b, value] of named) {
        if (called(query, q) === a && called(passage, t) === b) values[q * passage.count + t] = value;
      }
    }
  }
  const choices = new Uint32Array(query.count);
  return { queryTokens: query.count, passageTokens: passage.count, values, choices };
}

function found(
  cutQuery: string,
  cutPassage: string,
  named: ReadonlyArray<readonly [string, string, number]>,
): string[] {
  const [query, passage] = [tokensOf(cutQuery), tokensOf(cutPassage)];
  const matches = matchedWords(query, passage, similar(query, passage, named));
  return matches.map(({ start, end, key }) => `${key}: ${passage.text.slice(start, end)}`);
}

const FILLER = "| one| more| word| and| so| on| to| the| end";

describe("words that a query found", () => {
  test("need no letter in common", () => {
    expect(
      found("plane| crash", `The| aviation| accident${FILLER}`, [
        ["plane", "aviation", 0.7],
        ["crash", "accident", 0.8],
      ]),
    ).toEqual(["plan: aviation", "crash: accident"]);
  });

  test("are well above what the token reaches elsewhere", () => {
    const everywhere = ["The", "aviation", "accident", "one", "more", "word", "so", "end"].map(
      (word) => ["plane", word, 0.55] as const,
    );
    expect(found("plane", `The| aviation| accident${FILLER}`, everywhere)).toEqual([]);
    expect(found("plane", `The| aviation| accident${FILLER}`, [["plane", "aviation", 0.35]])).toEqual([]);
  });

  test("are whole words, though their tokens are pieces", () => {
    expect(
      found("dehydro|gen|ase", `A| dehydro|genase| at| work${FILLER}`, [
        ["dehydro", "dehydro", 0.9],
        ["gen", "genase", 0.8],
        ["ase", "genase", 0.7],
      ]),
    ).toEqual(["dehydrogenas: dehydrogenase"]);
  });

  test("are not those in which one piece of many was found", () => {
    expect(found("bio|mate|rial|s", `The| mat|rix${FILLER}`, [["mate", "mat", 0.6]])).toEqual([]);
  });

  test("are all that match nearly as well as the best", () => {
    const similarities = [
      ["alcohol", "alcohol", 0.9],
      ["alcohol", "drinking", 0.85],
      ["alcohol", "liver", 0.5],
    ] as const;
    expect(found("alcohol", `alcohol| is| drinking| for| the| liver${FILLER}`, similarities)).toEqual([
      "alcohol: alcohol",
      "alcohol: drinking",
    ]);
  });

  test("are the query's own word at less", () => {
    const similarities = [
      ["greys", "hospital", 0.9],
      ["greys", "Grey", 0.55],
      ["greys", "doctor", 0.55],
    ] as const;
    expect(found("greys", `The| doctor| Grey| in| hospital${FILLER}`, similarities)).toEqual([
      "grey: Grey",
      "grey: hospital",
    ]);
  });

  test("are never words such as 'the', unless the query has no others", () => {
    const similarities = [
      ["the", "The", 0.9],
      ["the", "the", 0.9],
      ["mat", "The", 0.9],
    ] as const;
    expect(found("the| mat", `The| mat${FILLER}`, similarities)).toEqual([]);
    expect(found("the", `The| mat${FILLER}`, similarities)).toEqual(["the: The", "the: the"]);
  });

  test("punctuation and special tokens find nothing", () => {
    expect(found("?| !", `The| mat${FILLER}`, [["?", "mat", 0.9]])).toEqual([]);
  });
});

test("whatever the similarities, matches ascend and are words of the passage", () => {
  const query = tokensOf("why| do| moun|tains| ex|plode");
  const passage = tokensOf(`Gas| in| mol|ten| rock| expands${FILLER}`);
  const count = query.count * passage.count;
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: count, maxLength: count }),
      (all) => {
        const similarities = {
          queryTokens: query.count,
          passageTokens: passage.count,
          values: Float32Array.from(all),
          choices: new Uint32Array(query.count),
        };
        let last = 0;
        for (const { start, end, weight } of matchedWords(query, passage, similarities)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(passage.text.slice(start, end)).toMatch(/^\p{L}+$/u);
          expect(weight).toBeGreaterThan(0);
          expect(weight).toBeLessThanOrEqual(2);
          last = start;
        }
      },
    ),
  );
});
