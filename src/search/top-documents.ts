/** The best documents of a stream of scored passages: a document has the score of its best passage. */
import type { RankedDocument } from "./types.js";

/**
 * Keeps the k best documents: score descending, ties to the document that was added first; of the passages of a document
 * that score alike the first one. What is kept does not depend on the order of the pushes. Sorted arrays: nearly every
 * push of a long stream ends at its first comparison.
 */
export class TopDocuments {
  private readonly scores: Float64Array;
  private readonly documents: Float64Array;
  private readonly passages: Float64Array;
  private readonly scoreOf = new Map<number, number>();
  private length = 0;

  constructor(private readonly capacity: number) {
    this.scores = new Float64Array(capacity);
    this.documents = new Float64Array(capacity);
    this.passages = new Float64Array(capacity);
  }

  get size(): number {
    return this.length;
  }

  /** What a passage of a new document has to beat; -Infinity while there is room. */
  get threshold(): number {
    return this.length < this.capacity ? Number.NEGATIVE_INFINITY : this.scores[this.length - 1]!;
  }

  /** A score that is not finite, as a passage without tokens has, never counts. */
  push(documentNo: number, passageNo: number, score: number): void {
    const last = this.length - 1;
    if (this.length === this.capacity && !this.atLeast(score, documentNo, last)) return;
    if (!Number.isFinite(score)) return;
    const known = this.scoreOf.get(documentNo);
    if (known !== undefined) {
      if (score < known) return;
      const at = this.position(known, documentNo);
      if (score === known) {
        this.passages[at] = Math.min(this.passages[at]!, passageNo);
        return;
      }
      this.remove(at);
    } else if (this.length === this.capacity) {
      this.scoreOf.delete(this.documents[last]!);
      this.remove(last);
    }
    this.insert(this.position(score, documentNo), documentNo, passageNo, score);
  }

  /** Best first. */
  ranked(): RankedDocument[] {
    return Array.from({ length: this.length }, (_, i) => ({
      documentNo: this.documents[i]!,
      score: this.scores[i]!,
      passageNo: this.passages[i]!,
    }));
  }

  /** Whether (score, documentNo) stands at or before entry `i`. */
  private atLeast(score: number, documentNo: number, i: number): boolean {
    const other = this.scores[i]!;
    return score > other || (score === other && documentNo <= this.documents[i]!);
  }

  /** The first entry that (score, documentNo) stands at or before. */
  private position(score: number, documentNo: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.atLeast(score, documentNo, middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private insert(at: number, documentNo: number, passageNo: number, score: number): void {
    for (const [array, value] of [
      [this.scores, score],
      [this.documents, documentNo],
      [this.passages, passageNo],
    ] as const) {
      array.copyWithin(at + 1, at, this.length);
      array[at] = value;
    }
    this.scoreOf.set(documentNo, score);
    this.length++;
  }

  private remove(at: number): void {
    for (const array of [this.scores, this.documents, this.passages])
      array.copyWithin(at, at + 1, this.length);
    this.length--;
  }
}
