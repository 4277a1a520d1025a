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

/**
 * All entries, best first; ties to the document that was added first.
 *
 * "rrf": alpha / (60 + rank by MaxSim) + (1 - alpha) / (60 + rank by BM25), ranks from 1, nothing for a missing one.
 *
 * "scores": alpha * late + (1 - alpha) * lexical, where `late` is MaxSim between the lowest (0) and the highest (1) of the
 * entries, and `lexical` BM25 between 0 and the highest (1).
 */
export function fuse(entries: readonly FusionEntry[], { method, alpha }: FusionMethod): FusedDocument[] {
  const scoreOf = method === "rrf" ? byRanks(entries, alpha) : byScores(entries, alpha);
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

function byScores(entries: readonly FusionEntry[], alpha: number): (entry: FusionEntry) => number {
  const late = entries.flatMap((entry) => entry.late ?? []);
  const lowest = Math.min(...late);
  const span = Math.max(...late) - lowest;
  const highest = Math.max(0, ...entries.map(({ lexical = 0 }) => lexical));
  return (entry) => {
    const similar = entry.late === undefined ? 0 : span > 0 ? (entry.late - lowest) / span : 1;
    const worded = highest > 0 ? (entry.lexical ?? 0) / highest : 0;
    return alpha * similar + (1 - alpha) * worded;
  };
}
