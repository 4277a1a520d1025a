/** What the options of `maxsim search` mean. */
import { describe, expect, it } from "vitest";
import type { SearchCommandOptions } from "../../../src/cli/commands/search.js";
import { numberOption } from "../../../src/cli/option-values.js";
import { pathFilter, pathOption } from "../../../src/cli/path-option.js";
import { conditionWords, searchOptions } from "../../../src/cli/search-options.js";
import { sinceOption } from "../../../src/cli/since-option.js";
import { matchesFilter } from "../../../src/documents/filter/match-filter.js";
import { parseFilter } from "../../../src/documents/filter/parse-filter.js";

const options = (over: Partial<SearchCommandOptions> = {}): SearchCommandOptions => ({ k: 10, ...over });

describe("--since", () => {
  const now = new Date("2024-03-31T15:30:00Z");

  it.each([
    ["2023-07-01", "2023-07-01T00:00:00.000Z"],
    ["2023-07-01T10:00+02:00", "2023-07-01T08:00:00.000Z"],
    ["2023-07", "2023-07-01T00:00:00.000Z"],
    ["2023", "2023-01-01T00:00:00.000Z"],
    ["today", "2024-03-31T00:00:00.000Z"],
    [" yesterday ", "2024-03-30T00:00:00.000Z"],
    ["90h", "2024-03-27T21:30:00.000Z"],
    ["7d", "2024-03-24T00:00:00.000Z"],
    ["2w", "2024-03-17T00:00:00.000Z"],
    ["1mo", "2024-02-29T00:00:00.000Z"],
    ["13mo", "2023-02-28T00:00:00.000Z"],
    ["1y", "2023-03-31T00:00:00.000Z"],
    ["0d", "2024-03-31T00:00:00.000Z"],
  ])("%s is from %s on", (text, expected) => expect(sinceOption(text, now)).toBe(expected));

  it.each(["", "x", "7", "7m", "-1d", "2024-13", "2024-02-30", "last week", "99999d"])(
    "refuses %j",
    (text) => {
      expect(() => sinceOption(text, now)).toThrow(
        expect.objectContaining({
          code: "INVALID_ARGUMENT",
          message: `--since takes a date or a time span, found ${JSON.stringify(text)}`,
          hint: expect.stringContaining("7d"),
        }),
      );
    },
  );
});

describe("--path", () => {
  const finds = (pattern: string, path: string): boolean =>
    matchesFilter(pathFilter(pattern, "/home/me/[a]"), { id: "x", source: { path } });

  it.each([
    ["docs", "/home/me/docs/a.md", true],
    ["docs/", "/home/me/docs/deep/a.md", true],
    ["docs", "/home/me/docs.md", false],
    ["docs/**", "/home/me/docs/deep/a.md", true],
    ["*.md", "/home/me/docs/a.md", true],
    ["*.md", "/home/me/docs/a.txt", false],
    ["/home/me", "/home/me/a.md", true],
    ["/", "/home/me/a.md", true],
    ["**", "/home/me/a.md", true],
    [".", "/home/me/[a]/a.md", true],
    [".", "/home/me/a/a.md", false],
    ["./b/*.md", "/home/me/[a]/b/a.md", true],
    ["./b/*.md", "/elsewhere/b/a.md", false],
    ["../*.md", "/home/me/a.md", true],
    ["../..", "/home/you/a.md", true],
    ["./../x", "/home/me/x/a.md", true],
  ])("%s: %s %s", (pattern, path, expected) => expect(finds(pattern, path)).toBe(expected));

  it("refuses what is no pattern", () => {
    expect(() => pathFilter("a[")).toThrow(
      expect.objectContaining({ code: "INVALID_FILTER", message: expect.stringContaining("--path") }),
    );
  });

  it("may be given again", () => expect(pathOption("b", pathOption("a"))).toEqual(["a", "b"]));
});

describe("searchOptions", () => {
  it("leaves out what was not asked for", () => expect(searchOptions(options())).toEqual({ k: 10 }));

  it("hands on modes and syntax", () => {
    expect(
      searchOptions(options({ mode: "hybrid", alpha: 0.3, fusion: "scores", plain: true, effort: "exact" })),
    ).toEqual({
      k: 10,
      mode: "hybrid",
      fusion: { method: "scores", alpha: 0.3 },
      syntax: "plain",
      effort: "exact",
    });
  });

  it("joins filters: any of the paths, and all the rest", () => {
    const filter = parseFilter("lang = en");
    expect(searchOptions(options({ filter })).filter).toEqual(filter);
    const since = "2024-01-01T00:00:00.000Z";
    const given = options({ filter, path: ["a", "b"], since });
    const { filter: joined } = searchOptions(given, parseFilter("date >= 2024-01-01"));
    expect(conditionWords(given)).toEqual(['where lang = "en"', "from a or b", "since 2024-01-01"]);
    const document = { id: "x", metadata: { lang: "en", date: "2024-05-01" }, source: { path: "/b/x.md" } };
    expect(matchesFilter(joined!, document)).toBe(true);
    expect(matchesFilter(joined!, { ...document, source: { path: "/c/x.md" } })).toBe(false);
    expect(matchesFilter(joined!, { ...document, metadata: { lang: "de", date: "2024-05-01" } })).toBe(false);
    expect(matchesFilter(joined!, { ...document, metadata: { lang: "en", date: "2023-05-01" } })).toBe(false);
  });
});

describe("numbers", () => {
  it("are in their range", () => {
    const parse = numberOption("--alpha", 0, 1);
    expect(["0", "1", "0.25", "1e-1"].map(parse)).toEqual([0, 1, 0.25, 0.1]);
    for (const text of ["", " ", "x", "-0.1", "1.1", "NaN"]) {
      expect(() => parse(text)).toThrow(
        expect.objectContaining({ message: expect.stringContaining("--alpha") }),
      );
    }
  });
});
