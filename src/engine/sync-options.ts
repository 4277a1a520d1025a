/** Checks of what a sync is told. */
import { checkInteger, checkString, invalidArgument } from "../common/check.js";
import type { SyncOptions } from "./sync-report.js";
import type { ReadingOptions } from "./sync-roots.js";

/** Reading options of that type. */
export const FLAGS = ["hidden", "gitignore", "nodeModules", "skipInvalid"] as const;
export const NAMES = ["textColumn", "idColumn", "titleColumn"] as const;
/** Lists of patterns. */
export const LISTS = ["include", "exclude"] as const;

/** Options of reading that the call names. */
export function namedReadingOptions(options: SyncOptions): ReadingOptions {
  const names = [...FLAGS, ...NAMES, ...LISTS, "maxFileSize"] as const;
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}

/** Errors: INVALID_ARGUMENT. */
export function checkSyncPaths(paths: unknown): void {
  if (paths === undefined) return;
  if (!Array.isArray(paths)) throw invalidArgument("paths", "an array of strings, or undefined", paths);
  paths.forEach((path, i) => {
    if (checkString(`paths[${i}]`, path) === "") throw invalidArgument(`paths[${i}]`, "a path", path);
  });
}

/** Errors: INVALID_ARGUMENT naming the option. */
export function checkSyncOptions(options: SyncOptions): void {
  for (const name of [...FLAGS, "dryRun", "allowEmpty", "checksum"] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "boolean")
      throw invalidArgument(name, "true or false", value);
  }
  for (const name of NAMES) if (options[name] !== undefined) checkString(name, options[name]);
  for (const name of LISTS) checkPatterns(name, options[name]);
  if (options.maxFileSize !== undefined) checkInteger("maxFileSize", options.maxFileSize, 1);
}

function checkPatterns(name: string, patterns: unknown): void {
  if (patterns === undefined) return;
  if (!Array.isArray(patterns)) throw invalidArgument(name, "an array of strings", patterns);
  patterns.forEach((pattern, i) => {
    if (checkString(`${name}[${i}]`, pattern).trim() === "")
      throw invalidArgument(`${name}[${i}]`, "a pattern", pattern);
  });
}
