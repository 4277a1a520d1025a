/** Selection of the highest scores in plain TypeScript. */
import { checkSelectTop } from "../arguments.js";

const BINS = 4096;
const counts = new Uint32Array(BINS);

/**
 * See `KernelBackend.selectTop`. A histogram finds the bin in which the limit falls, so that only the scores of that bin
 * are sorted: linear in the scores.
 */
export function selectTop(scores: Float32Array, limit: number, out: Uint32Array): number {
  const count = checkSelectTop(scores, limit, out);
  if (count === scores.length) {
    for (let i = 0; i < count; i++) out[i] = i;
    return count;
  }
  if (count === 0) return 0;
  const { low, scale } = finiteRange(scores);
  // Bin 0 is for NaN and -Infinity, the last one for Infinity.
  const binOf = (score: number): number => {
    if (!(score > Number.NEGATIVE_INFINITY)) return 0;
    if (score === Number.POSITIVE_INFINITY) return BINS - 1;
    return 1 + Math.trunc((score - low) * scale);
  };
  counts.fill(0);
  for (const score of scores) {
    const bin = binOf(score);
    counts[bin] = counts[bin]! + 1;
  }
  let border = BINS - 1;
  let above = 0;
  while (above + counts[border]! < count) above += counts[border--]!;

  const tied: number[] = [];
  for (let i = 0; i < scores.length; i++) if (binOf(scores[i]!) === border) tied.push(i);
  const key = (i: number): number => (Number.isNaN(scores[i]!) ? Number.NEGATIVE_INFINITY : scores[i]!);
  tied.sort((a, b) => (key(a) === key(b) ? a - b : key(b) - key(a)));
  const taken = new Set(tied.slice(0, count - above));
  let size = 0;
  for (let i = 0; i < scores.length && size < count; i++) {
    const bin = binOf(scores[i]!);
    if (bin > border || (bin === border && taken.has(i))) out[size++] = i;
  }
  return count;
}

/** Lowest finite score, and what a distance from it is multiplied with to become a bin from 0 to BINS - 3. */
function finiteRange(scores: Float32Array): { low: number; scale: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    if (!Number.isFinite(score)) continue;
    if (score < low) low = score;
    if (score > high) high = score;
  }
  return { low, scale: high > low ? (BINS - 3) / (high - low) : 0 };
}
