/** `--path` of the commands: which files the documents come from. */
import { resolve, sep } from "node:path";
import { checkFilter } from "../documents/filter/check-filter.js";
import type { Filter } from "../documents/filter/types.js";

/**
 * Files that the pattern matches, and all below folders that it matches; see documents/filter/glob.ts. A pattern that begins
 * with `./` or `../` is meant from `folder` on; others that are relative may begin anywhere. Errors: INVALID_FILTER.
 */
export function pathFilter(pattern: string, folder: string = resolve(".")): Filter {
  const anchored = /^\.{1,2}(?:\/|$)/.test(pattern) ? anchor(pattern, folder) : pattern;
  const trimmed = anchored.replace(/(?<=[^/])\/+$/, "");
  const below =
    trimmed === "**" || trimmed.endsWith("/**") ? trimmed : `${trimmed === "/" ? "" : trimmed}/**`;
  return checkFilter({ op: "glob", field: "path", value: below }, "--path");
}

/** Names of the pattern behind the ones of the folder, whose characters stand for themselves. */
function anchor(pattern: string, folder: string): string {
  const names = pattern.split("/");
  let base = folder;
  while (names[0] === "." || names[0] === ".." || names[0] === "") {
    if (names[0] === "..") base = resolve(base, "..");
    names.shift();
  }
  const escaped = base
    .split(sep)
    .join("/")
    .replace(/[\\*?[\]{}]/g, "\\$&");
  return [escaped === "/" ? "" : escaped, ...names].join("/");
}

/** The value of an option that may be given again. Errors: INVALID_FILTER. */
export function pathOption(pattern: string, before: readonly string[] = []): string[] {
  pathFilter(pattern);
  return [...before, pattern];
}
