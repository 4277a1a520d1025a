/** Numbers, sizes and times as people read them; the same on every machine, whatever its locale. */

const digits = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** A count with thousands separators: `12,345`. Fractions are rounded. */
export function formatNumber(value: number): string {
  return Number.isFinite(value) ? digits.format(value) : String(value);
}

/** A count and what is counted: `1 document`, `1,200 documents`; `plural` where it is not the word and an s. */
export function formatCount(value: number, singular: string, plural = `${singular}s`): string {
  return `${formatNumber(value)} ${value === 1 ? singular : plural}`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** A size in decimal units: `999 B`, `1.5 kB`, `294 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would be shown as 1000.
  while (Math.abs(value) >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const shown = unit === 0 || Math.abs(value) >= 9.95 ? value.toFixed(0) : value.toFixed(1);
  return `${shown} ${BYTE_UNITS[unit]}`;
}

/** A time in seconds: `12 ms`, `3.4 s`, `52 s`, `2 min 05 s`, `1 h 03 min`, `2 d 04 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return String(seconds);
  if (seconds < 0.0995) return `${(seconds * 1000).toFixed(seconds < 0.00995 ? 1 : 0)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return twoUnits(whole, 60, "min", "s");
  // Rounded to the smaller unit first, so that no part ever reads 60.
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return twoUnits(minutes, 60, "h", "min");
  return twoUnits(Math.round(seconds / 3600), 24, "d", "h");
}

function twoUnits(value: number, size: number, large: string, small: string): string {
  return `${Math.floor(value / size)} ${large} ${String(value % size).padStart(2, "0")} ${small}`;
}

/** A rate: `0.25/s`, `3.4/s`, `1,234/s`. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 9.95 || perSecond === 0) return `${formatNumber(perSecond)}/s`;
  return `${perSecond.toFixed(perSecond >= 0.995 ? 1 : 2)}/s`;
}

/** A point in time on the clock of this machine: `2026-03-09 14:05:00`. */
export function formatTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}

/** A part of a whole as a percentage: `0 %`, `0.4 %`, `37 %`. */
export function formatShare(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (100 * part) / whole;
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}
