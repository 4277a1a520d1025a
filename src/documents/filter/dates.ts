/** ISO 8601 dates as times. */

/** A day, and after it nothing or a time of day: hours and minutes, seconds, fraction, and Z or an offset. */
const ISO_DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** True for text of the shape of a date, so that a date with a slip in it can be told from a word. */
export function looksLikeDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}(?:T[\d:.Z+-]*)?$/.test(text);
}

/**
 * Milliseconds since 1970-01-01 UTC, further digits cut off; undefined for anything but a date of the proleptic
 * Gregorian calendar in the years 0000 to 9999. Without an offset the time is UTC; a day is its midnight. A space may
 * stand for the T.
 */
export function parseDate(text: string): number | undefined {
  const match = ISO_DATE.exec(text);
  if (match === null) return undefined;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  const hour = Number(match[4] ?? 0);
  const minute = Number(match[5] ?? 0);
  const second = Number(match[6] ?? 0);
  if (day < 1 || day > daysOf(year, month) || hour > 23 || minute > 59 || second > 59) return undefined;
  const offset = offsetMinutes(match[8]);
  if (offset === undefined) return undefined;
  const milliseconds = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  // Date.UTC takes the years 0 to 99 for 1900 to 1999; the calendar repeats after 400 years.
  const time = Date.UTC(year + 400, month - 1, day, hour, minute, second, milliseconds);
  return time - 146_097 * 86_400_000 - offset * 60_000;
}

function daysOf(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
}

/** Minutes east of UTC. */
function offsetMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === "Z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}
