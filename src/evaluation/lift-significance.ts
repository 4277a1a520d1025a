/** What several comparisons on the same queries allow to say. */
import { type CompareOptions, compareSystems } from "./compare.js";
import { mean } from "./evaluate.js";

/** Differences with a p value below are called significant. */
export const SIGNIFICANCE = 0.05;
/** What loses no more than this share of the best value is as good as the best. */
export const TOLERANCE = 0.01;

/**
 * p values corrected for being several, in their order: the chance that any of the tests rejects wrongly is at most that of one
 * (Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979).
 */
export function holm(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let least = 0;
  for (const [rank, place] of order.entries()) {
    least = Math.max(least, Math.min(1, (pValues.length - rank) * pValues[place]!));
    adjusted[place] = least;
  }
  return adjusted;
}

/**
 * The place of the first system that is as good as the best of them: at most 1 % below it, and not significantly worse by a paired
 * randomization test (uncorrected, which is the stricter demand here). Values are those of one metric, by query.
 *
 * @throws INVALID_ARGUMENT when the systems do not cover the same queries
 */
export function firstAdequate(
  systems: ReadonlyArray<ReadonlyMap<string, number>>,
  options: CompareOptions = {},
): number {
  const means = systems.map((values) => mean([...values.values()]));
  const best = means.indexOf(Math.max(...means));
  return systems.findIndex((values, i) => {
    if (i === best) return true;
    if (means[i]! < (1 - TOLERANCE) * means[best]!) return false;
    const { difference, pValue } = compareSystems(systems[best]!, values, options);
    return difference >= 0 || pValue >= SIGNIFICANCE;
  });
}
