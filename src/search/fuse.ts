/** One ranking of two: by reciprocal ranks (Cormack, Clarke, Buettcher 2009), or by scores on a common scale. */

export interface FusionMethod {
  readonly method: "rrf" | "scores";
  /** Weight of late interaction, 0 to 1; the rest is that of BM25. */
  readonly alpha: number;
}

/** A document with what each ranking gave it. */
export interface FusionEntry {
  readonly documentNo: number;
  /** MaxSim; undefined when it was not computed. */
  readonly late: number | undefined;
  /** BM25; undefined for a document that is not among the best by words. */
  readonly lexical: number | undefined;
}

export interface FusedDocument extends FusionEntry {
  readonly score: number;
}

/** Softens the difference between the first ranks. */
const RRF_K = 60;

/** What scores are divided by to be comparable. */
export interface FusionScale {
  /** Token vectors of the query: MaxSim of a passage that has them all. */
  readonly late: number;
  /** BM25 of a passage that has all terms of the query, as far as that can be said. */
  readonly lexical: number;
}

/**
 * All entries, best first; ties to the document that was added first.
 *
 * "rrf": alpha / (60 + rank by MaxSim) + (1 - alpha) / (60 + rank by BM25), ranks from 1, nothing for a missing one.
 *
 * "scores": alpha * late / scale.late + (1 - alpha) * min(1, lexical / scale.lexical), nothing for a missing one. The scales
 * belong to the query, not to what was found, so a ranking by words that fits badly has little to say.
 */
export function fuse(
  entries: readonly FusionEntry[],
  { method, alpha }: FusionMethod,
  scale: FusionScale,
): FusedDocument[] {
  const scoreOf = method === "rrf" ? byRanks(entries, alpha) : byScores(alpha, scale);
  return entries
    .map((entry) => ({ ...entry, score: scoreOf(entry) }))
    .sort((a, b) => b.score - a.score || a.documentNo - b.documentNo);
}

function byRanks(entries: readonly FusionEntry[], alpha: number): (entry: FusionEntry) => number {
  const late = ranks(entries, "late");
  const lexical = ranks(entries, "lexical");
  const part = (rank: number | undefined): number => (rank === undefined ? 0 : 1 / (RRF_K + rank));
  return ({ documentNo }) => alpha * part(late.get(documentNo)) + (1 - alpha) * part(lexical.get(documentNo));
}

function ranks(entries: readonly FusionEntry[], which: "late" | "lexical"): Map<number, number> {
  const scored = entries.filter((entry) => entry[which] !== undefined);
  scored.sort((a, b) => b[which]! - a[which]! || a.documentNo - b.documentNo);
  return new Map(scored.map(({ documentNo }, i) => [documentNo, i + 1]));
}

function byScores(alpha: number, scale: FusionScale): (entry: FusionEntry) => number {
  return ({ late = 0, lexical = 0 }) => {
    const worded = scale.lexical > 0 ? Math.min(1, lexical / scale.lexical) : 0;
    return (alpha * late) / scale.late + (1 - alpha) * worded;
  };
}
