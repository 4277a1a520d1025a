import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { multiLine, singleLine, textWidth, truncate } from "../../../src/cli/render/plain-text.js";

describe("singleLine", () => {
  it.each([
    ["colours", "\u001b[31mred\u001b[0m", "red"],
    ["an 8-bit sequence", "\u009b31mred", "red"],
    ["a window title", "a\u001b]0;owned\u0007b", "ab"],
    ["a link", "\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\", "text"],
    ["a device control string", "a\u001bP1$r\u001b\\b", "ab"],
    ["a reset", "a\u001bcb", "ab"],
    ["a sequence that does not end", "a\u001b]0;owned", "a]0;owned"],
    ["a lone escape", "a\u001b", "a"],
    ["bells, backspaces and NUL", "a\u0007b\u0008c\u0000", "abc"],
    ["line breaks and tabs", "a\r\n\tb\u2028c", "a b c"],
    ["reordering", "a\u202eb\u2066c\u200f", "abc"],
    ["a lone surrogate", "a\ud800b", "a\ufffdb"],
    ["plain text of any script", "naïve 日本 🙂", "naïve 日本 🙂"],
  ])("takes out %s", (_, text, expected) => {
    expect(singleLine(text)).toBe(expected);
  });

  it("leaves nothing that steers a terminal", () => {
    const unit = fc.constantFrom(
      "\u001b",
      "[",
      "]",
      "P",
      "\u009b",
      "\u009d",
      "\u0007",
      "\\",
      ";",
      "3",
      "m",
      "\n",
      "x",
    );
    fc.assert(
      fc.property(
        fc.array(unit).map((parts) => parts.join("")),
        (text) => !/\p{Cc}/u.test(singleLine(text)),
      ),
      { numRuns: 1000 },
    );
  });

  it("takes linear time on unfinished sequences", () => {
    const started = performance.now();
    for (const unit of ["\u001b]", "\u009d", "\u009b1", "\u001b[", "\u001b "])
      singleLine(unit.repeat(100_000));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("multiLine", () => {
  it("keeps line breaks and cleans the lines", () => {
    expect(multiLine("a\u001b[1m\r\n\tb\u0007")).toBe("a\n  b");
  });
});

describe("widths", () => {
  it("counts wide and combining characters", () => {
    expect(textWidth("abc")).toBe(3);
    expect(textWidth("日本")).toBe(4);
    expect(textWidth("e\u0301")).toBe(1);
    expect(textWidth("🙂")).toBe(2);
  });

  it.each([
    ["abc", 3, "abc"],
    ["abcd", 3, "ab…"],
    ["ab cd", 4, "ab…"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日…"],
    ["abc", 1, "…"],
    ["abc", 0, ""],
  ])("cuts %j to %i columns", (text, width, expected) => {
    expect(truncate(text, width)).toBe(expected);
  });

  it("never exceeds the columns it was given", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.nat(30),
        (text, width) => textWidth(truncate(text, width)) <= width,
      ),
    );
  });
});
