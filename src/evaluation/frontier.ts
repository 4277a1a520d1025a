/** Which of several settings are worth choosing. */

export interface Tradeoff {
  /** Such as milliseconds; less is better. */
  readonly cost: number;
  /** Such as nDCG; more is better. */
  readonly value: number;
}

/**
 * The places of those that no other one beats: every cheaper or equally cheap one has a lower value. By cost. Of equal ones the
 * first counts.
 */
export function frontier(points: readonly Tradeoff[]): number[] {
  const order = [...points.keys()].sort((a, b) => {
    const [x, y] = [points[a]!, points[b]!];
    return x.cost - y.cost || y.value - x.value || a - b;
  });
  let best = Number.NEGATIVE_INFINITY;
  return order.filter((place) => {
    const { value } = points[place]!;
    if (value <= best) return false;
    best = value;
    return true;
  });
}
