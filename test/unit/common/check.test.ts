import { describe, expect, it } from "vitest";
import {
  checkInteger,
  checkOneOf,
  checkString,
  describe as describeValue,
} from "../../../src/common/check.js";

const invalid = (message: string) => expect.objectContaining({ code: "INVALID_ARGUMENT", message });
const thrownBy = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("describe", () => {
  it.each([
    [null, "null"],
    [undefined, "undefined"],
    ["text", '"text"'],
    ["x".repeat(50), `"${"x".repeat(37)}..."`],
    [1.5, "1.5"],
    [true, "true"],
    [5n, "5n"],
    [[1, 2, 3], "an array of 3"],
    [{}, "an object"],
    [Object.create(null), "an object"],
    [new Map(), "a Map"],
    [() => 1, "a function"],
    [Symbol("s"), "a symbol"],
  ])("%o", (value, text) => {
    expect(describeValue(value)).toBe(text);
  });
});

describe("checkInteger", () => {
  it("returns integers within the range", () => {
    expect(checkInteger("k", 5, 1)).toBe(5);
    expect(checkInteger("k", 1, 1, 1)).toBe(1);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, "5", null, undefined, 5n])(
    "refuses %o",
    (value) => {
      expect(() => checkInteger("k", value, 1)).toThrow(/^k must be an integer of at least 1, found /);
    },
  );

  it("names the upper bound where there is one", () => {
    expect(thrownBy(() => checkInteger("k", 11, 1, 10))).toEqual(
      invalid("k must be an integer from 1 to 10, found 11"),
    );
  });
});

describe("checkString and checkOneOf", () => {
  it("return what fits", () => {
    expect(checkString("id", "")).toBe("");
    expect(checkOneOf("nbits", 4, [1, 2, 4])).toBe(4);
  });

  it("refuse what does not", () => {
    expect(thrownBy(() => checkString("id", 5))).toEqual(invalid("id must be a string, found 5"));
    expect(thrownBy(() => checkOneOf("nbits", 3, [1, 2, 4]))).toEqual(
      invalid("nbits must be one of 1, 2, 4, found 3"),
    );
    expect(thrownBy(() => checkOneOf("nbits", "4", [1, 2, 4]))).toEqual(
      invalid('nbits must be one of 1, 2, 4, found "4"'),
    );
  });
});
