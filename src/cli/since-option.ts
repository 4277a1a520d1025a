/** The value of `--since`. */
import { MaxsimError } from "../common/errors.js";
import { parseDate } from "../documents/filter/dates.js";

const DAY = 86_400_000;
const NUMBER_AND_UNIT = /^(\d{1,4})(h|d|w|mo|y)$/;

/**
 * An ISO date, its year or month alone, `today`, `yesterday`, or a number with h, d, w, mo or y for the hours, days, weeks,
 * months or years up to `now`; all but hours begin with the day (UTC). Errors: INVALID_ARGUMENT.
 * @returns ISO 8601 in UTC.
 */
export function sinceOption(text: string, now: Date = new Date()): string {
  const time = timeOf(text.trim(), now);
  if (time !== undefined) return new Date(time).toISOString();
  throw new MaxsimError(
    "INVALID_ARGUMENT",
    `--since takes a date or a time span, found ${JSON.stringify(text)}`,
    {
      hint: "For example 2024-01-31, 2024-01, today, or 12h, 7d, 2w, 6mo, 1y for the last hours, days, weeks, months, years.",
    },
  );
}

function timeOf(text: string, now: Date): number | undefined {
  const today = Math.floor(now.getTime() / DAY) * DAY;
  if (text === "today") return today;
  if (text === "yesterday") return today - DAY;
  if (/^\d{4}(-\d{2})?$/.test(text)) return parseDate(`${text}${text.length === 4 ? "-01" : ""}-01`);
  const [, digits, unit] = NUMBER_AND_UNIT.exec(text) ?? [];
  const count = Number(digits);
  if (unit === undefined) return parseDate(text);
  if (unit === "h") return now.getTime() - count * 3_600_000;
  if (unit === "d" || unit === "w") return today - count * (unit === "d" ? 1 : 7) * DAY;
  return monthsBefore(new Date(today), unit === "mo" ? count : 12 * count);
}

/** The same day of an earlier month, or the last day of that month where it is shorter. */
function monthsBefore(day: Date, months: number): number {
  const first = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - months, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  return first.setUTCDate(Math.min(day.getUTCDate(), last));
}
