import { describe, expect, it } from "vitest";
import { filterOption, warnOfUnknownFields } from "../../../src/cli/filter-option.js";
import { integerOption, jsonObjectOption } from "../../../src/cli/option-values.js";
import { exitStatus } from "../../../src/cli/render/error.js";
import { silentLogger } from "../../../src/common/logger.js";

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}

describe("--filter", () => {
  it("takes the text form and JSON", () => {
    const expected = { op: "=", field: "lang", value: "en" };
    for (const text of ["lang = en", '{"lang":"en"}', ' {"op":"=","field":"lang","value":"en"}']) {
      expect(filterOption(text)).toEqual(expected);
    }
  });

  it.each([
    ["lang =", "INVALID_FILTER", /--filter, column 7/],
    ["", "INVALID_FILTER", /--filter/],
    ['{"lang":', "INVALID_ARGUMENT", /--filter is not JSON/],
    ['{"op":"?","field":"a"}', "INVALID_FILTER", /--filter\.op/],
  ])("refuses %j as wrong usage", (text, code, message) => {
    const error = errorOf(() => filterOption(text));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(exitStatus(error)).toBe(2);
  });

  it("warns of fields that no document has", () => {
    const warnings: string[] = [];
    warnOfUnknownFields(
      [
        { field: "yaer", nearest: ["year", "years"] },
        { field: "zz", nearest: [] },
      ],
      { ...silentLogger, warn: (message) => warnings.push(message) },
    );
    expect(warnings).toEqual([
      "no document has the field yaer; did you mean year or years?",
      "no document has the field zz",
    ]);
  });
});

describe("values of options", () => {
  it("are JSON objects", () => {
    const parse = jsonObjectOption("--metadata");
    expect(parse('{"a":[1]}')).toEqual({ a: [1] });
    for (const text of ["[1]", "null", "5", "{a:1}", ""]) {
      expect(errorOf(() => parse(text))).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("--metadata"),
        hint: expect.stringContaining('{"year": 2024'),
      });
    }
  });

  it("are whole numbers in a range", () => {
    const parse = integerOption("--limit", 1, 10);
    expect(parse("10")).toBe(10);
    for (const text of ["0", "11", "1.5", "x", "", "1e1"]) {
      expect(errorOf(() => parse(text))).toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });
});
