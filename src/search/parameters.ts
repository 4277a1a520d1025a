/** Parameters of one search. They belong to the call; nothing here is remembered between calls. */
import { checkInteger, checkNumber, checkOneOf } from "../common/check.js";
import type { RouterName } from "./router.js";

export type SearchEffort = "fast" | "balanced" | "exact";

export interface SearchParameters {
  /** Centroids probed for each query token. */
  readonly nprobe: number;
  /** The same where a filter leaves a quarter of the generation's tokens or less. */
  readonly partNprobe: number;
  /** Passages that centroid interaction scores, the best of the gather stage. */
  readonly approximate: number;
  /** Passages that are scored exactly, the best of centroid interaction. */
  readonly refine: number;
  /**
   * Standard deviations by which the exact score of the next passage would have to exceed what its approximate score lets
   * expect, for it to come among the best k: from this on the rest is left out.
   */
  readonly margin: number;
  /** Documents whose final scores are computed in float32; 0 for none. */
  readonly rescore: number;
  /** Token vectors up to which every live passage is scored, without candidate generation. */
  readonly exhaustiveTokens: number;
  readonly router: RouterName;
}

/** What a caller may set; everything else follows from `effort` and `k`. */
export interface SearchTuning {
  /** "fast", "balanced" (default) or "exact" (every live passage is scored). */
  readonly effort?: SearchEffort;
  readonly nprobe?: number;
  readonly approximate?: number;
  readonly refine?: number;
  readonly margin?: number;
  /** Documents whose final scores are computed in float32 from the stored vectors. Default 0: about 0.1 ms each. */
  readonly rescore?: number;
  readonly exhaustiveTokens?: number;
  /**
   * How the nearest centroids are found: "scan" (exact), "hnsw", a graph that is built at the first search that asks for
   * it and may miss a centroid, or "auto" (default): a scan, but from four million centroids on the graph once it is built.
   */
  readonly router?: RouterName;
}

/**
 * Measured in docs/performance.md, "Parameters". `exhaustiveTokens`: on a small corpus the pruned plan refines most of it in any
 * case, and the exact answer costs little. Scoring everything takes 0.9 ms at 50,000 tokens, 2 at 100,000 and 6 to 8 at
 * 200,000, where the balanced plan takes 0.6, 0.7 and 0.9 ("Small corpora").
 */
const EFFORTS: Record<
  SearchEffort,
  { nprobe: number; approximate: number; refine: number; margin: number; exhaustiveTokens: number }
> = {
  fast: { nprobe: 4, approximate: 1024, refine: 256, margin: 2.25, exhaustiveTokens: 25_000 },
  balanced: { nprobe: 8, approximate: 4096, refine: 1024, margin: 2.75, exhaustiveTokens: 100_000 },
  exact: {
    nprobe: 32,
    approximate: 16_384,
    refine: 4096,
    margin: 100,
    exhaustiveTokens: Number.MAX_SAFE_INTEGER,
  },
};

/**
 * The lists of a generation's centroids hold few passages of a small part of it: with 2 % of 65,000 passages left, twice as many
 * centroids find 0.995 of the ten best instead of 0.982, and gathering takes 0.15 ms more (docs/filters.md, "Cost").
 */
const PART_FACTOR = 2;

/** The parameters of a search for `k` documents: deeper stages never keep fewer passages than `4 * k`. */
export function searchParameters(k: number, tuning: SearchTuning): SearchParameters {
  const effort = checkOneOf("effort", tuning.effort ?? "balanced", ["fast", "balanced", "exact"] as const);
  const defaults = EFFORTS[effort];
  const refine = checkInteger("refine", tuning.refine ?? Math.max(defaults.refine, 4 * k), 1);
  return {
    nprobe: checkInteger("nprobe", tuning.nprobe ?? defaults.nprobe, 1),
    partNprobe: tuning.nprobe ?? PART_FACTOR * defaults.nprobe,
    refine,
    approximate: checkInteger(
      "approximate",
      tuning.approximate ?? Math.max(defaults.approximate, 4 * refine),
      1,
    ),
    margin: checkNumber("margin", tuning.margin ?? defaults.margin, 0),
    rescore: checkInteger("rescore", tuning.rescore ?? 0, 0),
    exhaustiveTokens: checkInteger(
      "exhaustiveTokens",
      tuning.exhaustiveTokens ?? defaults.exhaustiveTokens,
      0,
    ),
    router: checkOneOf("router", tuning.router ?? "auto", ["auto", "scan", "hnsw"] as const),
  };
}
