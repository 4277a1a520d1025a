/** Functions of SQL for what SQLite has no exact words for: path patterns and ISO dates as times. */
import type Database from "better-sqlite3";
import { parseDate } from "./dates.js";
import { globMatcher } from "./glob.js";

/** `(pattern, path)`: 1 when the path matches, else 0. */
export const GLOB_FUNCTION = "maxsim_glob";
/** `(text)`: milliseconds since 1970 of an ISO date, NULL for any other text. */
export const TIME_FUNCTION = "maxsim_time";

/** A filter has at most 256 patterns; one statement runs through them row by row. */
const CACHED_PATTERNS = 512;

/** Makes what compiled filters call; once for every connection that runs them. */
export function registerFilterFunctions(db: Database.Database): void {
  const matchers = new Map<string, (path: string) => boolean>();
  const matcherOf = (pattern: string): ((path: string) => boolean) => {
    const known = matchers.get(pattern);
    if (known !== undefined) return known;
    if (matchers.size === CACHED_PATTERNS) matchers.clear();
    const matcher = globMatcher(pattern);
    matchers.set(pattern, matcher);
    return matcher;
  };
  const options = { deterministic: true, directOnly: true };
  db.function(GLOB_FUNCTION, options, (pattern: unknown, path: unknown) =>
    typeof pattern === "string" && typeof path === "string" && matcherOf(pattern)(path) ? 1 : 0,
  );
  db.function(TIME_FUNCTION, options, (text: unknown) =>
    typeof text === "string" ? (parseDate(text) ?? null) : null,
  );
}
