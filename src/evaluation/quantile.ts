/** Quantiles of measured times. */

/**
 * The value that a share `q` (0 to 1) of the values does not exceed: the smallest one with at least that many at or below it
 * (nearest rank). NaN for no values.
 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}
