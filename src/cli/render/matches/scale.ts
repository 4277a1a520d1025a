/** The scale on which drawings show similarities: the same steps in a terminal and on a page. */

/**
 * Lower bounds of the steps 1, 2, ...; below the first is step 0, which is drawn like text that matches nothing. Tokens
 * that have nothing to do with each other have similarities up to about 0.4.
 */
export const STEP_BOUNDS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

/** Steps, with step 0. */
export const STEPS = STEP_BOUNDS.length + 1;

/** The step of a similarity as it is shown, with two decimals: what reads 0.90 has the step that begins there. */
export function stepOf(similarity: number): number {
  const shown = Number(similarity.toFixed(2));
  return STEP_BOUNDS.filter((bound) => shown >= bound).length;
}
