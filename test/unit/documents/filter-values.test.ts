/** Path patterns, dates, order of strings, and names of fields: the parts of filters. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { looksLikeDate, parseDate } from "../../../src/documents/filter/dates.js";
import { globMatcher, globProblem } from "../../../src/documents/filter/glob.js";
import { metadataFields, unknownFields } from "../../../src/documents/filter/known-fields.js";
import { compareText } from "../../../src/documents/filter/match-filter.js";
import type { Metadata } from "../../../src/documents/types.js";

const matches = (pattern: string, path: string): boolean => globMatcher(pattern)(path);

/** The pattern as a regular expression, which is exact and may take forever. */
function slowMatcher(pattern: string): RegExp {
  const names = pattern.split("/").map((name) => {
    if (name === "**") return undefined;
    const source = name.replace(/\*+|\?|[^*?]/gu, (piece) =>
      piece.startsWith("*") ? "[^/]*" : piece === "?" ? "[^/]" : piece.replace(/[.\\^$+()[\]{}|]/g, "\\$&"),
    );
    return source;
  });
  if (!pattern.startsWith("/")) names.unshift(undefined);
  // Each name of the path ends with a slash here, also the last one.
  const source = names.map((name) => (name === undefined ? "(?:[^/]*/)*" : `${name}/`)).join("");
  return new RegExp(`^${source}$`, "su");
}

describe("path patterns", () => {
  it.each([
    ["*.md", "a.md", true],
    ["*.md", "docs/a.md", true],
    ["*.md", "/home/me/a.md", true],
    ["*.md", "a.md/b", false],
    ["docs/*.md", "/home/me/docs/a.md", true],
    ["docs/*.md", "/home/me/docs/x/a.md", false],
    ["docs/*.md", "/home/me/mydocs/a.md", false],
    ["docs/**/*.md", "docs/a.md", true],
    ["docs/**/*.md", "/home/docs/x/y/a.md", true],
    ["docs/**", "docs/x/y", true],
    ["/docs/*.md", "/docs/a.md", true],
    ["/docs/*.md", "/home/docs/a.md", false],
    ["/**/a.md", "/home/docs/a.md", true],
    ["**", "", true],
    ["a?c", "abc", true],
    ["a?c", "a😀c", true],
    ["a?c", "a/c", false],
    ["[a-c]x", "bx", true],
    ["[a-c]x", "dx", false],
    ["[!a-c]x", "dx", true],
    ["[^a-c]x", "bx", false],
    ["[]a]", "]", true],
    ["[a-]", "-", true],
    ["[\\]]", "]", true],
    ["[😀-😂]", "😁", true],
    ["*[!😀]", "😀", false],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["\\{a\\}", "{a}", true],
    ["a**b", "axyb", true],
    ["a**b", "a/b", false],
    ["A.md", "a.md", false],
    ["docs/*.md", "C:\\docs\\a.md", true],
    ["C:/docs/*", "C:\\docs\\a.md", true],
    ["C:/*", "D:\\C:\\a", false],
    ["docs/*", "\\\\server\\docs\\a", true],
    ["a\\\\b", "a\\b", true],
    ["b", "a\\b", false],
  ])("%s finds %s: %s", (pattern, path, expected) => {
    expect(globProblem(pattern)).toBeUndefined();
    expect(matches(pattern, path)).toBe(expected);
  });

  it.each([
    ["*.{md,txt}", "has a {, and alternatives in braces are not known"],
    ["[ab", "has a [ that is not closed before the next / or the end"],
    ["[a/b]", "has a [ that is not closed before the next / or the end"],
    ["[", "has a [ that is not closed before the next / or the end"],
    ["[b-a]", "has the empty range b-a"],
    ["a\\", "has a backslash with nothing behind it in its name"],
    ["docs\\/a", "has a backslash with nothing behind it in its name"],
  ])("refuses %s", (pattern, problem) => {
    expect(globProblem(pattern)).toMatchObject({ problem });
  });

  it("match as a regular expression would", () => {
    const pattern = fc.array(fc.constantFrom("a", "b", "*", "**", "?", "/", "/**/", ".", "😀"), {
      maxLength: 7,
    });
    const path = fc.array(fc.constantFrom("a", "b", "/", ".", "😀", "ab"), { maxLength: 8 });
    let found = 0;
    fc.assert(
      fc.property(pattern, path, (patternParts, pathParts) => {
        const expected = slowMatcher(patternParts.join("")).test(`${pathParts.join("")}/`);
        if (expected) found++;
        expect(matches(patternParts.join(""), pathParts.join(""))).toBe(expected);
      }),
      { numRuns: 3000 },
    );
    expect(found).toBeGreaterThan(200);
  });

  it("take no longer than both lengths make them", () => {
    const start = performance.now();
    expect(matches(`${"*a".repeat(100)}b`, "a".repeat(2000))).toBe(false);
    expect(matches(`${"**/a/".repeat(100)}b`, "a/".repeat(1000))).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("dates", () => {
  it.each([
    ["2024-05-31", "2024-05-31T00:00:00.000Z"],
    ["2024-05-31T10:20", "2024-05-31T10:20:00.000Z"],
    ["2024-05-31 10:20:30", "2024-05-31T10:20:30.000Z"],
    ["2024-05-31T10:20:30.5Z", "2024-05-31T10:20:30.500Z"],
    ["2024-05-31T10:20:30.123999999+02:00", "2024-05-31T08:20:30.123Z"],
    ["2024-05-31T10:20-0130", "2024-05-31T11:50:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["2000-02-29", "2000-02-29T00:00:00.000Z"],
    ["0000-01-01", "0000-01-01T00:00:00.000Z"],
    ["0099-12-31", "0099-12-31T00:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
  ])("%s is %s", (text, iso) => {
    expect(new Date(parseDate(text)!).toISOString()).toBe(iso);
  });

  it.each([
    "",
    "2024",
    "2024-05",
    "2024-5-31",
    "24-05-31",
    "2023-02-29",
    "1900-02-29",
    "2024-04-31",
    "2024-00-01",
    "2024-13-01",
    "2024-01-00",
    "2024-05-31T",
    "2024-05-31T10",
    "2024-05-31T24:00",
    "2024-05-31T10:60",
    "2024-05-31T10:20:60",
    "2024-05-31T10:20+24:00",
    "2024-05-31T10:20+02",
    "2024-05-31Z",
    " 2024-05-31",
    "2024-05-31\n",
    "20240531",
    "now",
  ])("%j is none", (text) => {
    expect(parseDate(text)).toBeUndefined();
  });

  it("agree with Date on what both know", () => {
    const time = fc.date({
      min: new Date("0000-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(time, (date) => {
        expect(parseDate(date.toISOString())).toBe(date.getTime());
        expect(looksLikeDate(date.toISOString())).toBe(true);
      }),
    );
  });
});

describe("compareText", () => {
  it("orders as UTF-8 bytes do", () => {
    const text = fc.string({ unit: "binary", maxLength: 4 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("known fields", () => {
  it("are the names that filters use", () => {
    const metadata: Metadata = {
      lang: "en",
      author: { name: "x", "full name": "y" },
      tags: ["a"],
      title: 1,
      "a.b": null,
    };
    expect(metadataFields(metadata)).toEqual([
      "lang",
      "author",
      "author.name",
      'author."full name"',
      "tags",
      "metadata.title",
      '"a.b"',
    ]);
  });

  it("are offered for those that do not exist", () => {
    const existing = ["lang", "author.name", "author.email", "year", "tags", "created_at"];
    expect(unknownFields(["lang", "id", "path"], existing)).toEqual([]);
    expect(unknownFields(["lnag", "Year", "name", "created", "tag", "zzz"], existing)).toEqual([
      { field: "lnag", nearest: ["lang"] },
      { field: "Year", nearest: ["year"] },
      { field: "name", nearest: ["author.name"] },
      { field: "created", nearest: [] },
      { field: "tag", nearest: ["tags"] },
      { field: "zzz", nearest: [] },
    ]);
  });
});
