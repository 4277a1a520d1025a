/** Selection of the best of many scored passages without sorting them. */

const BINS = 4096;
const counts = new Uint32Array(BINS);

/**
 * The `limit` of `candidates` with the highest scores (`scores` is indexed by candidate), ascending by number;
 * ties go to the lower number. Scores are finite. A histogram finds the bin in which the limit falls, so that only
 * the candidates of that bin are sorted: linear in the candidates.
 */
export function selectBest(candidates: Uint32Array, scores: Float32Array, limit: number): Uint32Array {
  if (candidates.length <= limit) return candidates.slice().sort();
  if (limit === 0) return new Uint32Array(0);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < candidates.length; i++) {
    const score = scores[candidates[i]!]!;
    if (score < low) low = score;
    if (score > high) high = score;
  }
  const scale = high > low ? (BINS - 1) / (high - low) : 0;
  counts.fill(0);
  for (let i = 0; i < candidates.length; i++) {
    const bin = ((scores[candidates[i]!]! - low) * scale) | 0;
    counts[bin] = counts[bin]! + 1;
  }
  let border = BINS - 1;
  let above = 0;
  while (above + counts[border]! < limit) above += counts[border--]!;

  const chosen = new Uint32Array(limit);
  const tied: number[] = [];
  let size = 0;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i]!;
    const bin = ((scores[candidate]! - low) * scale) | 0;
    if (bin > border) chosen[size++] = candidate;
    else if (bin === border) tied.push(candidate);
  }
  tied.sort((a, b) => scores[b]! - scores[a]! || a - b);
  for (let i = 0; size < limit; i++) chosen[size++] = tied[i]!;
  return chosen.sort();
}
