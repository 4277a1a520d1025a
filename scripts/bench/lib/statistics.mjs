// Numbers that describe repeated measurements.

import { quantile } from "../../lib/report.mjs";

export { median, overlap, quantile } from "../../lib/report.mjs";

/**
 * Median, and the values that a tenth of the measurements stay below and above.
 *
 * @param {readonly number[]} values at least one
 * @returns {{median: number, p10: number, p90: number}}
 */
export function spread(values) {
  return { median: quantile(values, 0.5), p10: quantile(values, 0.1), p90: quantile(values, 0.9) };
}

/**
 * Latencies of rounds: each percentile is taken in each round, and then spread over the rounds.
 *
 * @param {readonly (readonly number[])[]} rounds milliseconds of the calls of each round
 */
export function latencies(rounds) {
  const over = (q) => spread(rounds.map((times) => quantile(times, q)));
  return { p50: over(0.5), p95: over(0.95), p99: over(0.99), calls: rounds[0].length, rounds: rounds.length };
}

/** `count` of the positions 0 .. `of` - 1, evenly spread; all when there are fewer. */
export function evenly(of, count) {
  const n = Math.min(of, count);
  return Array.from({ length: n }, (_, i) => Math.floor((i * of) / n));
}
