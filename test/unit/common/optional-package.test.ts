import { expect, test } from "vitest";
import { importOptional } from "../../../src/common/optional-package.js";

test("gives the module", async () => {
  expect(await importOptional("x", "doing things", async () => 5)).toBe(5);
});

test.each([
  [
    Object.assign(new Error("Cannot find package 'x'\n  at y"), { code: "ERR_MODULE_NOT_FOUND" }),
    "which is not installed",
  ],
  [new SyntaxError("odd token\n  at y"), "which does not load: odd token"],
])("names the package that is missing or broken", async (cause, end) => {
  await expect(importOptional("x", "reading X files", () => Promise.reject(cause))).rejects.toMatchObject({
    code: "PACKAGE_MISSING",
    message: `reading X files needs the package x, ${end}`,
    hint: "Run `npm install x`.",
    cause,
  });
});
