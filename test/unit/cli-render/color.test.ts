import { describe, expect, it } from "vitest";
import { createColors, wantsColor } from "../../../src/cli/render/color.js";

describe("wantsColor", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [undefined, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [true, { TERM: "dumb" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [false, { FORCE_COLOR: "" }, true],
    [true, { FORCE_COLOR: "0" }, false],
    [true, { FORCE_COLOR: "false" }, false],
    [false, { FORCE_COLOR: "3", NO_COLOR: "1" }, true],
  ])("terminal %s, environment %o: %s", (isTTY, env, expected) => {
    expect(wantsColor(isTTY === undefined ? {} : { isTTY }, env)).toBe(expected);
  });
});

describe("createColors", () => {
  it("paints on a terminal, whatever the streams of this process are", () => {
    const colors = createColors({ isTTY: true }, {});
    expect(colors.red("x")).toBe("\u001b[31mx\u001b[39m");
    expect(colors.match("x")).toContain("\u001b[1m");
  });

  it("leaves the text alone elsewhere", () => {
    const colors = createColors({}, {});
    expect([colors.red("x"), colors.bold("x"), colors.match("x")]).toEqual(["x", "x", "x"]);
  });
});
