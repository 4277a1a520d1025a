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
const FEWEST_TICKS = 5;

/**
 * From `from` to `to` pixels; values are finite, at least one. Values that span less than `leastSpan` are drawn on an axis of that
 * length around them: what is nothing must not look like something.
 */
export function linearAxis(values: readonly number[], from: number, to: number, leastSpan = 0): Axis {
  const middle = (Math.min(...values) + Math.max(...values)) / 2;
  const spread = Math.max(...values) - Math.min(...values);
  const span = Math.max(spread, leastSpan) || Math.max(Math.abs(middle), 1) * 0.1;
  const low = middle - span / 2;
  const high = middle + span / 2;
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
  const within = (digits: readonly number[]): number[] => {
    const found: number[] = [];
    for (let decade = Math.floor(Math.log10(low)) - 1; decade <= Math.ceil(Math.log10(high)); decade++) {
      for (const digit of digits) found.push(Number(`${digit}e${decade}`));
    }
    return found.filter((value) => Math.log(value) >= start && Math.log(value) <= end);
  };
  const few = within([1, 2, 5]);
  const ticks = few.length >= FEWEST_TICKS ? few : within([1, 1.5, 2, 3, 4, 5, 7]);
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
