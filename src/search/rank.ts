/** From scored passages to ranked documents: a document has the score of its best passage. */
import { TopK } from "../common/top-k.js";
import type { RankedDocument, ScoredPassages } from "./types.js";

/**
 * The k best documents, score descending, ties to the document that was added first. Passages without
 * tokens (score -Infinity) never count; deleted ones are not scored in the first place.
 */
export function rankDocuments(scored: readonly ScoredPassages[], k: number): RankedDocument[] {
  const top = new TopK(k);
  const bestPassage = new Map<number, number>();
  for (const { segment, passages, scores } of scored) {
    const { documents, firstPassage } = segment;
    let document = -1;
    let score = Number.NEGATIVE_INFINITY;
    let passage = -1;
    const flush = (): void => {
      if (score === Number.NEGATIVE_INFINITY) return;
      top.push(score, document);
      bestPassage.set(document, passage);
    };
    for (let i = 0; i < scores.length; i++) {
      const p = passages === null ? i : passages[i]!;
      if (documents[p] !== document) {
        flush();
        document = documents[p]!;
        score = Number.NEGATIVE_INFINITY;
      }
      if (scores[i]! > score) {
        score = scores[i]!;
        passage = firstPassage + p;
      }
    }
    flush();
  }
  return top.drain().map(({ score, id }) => ({ documentNo: id, score, passageNo: bestPassage.get(id)! }));
}

/** The ascending `limit` best passages of each segment, over all segments together; ties to the earlier passage. */
export function bestPassages(scored: readonly ScoredPassages[], limit: number): Uint32Array[] {
  const top = new TopK(limit);
  for (const { segment, passages, scores } of scored) {
    for (let i = 0; i < scores.length; i++) {
      top.push(scores[i]!, segment.firstPassage + (passages === null ? i : passages[i]!));
    }
  }
  const kept = Uint32Array.from(top.drain(), (entry) => entry.id).sort();
  return scored.map(({ segment }) => {
    const from = lowerBound(kept, segment.firstPassage);
    const to = lowerBound(kept, segment.firstPassage + segment.passages);
    return kept.subarray(from, to).map((passageNo) => passageNo - segment.firstPassage);
  });
}

function lowerBound(values: Uint32Array, target: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < target) low = middle + 1;
    else high = middle;
  }
  return low;
}
