/** The text form of filters and their JSON form. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMaxsimError, type MaxsimError } from "../../../src/common/errors.js";
import { checkFilter } from "../../../src/documents/filter/check-filter.js";
import { filterFields, formatFilter } from "../../../src/documents/filter/format-filter.js";
import { parseFilter } from "../../../src/documents/filter/parse-filter.js";
import { FILTER_LIMITS, type Filter } from "../../../src/documents/filter/types.js";
import { filterArbitrary } from "./filter-support.js";

const equal = (field: string, value: unknown): unknown => ({ op: "=", field, value });

/** The error that `work` must throw: INVALID_FILTER, nothing else. */
function errorOf(work: () => unknown): MaxsimError {
  try {
    work();
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_FILTER" });
    return error as MaxsimError;
  }
  throw new Error("nothing was thrown");
}

describe("the text form", () => {
  it("gives the documented JSON", () => {
    expect(parseFilter("lang = en and year >= 2020 and not tags has draft")).toEqual({
      op: "and",
      filters: [
        { op: "=", field: "lang", value: "en" },
        { op: ">=", field: "year", value: 2020 },
        { op: "not", filter: { op: "has", field: "tags", value: "draft" } },
      ],
    });
    expect(parseFilter('path glob "docs/**/*.md"')).toEqual({
      op: "glob",
      field: "path",
      value: "docs/**/*.md",
    });
    expect(parseFilter("exists author.name")).toEqual({ op: "exists", field: "author.name" });
    expect(parseFilter("url prefix https://a.example/b")).toEqual({
      op: "prefix",
      field: "url",
      value: "https://a.example/b",
    });
  });

  it("binds and tighter than or, and not tightest", () => {
    const [a, b, c] = [equal("a", 1), equal("b", 2), equal("c", 3)];
    expect(parseFilter("a = 1 or b = 2 and c = 3")).toEqual({
      op: "or",
      filters: [a, { op: "and", filters: [b, c] }],
    });
    expect(parseFilter("(a = 1 or b = 2) and c = 3")).toEqual({
      op: "and",
      filters: [{ op: "or", filters: [a, b] }, c],
    });
    expect(parseFilter("not a = 1 and b = 2")).toEqual({ op: "and", filters: [{ op: "not", filter: a }, b] });
    expect(parseFilter("NOT(a=1 Or b=2)AND c=3")).toEqual({
      op: "and",
      filters: [{ op: "not", filter: { op: "or", filters: [a, b] } }, c],
    });
    expect(parseFilter(" ( ( a = 1 ) ) ")).toEqual(a);
  });

  it.each([
    ["5", 5],
    ["-0", 0],
    ["+.5e2", 50],
    ["-1.25E-2", -0.0125],
    ["007", "007"],
    ["1.2.3", "1.2.3"],
    ["true", true],
    ["FALSE", false],
    ["null", null],
    ["2024-05-31", { date: "2024-05-31" }],
    ["2024-05-31T10:00:00.5+02:00", { date: "2024-05-31T10:00:00.5+02:00" }],
    ["2024-05-31-notes.md", "2024-05-31-notes.md"],
    ["en-US", "en-US"],
    ["Ünïcödé😀", "Ünïcödé😀"],
    ['"5"', "5"],
    ["'true'", "true"],
    [`"it's"`, "it's"],
    [`'say "hi"\\n\\u0041\\\\ \\''`, 'say "hi"\nA\\ \''],
    ['"2024-05-31"', "2024-05-31"],
    ['""', ""],
    ['"\\ud83d"', "\ufffd"],
  ])("reads the value %s", (text, value) => {
    expect(parseFilter(`x = ${text}`)).toEqual(equal("x", value));
    expect(parseFilter(`x in(${text},${text} , 1)`)).toEqual({
      op: "in",
      field: "x",
      values: [value, value, 1],
    });
  });

  it("takes values for text fields and text operators as they are written", () => {
    expect(parseFilter("id = 042")).toEqual(equal("id", "042"));
    expect(parseFilter("id in (1, 2024-01-01)")).toEqual({
      op: "in",
      field: "id",
      values: ["1", "2024-01-01"],
    });
    expect(parseFilter("x prefix 20")).toEqual({ op: "prefix", field: "x", value: "20" });
  });

  it.each([
    ["author.name", "author.name"],
    ['"full name"', '"full name"'],
    ["'lang'", "lang"],
    ['author."first.name".x', 'author."first.name".x'],
    ['"in"', '"in"'],
    ["in.x", "in.x"],
    ["2024", "2024"],
    ["a-b_c/d", "a-b_c/d"],
    ['"title"', "title"],
    ["metadata.title", "metadata.title"],
    ["metadata.lang", "lang"],
    ["metadata.metadata", "metadata.metadata"],
    ['""', '""'],
    ['a.""', 'a.""'],
    ["'\\\"'", '"\\""'],
  ])("reads the field %s", (text, field) => {
    const value = field === "title" ? "1" : 1;
    expect(parseFilter(`${text} = 1`)).toEqual(equal(field, value));
    expect(checkFilter(equal(text, value))).toEqual(equal(field, value));
  });

  it("reads back what it writes: text, filter, text", () => {
    fc.assert(
      fc.property(filterArbitrary, (filter) => {
        const text = formatFilter(filter);
        const parsed = parseFilter(text);
        expect(parsed).toEqual(filter);
        expect(formatFilter(parsed)).toBe(text);
        expect(checkFilter(JSON.parse(JSON.stringify(filter)))).toEqual(filter);
      }),
      { numRuns: 1000 },
    );
  });

  it("reads any text or says where it is wrong", () => {
    const pieces =
      `and or not in exists has prefix glob = != < >= ( ) , . " ' \\ a b.c title "x y" 5 2024-01-01 null * [ { && 😀`.split(
        " ",
      );
    const words = fc.array(fc.constantFrom(...pieces), { maxLength: 12 });
    const text = fc.oneof(
      words.map((list) => list.join(" ")),
      words.map((list) => list.join("")),
      fc.string({ unit: "binary" }),
      fc.tuple(filterArbitrary, fc.nat(), fc.constantFrom(...pieces)).map(([filter, place, piece]) => {
        const whole = formatFilter(filter);
        const at = place % (whole.length + 1);
        return whole.slice(0, at) + piece + whole.slice(at + 1);
      }),
    );
    let read = 0;
    fc.assert(
      fc.property(text, (input) => {
        let filter: Filter;
        try {
          filter = parseFilter(input);
        } catch (error) {
          if (!isMaxsimError(error) || error.code !== "INVALID_FILTER") throw error;
          const [sentence, line, carets, ...rest] = error.message.split("\n");
          expect(sentence).toMatch(/^the filter, column \d+: /);
          expect(carets).toMatch(/^ +\^+$/);
          expect(rest).toEqual([]);
          expect(Array.from(carets!).length).toBeLessThanOrEqual(Array.from(line!).length + 1);
          return;
        }
        read++;
        expect(parseFilter(formatFilter(filter))).toEqual(filter);
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(20);
  });
});

describe("an error in the text", () => {
  it.each([
    ["lang = and year", 8, "and is a word of the filter language, expected a value", 3],
    ["lang == en", 6, 'expected an operator (=, !=, <, <=, >, >=, in, has, prefix, glob), found "=="', 2],
    ["lang = en year = 5", 11, 'expected and, or, or the end, found "year"', 4],
    ["(a = 1", 7, "expected and, or, or ), found the end", 1],
    ["a = 1)", 6, 'expected and, or, or the end, found ")"', 1],
    ["", 1, "expected the name of a field, found the end", 1],
    ["a = 1 and", 10, "expected the name of a field, found the end", 1],
    ["in = 5", 1, 'expected the name of a field, found "in"', 2],
    ["x in 5", 6, 'expected ( and a list of values, found "5"', 1],
    ["x in ()", 7, 'expected a value, found ")"', 1],
    ["x in (1", 8, "expected a comma or ), found the end", 1],
    ['😀 = "abc', 5, "the quote is not closed", 1],
    ["x = '\\q'", 6, '"\\\\q" is no escape', 2],
    ["x = 2024-02-30", 5, "2024-02-30 is not a date of the calendar, expected a value", 10],
    ["x = 1e999", 5, "1e999 is too large for a number, expected a value", 5],
    ["x < true", 5, "true has no order, so < cannot be used", 4],
    ["title = null", 9, "null cannot be equal to title, which is text", 4],
    ["id has a", 4, "has cannot be used with id, which is text and no array", 3],
    ["title.en = a", 1, "title.en is not a field: title is text and has no keys", 8],
    ["metadata = 1", 1, "metadata is not a field but all of the metadata", 8],
    ["a.__proto__ = 1", 1, "a.__proto__ is not allowed: no field may be called __proto__", 11],
    ["a..b = 1", 1, "the name has an empty key", 2],
    ['x glob "*.{md,txt}"', 8, '"*.{md,txt}" has a {, and alternatives in braces are not known', 12],
    ['x glob "[ab"', 8, '"[ab" has a [ that is not closed before the next / or the end', 5],
  ])("of %j is at column %i", (text, column, problem, width) => {
    const error = errorOf(() => parseFilter(text));
    const line = `  ${text}\n  ${" ".repeat(column - 1)}${"^".repeat(width)}`;
    expect(error.message).toBe(`the filter, column ${column}: ${problem}\n${line}`);
  });

  it("names what the caller calls the text, and hints at the words of this language", () => {
    expect(errorOf(() => parseFilter("a && b", "--filter")).message).toMatch(/^--filter, column 3: /);
    const hintOf = (text: string): string | undefined => errorOf(() => parseFilter(text)).hint;
    expect(hintOf("a == 1")).toBe("Write = for equality.");
    expect(hintOf("a = 1 && b = 2")).toBe("Write and.");
    expect(hintOf("!a = 1")).toBe("Write not.");
    expect(hintOf("a not in (1)")).toBe("Write not before the field.");
    expect(hintOf("a IS null")).toBe("Write = null, or exists before the field.");
    expect(hintOf("title = null")).toBe("Write not exists title.");
    expect(hintOf("exists in")).toBe('A field called in is written "in".');
  });

  it("shows the part of a long text around the place", () => {
    const text = `${"a = 1 and ".repeat(30)}b == 2 and ${"c = 3 and ".repeat(30)}d = 4`;
    const [sentence, line, carets] = errorOf(() => parseFilter(text)).message.split("\n");
    expect(sentence).toMatch(/^the filter, column 303: /);
    expect(line).toMatch(/^ {2}\.\.\..*b == 2.*\.\.\.$/);
    expect(line!.length).toBeLessThan(90);
    expect(line!.slice(carets!.indexOf("^"), carets!.length)).toBe("==");
  });

  it("shows control characters as spaces", () => {
    const { message } = errorOf(() => parseFilter("a =\n1 \u001b[31m"));
    expect(message).toBe(
      'the filter, column 7: expected and, or, or the end, found "\\u001b"\n  a = 1  [31m\n        ^',
    );
  });
});

describe("the JSON form", () => {
  it("accepts the full form unchanged and the short form at any depth", () => {
    fc.assert(
      fc.property(filterArbitrary, (filter) => {
        expect(checkFilter(filter)).toEqual(filter);
      }),
    );
    expect(checkFilter({ lang: "en" })).toEqual(equal("lang", "en"));
    expect(checkFilter({ lang: "en", year: [2023, null], at: { date: "2024-01-01 10:00" } })).toEqual({
      op: "and",
      filters: [
        equal("lang", "en"),
        { op: "in", field: "year", values: [2023, null] },
        equal("at", { date: "2024-01-01T10:00" }),
      ],
    });
    expect(checkFilter({ op: "not", filter: { lang: "en" } })).toEqual({
      op: "not",
      filter: equal("lang", "en"),
    });
    expect(checkFilter({ op: "and", filters: [{ lang: "en" }] })).toEqual(equal("lang", "en"));
    expect(checkFilter({ lang: "en", year: undefined })).toEqual(equal("lang", "en"));
    expect(checkFilter(equal("x", "\ud800"))).toEqual(equal("x", "\ufffd"));
  });

  it.each([
    [undefined, /^filter must be an object, found undefined/],
    ["lang = en", /^filter must be an object, found "lang = en"/],
    [[], /^filter must be an object, found an array of 0/],
    [{}, /^filter must be an object with op, or with fields/],
    [{ op: "like", field: "a", value: "b" }, /^filter\.op must be one of and or not = .*, found "like"/],
    [{ op: "=", field: "a", valeu: 1 }, /^filter has the key "valeu", expected op, field, value/],
    [equal("a", undefined), /^filter\.value must be a string, .*, found undefined/],
    [equal("a", Number.NaN), /^filter\.value must be .*, found NaN/],
    [equal("a", new Date(0)), /^filter\.value must be JSON, found a Date/],
    [equal("a", { date: "2024-13-01" }), /^filter\.value\.date must be an ISO date .*, found "2024-13-01"/],
    [equal("id", 5), /^filter\.value: 5 cannot be equal to id, which is text/],
    [equal("a b", 5), /^filter\.field, column 2: expected a dot or the end, found " "/],
    [{ op: "=", value: 5 }, /^filter\.field must be the name of a field, found undefined/],
    [{ op: "<", field: "a", value: false }, /^filter\.value: false has no order, so < cannot be used/],
    [
      { op: "prefix", field: "a", value: 5 },
      /^filter\.value: 5 cannot be used with prefix, which takes text/,
    ],
    [{ op: "in", field: "a", values: [] }, /^filter\.values must be an array of at least one value/],
    [{ op: "in", field: "a", values: [1, [2]] }, /^filter\.values\[1\] must be .*, found an array of 1/],
    [{ op: "and", filters: [] }, /^filter\.filters must be an array of at least one filter/],
    [{ op: "or", filters: [{ a: 1 }, 5] }, /^filter\.filters\[1\] must be an object, found 5/],
    [{ op: "not", filter: { op: "exists" } }, /^filter\.filter\.field must be the name of a field/],
    [{ author: { name: "x" } }, /^filter\["author"\] must be a string, .*, found an object/],
    [JSON.parse('{"__proto__": 1}'), /no field may be called __proto__/],
    [equal('a."x\\u0000"', 1), /NUL/],
    [equal("constructor.x", 1), /no field may be called constructor/],
    [equal("a.prototype", 1), /no field may be called prototype/],
    [equal('"__proto__"', 1), /no field may be called __proto__/],
    [JSON.parse('{"op": "=", "field": "a", "value": 1, "__proto__": 1}'), /^filter has the key "__proto__"/],
  ])("refuses %j", (json, message) => {
    expect(errorOf(() => checkFilter(json)).message).toMatch(message);
  });

  it("accepts or refuses anything without another error, and pollutes nothing", () => {
    const name = fc.constantFrom(
      "op",
      "field",
      "value",
      "values",
      "filter",
      "filters",
      "date",
      "__proto__",
      "a",
    );
    const leaf = fc.oneof(
      fc.constantFrom("=", "in", "and", "not", "exists", "a", "__proto__", 1, null),
      fc.anything(),
    );
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("json"), { maxLength: 3 }),
        fc.dictionary(name, tie("json"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(json, (value) => {
        try {
          const filter = checkFilter(value);
          expect(parseFilter(formatFilter(filter))).toEqual(filter);
        } catch (error) {
          if (!isMaxsimError(error) || error.code !== "INVALID_FILTER") throw error;
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("the limits", () => {
  const nest = (levels: number): unknown =>
    levels === 1 ? equal("x", 1) : { op: "not", filter: nest(levels - 1) };

  it("hold for JSON and for text alike", () => {
    const { depth, nodes, values, stringBytes } = FILTER_LIMITS;
    const many = (count: number): string => Array.from({ length: count }, (_, i) => `k${i} = 1`).join(" or ");
    expect(parseFilter(formatFilter(checkFilter(nest(depth))))).toEqual(nest(depth));
    parseFilter(many(nodes - 1));
    parseFilter(`x in (${"1,".repeat(values - 1)} 1)`);
    parseFilter(`x = "${"é".repeat(stringBytes / 2)}"`);

    for (const [make, message] of [
      [() => checkFilter(nest(depth + 1)), /is nested in more than 16 levels/],
      [() => parseFilter(`${"not ".repeat(depth)}x = 1`), /nested in more than 15 levels/],
      [() => parseFilter(`${"(".repeat(60_000)}`), /nested in more than 15 levels/],
      [
        () => parseFilter(`${"(a=1 or b=1 and ".repeat(9)}c=1${")".repeat(9)}`),
        /nested in more than 16 levels/,
      ],
      [() => parseFilter(many(nodes)), /more than 256 conditions/],
      [() => checkFilter({ op: "and", filters: Array(nodes).fill({ a: 1 }) }), /more than 256 conditions/],
      [() => checkFilter({ x: Array(values + 1).fill(1) }), /an in with 10001 values, more than 10000/],
      [() => parseFilter(`x in (${"1,".repeat(values)} 1)`), /an in with 10001 values, more than 10000/],
      [() => parseFilter(`x = "${"é".repeat(stringBytes / 2)}a"`), /has 4097 bytes, more than 4096/],
      [() => checkFilter(equal("x", "a".repeat(4097))), /has 4097 bytes, more than 4096/],
      [() => checkFilter(equal("x".repeat(4097), 1)), /the name has 4097 bytes, more than 4096/],
      [() => checkFilter({ x: Array(17).fill("a".repeat(4000)) }), /more than 65536 bytes/],
      [() => parseFilter("a".repeat(65_537)), /has 65537 bytes, more than 65536/],
    ] as const) {
      expect(errorOf(make).message).toMatch(message);
    }
  });

  it("stop JSON that contains itself", () => {
    const endless: Record<string, unknown> = { op: "not" };
    endless.filter = endless;
    expect(errorOf(() => checkFilter(endless)).message).toMatch(/nested in more than 16 levels/);
  });
});

describe("filterFields", () => {
  it("names each field once, in order", () => {
    expect(filterFields(parseFilter("b = 1 or not (exists a.c and b in (2)) or title prefix x"))).toEqual([
      "b",
      "a.c",
      "title",
    ]);
  });
});
