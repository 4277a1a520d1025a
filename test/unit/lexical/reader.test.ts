import Database from "better-sqlite3";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { LexicalReader } from "../../../src/lexical/reader.js";
import {
  hasLexicalTable,
  isLexicalSchema,
  LexicalWriter,
  lexicalSchema,
} from "../../../src/lexical/table.js";
import { queryTerms } from "../../../src/lexical/terms.js";
import { LEXICAL_KINDS, type LexicalKind } from "../../../src/lexical/types.js";
import { bm25 } from "../../support/bm25.js";

const opened: Database.Database[] = [];
afterEach(() => {
  for (const db of opened.splice(0)) db.close();
});

/** A table whose row i holds text i; rows are [context, text] or a text alone. */
function tableOf(rows: readonly (string | readonly [string, string])[], kind: LexicalKind = "english") {
  const db = new Database(":memory:");
  opened.push(db);
  db.exec(lexicalSchema(kind)!);
  const writer = new LexicalWriter(db);
  rows.forEach((row, i) => {
    const [context, text] = typeof row === "string" ? ["", row] : row;
    writer.add(i, context, text);
  });
  const reader = new LexicalReader(db);
  const everything = new Uint8Array(rows.length).fill(1);
  const search = (query: string, options: { accepted?: Uint8Array; limit?: number; budget?: number } = {}) =>
    reader.search({
      terms: queryTerms(query, kind),
      accepted: everything,
      limit: 100,
      passages: rows.length,
      budget: 1e9,
      ...options,
    });
  const numbers = (query: string, options = {}) =>
    search(query, options).found.map(({ passageNo }) => passageNo);
  return { db, reader, search, numbers };
}

describe("the table", () => {
  it("is known by its statement in every kind but off", () => {
    for (const kind of LEXICAL_KINDS) {
      const sql = lexicalSchema(kind);
      expect(sql === null).toBe(kind === "off");
      if (sql !== null) expect(isLexicalSchema(sql)).toBe(true);
    }
    expect(isLexicalSchema("CREATE TABLE lexical (x)")).toBe(false);
  });

  it("is written only where there is one", () => {
    const db = new Database(":memory:");
    opened.push(db);
    expect(hasLexicalTable(db)).toBe(false);
    const writer = new LexicalWriter(db);
    expect(writer.writes).toBe(false);
    writer.add(1, "", "text");
  });
});

describe("search", () => {
  it("scores as the formula of BM25", () => {
    const word = fc.constantFrom("alpha", "beta", "gamma", "delta", "epsilon");
    const text = fc.array(word, { minLength: 1, maxLength: 12 });
    const query = fc.uniqueArray(word, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 12 }), query, (texts, terms) => {
        const { search } = tableOf(
          texts.map((words) => words.join(" ")),
          "words",
        );
        const expected = bm25(texts, terms)
          .map((score, passageNo) => ({ passageNo, score }))
          .filter(({ score }) => score > 0);
        const { found } = search(terms.join(" "));
        expect(found.length).toBe(expected.length);
        for (const { passageNo, score } of found) {
          expect(score).toBeCloseTo(expected.find((entry) => entry.passageNo === passageNo)!.score, 6);
        }
        const order = found.map(({ score }) => score);
        expect(order).toEqual([...order].sort((a, b) => b - a));
      }),
      { numRuns: 50 },
    );
  });

  it("finds endings, accents and any case in the kind english", () => {
    const { numbers } = tableOf(["Running dogs", "a café", "bread"]);
    expect(numbers("dog runs")).toEqual([0]);
    expect(numbers("CAFE")).toEqual([1]);
  });

  it("finds identifiers by their parts and by the whole", () => {
    const { numbers } = tableOf([
      "call readFileSync now",
      "call read_file_sync now",
      "see os.path.join",
      "nothing",
    ]);
    expect(numbers("readFileSync").sort()).toEqual([0, 1]);
    expect(numbers("read_file_sync").sort()).toEqual([0, 1]);
    expect(numbers("sync").sort()).toEqual([0, 1]);
    expect(numbers("path")).toEqual([2]);
    expect(numbers("ospathjoin")).toEqual([2]);
  });

  it("finds what stands inside of words in the kind trigrams", () => {
    const { numbers } = tableOf(["東京都の天気予報", "大阪の天気"], "trigrams");
    expect(numbers("天気予報")).toEqual([0]);
  });

  it("weighs titles and headings more", () => {
    const { numbers } = tableOf([
      ["", "salt and bread and water"],
      ["bread", "salt and flour and water"],
    ]);
    expect(numbers("bread")).toEqual([1, 0]);
  });

  it("leaves out what is not accepted, and fills up to the limit with the rest", () => {
    const { numbers } = tableOf(["word word word", "word word", "word", "word other"]);
    const accepted = Uint8Array.of(0, 1, 0, 1);
    expect(numbers("word", { accepted }).sort()).toEqual([1, 3]);
    expect(numbers("word", { accepted, limit: 1 })).toHaveLength(1);
    expect(numbers("word", { accepted: Uint8Array.of(1) })).toEqual([0]);
  });

  it("leaves out the most frequent terms beyond its budget, never the rarest", () => {
    const texts = Array.from({ length: 40 }, (_, i) => (i === 7 ? "common rare" : "common"));
    const { numbers } = tableOf(texts);
    expect(numbers("common rare", { budget: 10 })).toEqual([7]);
    expect(numbers("common", { budget: 10 })).toHaveLength(40);
    expect(numbers("common rare", { budget: 100 })).toHaveLength(40);
  });

  it("tells what a passage with all terms would score", () => {
    const { search } = tableOf(["alpha beta", "alpha", "gamma", "delta", "epsilon"]);
    const { scale, found } = search("beta gamma");
    expect(scale).toBeCloseTo(2 * Math.log((5 - 1 + 0.5) / (1 + 0.5)), 10);
    expect(found[0]!.score).toBeLessThanOrEqual(2.2 * scale);
    expect(search("unknown")).toEqual({ found: [], scale: 0 });
  });

  it("takes nothing that a user types for syntax", () => {
    const { search, reader } = tableOf(["a text", "NEAR AND OR NOT"]);
    const nasty = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(
        '"',
        '""',
        "a AND",
        "NEAR(a b)",
        "text:x",
        "a*",
        "^a",
        "{a}",
        "(",
        "-a",
        "a\0b",
        "'; DROP TABLE x",
      ),
    );
    fc.assert(
      fc.property(nasty, (query) => {
        search(query);
        reader.passagesWith(query);
      }),
    );
  });
});

describe("passagesWith", () => {
  it("finds words side by side, in their order", () => {
    const { reader } = tableOf(["the sour dough rests", "dough that is sour", "sour, dough"]);
    expect(reader.passagesWith("sour dough")).toEqual([0, 2]);
    expect(reader.passagesWith("nothing of this")).toEqual([]);
  });

  it("does not find phrases across title and text", () => {
    const { reader } = tableOf([["sour", "dough"]]);
    expect(reader.passagesWith("sour dough")).toEqual([]);
  });
});
