import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatOf, isRich, recordKindOf } from "../../../src/text/formats.js";
import { LineMap } from "../../../src/text/lines.js";
import { placeOfPassage, positionUnitOf, recordUnitOf } from "../../../src/text/positions.js";
import { splitDocument } from "../../../src/text/split.js";

test.each([
  ["paper.pdf", "pdf"],
  ["a/b.DOCX", "docx"],
  ["book.epub", "epub"],
  ["lab.ipynb", "notebook"],
  ["notes.md", "markdown"],
  ["a.pdf/readme", "plain"],
  [".pdf", "pdf"],
  ["x.ts", "code"],
] as const)("%s is read as %s", (path, format) => {
  expect(formatOf(path)).toBe(format);
  expect(isRich(format)).toBe(["pdf", "docx", "epub", "notebook"].includes(format));
});

test.each([
  ["a.jsonl", { format: "jsonl" }],
  ["a.ndjson", { format: "jsonl" }],
  ["a.NDJSON.GZ", { format: "jsonl", compression: "gzip" }],
  ["a.csv.zst", { format: "csv", compression: "zstd" }],
  ["a.tsv.gz", { format: "tsv", compression: "gzip" }],
  ["a.parquet", { format: "parquet" }],
  ["a.parquet.gz", undefined],
  ["a.txt.gz", undefined],
  ["jsonl", undefined],
])("%s holds records: %j", (path, kind) => {
  expect(recordKindOf(path)).toEqual(kind);
});

describe("places", () => {
  test.each([
    ["/d/notes.md", undefined, 12, "/d/notes.md:12"],
    ["/d/paper.pdf", undefined, 3, "/d/paper.pdf#page=3"],
    ["/d/lab.ipynb", undefined, 4, "/d/lab.ipynb#cell=4"],
    ["/d/book.epub", undefined, 2, "/d/book.epub#chapter=2"],
    ["/d/letter.docx", undefined, 9, "/d/letter.docx#paragraph=9"],
    ["/d/data.jsonl.gz", 7, 1, "/d/data.jsonl.gz:7"],
    ["/d/data.parquet", 7, 1, "/d/data.parquet#row=7"],
  ])("in %s", (path, line, lineStart, place) => {
    expect(placeOfPassage({ path, ...(line === undefined ? {} : { line }) }, lineStart)).toBe(place);
  });

  test("of records count lines in the text of the record", () => {
    expect([positionUnitOf("a.parquet"), recordUnitOf("a.parquet")]).toEqual(["line", "row"]);
    expect([positionUnitOf("a.csv"), recordUnitOf("a.csv")]).toEqual(["line", "line"]);
    expect(positionUnitOf(undefined)).toBe("line");
  });
});

describe("pages", () => {
  test("have many lines: only marks go on", () => {
    const text = "one\ntwo\n\nthree\nfour";
    const lines = [
      { offset: 0, line: 4 },
      { offset: 9, line: 7 },
    ];
    const span = (path: string) => {
      const [whole] = splitDocument(
        { text, lines, source: { path } },
        { budget: 100, countTokens: (part) => part.split(/\s+/).length },
      );
      return [whole!.lineStart, whole!.lineEnd];
    };
    expect(span("a.ipynb")).toEqual([4, 7]);
    expect(span("a.pdf")).toEqual([4, 4]);
    expect(span("a.docx")).toEqual([4, 8]);
    expect(span("a.txt")).toEqual([4, 8]);
  });

  test("share no passage", () => {
    const text = Array.from({ length: 6 }, (_, i) => `Page ${i + 1} has a sentence. And another one.`).join(
      "\n\n",
    );
    const lines = [...text.matchAll(/Page \d/g)].map(({ index }, i) => ({ offset: index, line: i + 1 }));
    const options = { budget: 20, countTokens: (part: string) => part.split(/\s+/).length };
    const spans = splitDocument({ text, lines, source: { path: "a.pdf" } }, options);
    expect(spans.map(({ lineStart, lineEnd }) => [lineStart, lineEnd])).toEqual(
      Array.from({ length: 6 }, (_, i) => [i + 1, i + 1]),
    );
    expect(spans.map(({ start, end }) => text.slice(start, end)).join("\n\n")).toBe(text);
    expect(splitDocument({ text, lines }, options)).toHaveLength(3);
  });

  test("are what the last mark before an offset says", () => {
    const marks = fc.uniqueArray(fc.record({ offset: fc.nat(60), line: fc.integer({ min: 1, max: 9 }) }), {
      selector: ({ offset }) => offset,
    });
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "\n"), maxLength: 60 }),
        marks,
        fc.nat(60),
        (text, some, at) => {
          const sorted = [...some].sort((a, b) => a.offset - b.offset);
          const expected = sorted.findLast(({ offset }) => offset <= at)?.line ?? 1;
          expect(new LineMap(text, sorted, false).lineAt(at)).toBe(expected);
        },
      ),
    );
  });
});
