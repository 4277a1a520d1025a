/** Orders of the documents of one window: repaired, capped, averaged. All are permutations of positions in the window. */

/** What a model's answer had to be mended by, in documents. */
export interface Repairs {
  readonly missing: number;
  readonly unknown: number;
  readonly duplicate: number;
}

export interface RepairedOrder {
  readonly order: readonly number[];
  readonly repairs: Repairs;
}

/**
 * A full permutation of 0 to `count` - 1 out of the positions that a model named, best first. What it left out comes last, in the order
 * of the window; a position that came before is dropped. `unknown`: named documents that the window does not have.
 */
export function repairOrder(named: readonly number[], count: number, unknown: number): RepairedOrder {
  const known = new Set(named);
  const missing = Array.from({ length: count }, (_, i) => i).filter((i) => !known.has(i));
  return {
    order: [...known, ...missing],
    repairs: { missing: missing.length, unknown, duplicate: named.length - known.size },
  };
}

/**
 * The order in which no document stands more than `maxRise` places before its old one: each place goes to the best document that may
 * rise so far.
 */
export function limitRise(order: readonly number[], maxRise: number): number[] {
  const waiting = [...order];
  return order.map((_, place) => {
    // Of the place + maxRise + 1 documents that may stand here, at most `place` are gone already.
    const at = waiting.findIndex((old) => old - place <= maxRise);
    return waiting.splice(at, 1)[0]!;
  });
}

/** The order by mean place in all `orders`, which are at least one; equal ones as in the window. */
export function meanOrder(orders: readonly (readonly number[])[]): number[] {
  const sums = new Array<number>(orders[0]!.length).fill(0);
  for (const order of orders) {
    order.forEach((old, place) => {
      sums[old]! += place;
    });
  }
  return Array.from(sums.keys()).sort((a, b) => sums[a]! - sums[b]! || a - b);
}

export interface Span {
  readonly start: number;
  /** The first place behind it. */
  readonly end: number;
}

/**
 * The windows over `count` places in the order in which they are ranked: from the back to the front, so that the best of each is in the
 * next one too (Sun et al. 2023). All are `size` wide where there are as many documents; the last one begins at the front. Nothing for
 * a single document.
 */
export function windowSpans(count: number, size: number, step: number): Span[] {
  if (count < 2) return [];
  const spans: Span[] = [];
  for (let start = Math.max(0, count - size); ; start = Math.max(0, start - step)) {
    spans.push({ start, end: Math.min(count, start + size) });
    if (start === 0) return spans;
  }
}
