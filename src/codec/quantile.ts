/**
 * Quantile of ascending float32 values by linear interpolation at position q * (n - 1): position in float64,
 * the two neighbours weighted 1 - w and w.
 */
export function quantile(sorted: Float32Array, q: number): number {
  if (sorted.length === 0) return 0;
  const position = q * (sorted.length - 1);
  const low = Math.floor(position);
  const weight = position - low;
  const a = sorted[low]!;
  const b = sorted[Math.min(low + 1, sorted.length - 1)]!;
  return Math.fround(a * (1 - weight) + b * weight);
}
