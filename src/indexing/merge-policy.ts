/**
 * Which segments are worth merging. A segment costs every search a look at its posting lists and every opening a file,
 * so their number is kept logarithmic in the size of the index: tiers of sizes that grow by a factor, and as many
 * neighbours of one tier, with smaller ones between them, become one segment of a higher tier. So a token is rewritten
 * about once a tier.
 *
 * Only neighbours are merged: passages stay in the order of their numbers, so that ties are broken as before.
 */

/** What the policy knows of a segment; segments come in the order of their passages. */
export interface MergeCandidate {
  /** Token vectors of all passages, and of those that are not deleted. */
  readonly tokens: number;
  readonly liveTokens: number;
}

/** Neighbouring segments that become one: `from` to `to - 1`. */
export interface MergeRun {
  readonly from: number;
  readonly to: number;
}

export interface MergeLimits {
  /** Live tokens that a merged segment holds at most. */
  readonly maxSegmentTokens: number;
  /** Live tokens that all runs together rewrite at most. */
  readonly budget: number;
}

/** Neighbours of a tier that are merged, and the factor between tiers: 8 segments of a tier make one of the next. */
export const MERGE_FACTOR = 8;
/** Segments below this many tokens are all of the lowest tier: some 200 passages of English. */
const LOWEST_TIER_TOKENS = 16_384;
/** A segment is rewritten when more than this share of its tokens belongs to deleted documents, and as many as a tier has. */
const MAX_DEAD_SHARE = 0.4;

function tierOf({ liveTokens }: MergeCandidate): number {
  let tier = 0;
  for (let bound = LOWEST_TIER_TOKENS; liveTokens >= bound; bound *= MERGE_FACTOR) tier++;
  return tier;
}

/** Runs that do not overlap, in the order of the segments; the cheapest tiers are served first. */
export function chooseMerges(segments: readonly MergeCandidate[], limits: MergeLimits): MergeRun[] {
  const taken = new Uint8Array(segments.length);
  const runs: MergeRun[] = [];
  let budget = limits.budget;
  const take = (run: MergeRun): void => {
    const cost = liveTokens(segments, run);
    if (cost > budget) return;
    budget -= cost;
    taken.fill(1, run.from, run.to);
    runs.push(run);
  };
  const highest = Math.max(0, ...segments.map(tierOf));
  for (let tier = 0; tier <= highest; tier++) {
    const free = (i: number): boolean => taken[i] === 0 && tierOf(segments[i]!) <= tier;
    for (const run of stretches(segments.length, free)) {
      for (const part of fitting(segments, run, limits.maxSegmentTokens)) {
        const equals = segments.slice(part.from, part.to).filter((segment) => tierOf(segment) === tier);
        if (equals.length >= MERGE_FACTOR) take(part);
      }
    }
  }
  segments.forEach(({ tokens, liveTokens: live }, i) => {
    const dead = tokens - live;
    if (taken[i] === 0 && dead > MAX_DEAD_SHARE * tokens && dead >= LOWEST_TIER_TOKENS) {
      take({ from: i, to: i + 1 });
    }
  });
  return runs.sort((a, b) => a.from - b.from);
}

/** As few segments as the limit allows, without deleted passages; segments that would stay as they are are left out. */
export function mergeEverything(segments: readonly MergeCandidate[], maxSegmentTokens: number): MergeRun[] {
  const all = { from: 0, to: segments.length };
  return fitting(segments, all, maxSegmentTokens).filter(({ from, to }) => {
    return to - from > 1 || segments[from]!.liveTokens < segments[from]!.tokens;
  });
}

function liveTokens(segments: readonly MergeCandidate[], { from, to }: MergeRun): number {
  return segments.slice(from, to).reduce((sum, segment) => sum + segment.liveTokens, 0);
}

/** Maximal runs of places for which `free` holds. */
function stretches(length: number, free: (i: number) => boolean): MergeRun[] {
  const runs: MergeRun[] = [];
  let from = 0;
  for (let i = 0; i <= length; i++) {
    if (i < length && free(i)) continue;
    if (i > from) runs.push({ from, to: i });
    from = i + 1;
  }
  return runs;
}

/** The run cut into parts that each fit one segment. */
function fitting(segments: readonly MergeCandidate[], run: MergeRun, maxSegmentTokens: number): MergeRun[] {
  const parts: MergeRun[] = [];
  let from = run.from;
  let sum = 0;
  for (let i = run.from; i < run.to; i++) {
    const { liveTokens: live } = segments[i]!;
    if (i > from && sum + live > maxSegmentTokens) {
      parts.push({ from, to: i });
      from = i;
      sum = 0;
    }
    sum += live;
  }
  if (run.to > from) parts.push({ from, to: run.to });
  return parts;
}
