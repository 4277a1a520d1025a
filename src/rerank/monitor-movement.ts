/** How far a reranker moves documents. */

/** Places that count as the top. */
export const TOPS = [1, 3, 10] as const;

export type Top = (typeof TOPS)[number];

/** Of one request; what cannot be said of it is undefined. */
export interface Movement {
  /** For the first 1, 3 and 10 places of the new order: how far, on average, their documents were from there in the old one. */
  readonly top: Readonly<Record<Top, number | undefined>>;
  /** The same for all documents that came back. */
  readonly all: number;
  /** Whether another document is the first now. */
  readonly newFirst: boolean;
  /** Share of the first ten that were among the first ten before; only with more than ten documents. */
  readonly topKept: number | undefined;
  /** Share of the pairs of documents that came back whose order is the other way round now, from 0 to 1. Kendall's tau is 1 - 2 x. */
  readonly discordant: number | undefined;
}

/** `positions`: where the documents that came back, best first, stood before, from 0. `count`: documents of the request, at least 1. */
export function movementOf(positions: readonly number[], count: number): Movement {
  const moved = positions.map((position, place) => Math.abs(position - place));
  const farther = (places: number): number | undefined => {
    const wanted = Math.min(places, count);
    return moved.length < wanted ? undefined : mean(moved.slice(0, wanted));
  };
  const kept = positions.slice(0, 10).filter((position) => position < 10).length;
  return {
    top: { 1: farther(1), 3: farther(3), 10: farther(10) },
    all: mean(moved),
    newFirst: positions[0] !== 0,
    topKept: count > 10 && positions.length >= 10 ? kept / 10 : undefined,
    discordant:
      positions.length < 2
        ? undefined
        : inversions([...positions]) / ((positions.length * (positions.length - 1)) / 2),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Pairs that are not in ascending order, by merging; sorts `values`. */
function inversions(values: number[]): number {
  let found = 0;
  for (let width = 1; width < values.length; width *= 2) {
    for (let from = 0; from + width < values.length; from += 2 * width) {
      const left = values.slice(from, from + width);
      const right = values.slice(from + width, from + 2 * width);
      let l = 0;
      let r = 0;
      for (let at = from; at < from + left.length + right.length; at++) {
        if (r >= right.length || (l < left.length && left[l]! <= right[r]!)) values[at] = left[l++]!;
        else {
          values[at] = right[r++]!;
          found += left.length - l;
        }
      }
    }
  }
  return found;
}
