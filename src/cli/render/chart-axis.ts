/** Axes of drawings: where a value lies, and which values are marked. */

export interface Axis {
  /** Place of a value, in pixels. */
  readonly place: (value: number) => number;
  /** Values to mark, ascending. */
  readonly ticks: readonly number[];
  /** Digits after the point that all marks need. */
  readonly digits: number;
}

/** Values that span more than this factor are drawn on a logarithmic axis. */
const LOGARITHMIC_FROM = 4;
/** Space around the values, as a share of what they span. */
const MARGIN = 0.06;

/** From `from` to `to` pixels; values are finite, at least one. */
export function linearAxis(values: readonly number[], from: number, to: number): Axis {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low || Math.max(Math.abs(high), 1) * 0.1;
  const start = low - span * MARGIN;
  const end = high + span * MARGIN;
  const step = niceStep((end - start) / 6);
  const ticks: number[] = [];
  for (let i = Math.ceil(start / step); i * step <= end; i++) ticks.push(i * step);
  const place = (value: number): number => from + ((value - start) / (end - start)) * (to - from);
  return { place, ticks, digits: digitsOf(step) };
}

/** Logarithmic where the values span a large factor, else linear; values are above 0. */
export function timeAxis(values: readonly number[], from: number, to: number): Axis {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (low <= 0 || high / low < LOGARITHMIC_FROM) return linearAxis(values, from, to);
  const margin = Math.log(high / low) * MARGIN;
  const start = Math.log(low) - margin;
  const end = Math.log(high) + margin;
  const ticks: number[] = [];
  for (let decade = Math.floor(Math.log10(low)) - 1; decade <= Math.ceil(Math.log10(high)); decade++) {
    for (const digit of [1, 2, 5]) {
      const value = Number(`${digit}e${decade}`);
      if (Math.log(value) >= start && Math.log(value) <= end) ticks.push(value);
    }
  }
  const place = (value: number): number => from + ((Math.log(value) - start) / (end - start)) * (to - from);
  return { place, ticks, digits: digitsOf(ticks[0] ?? 1) };
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((digit) => digit * power >= least * (1 - 1e-9)) ?? 10) * power;
}

function digitsOf(step: number): number {
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
}
