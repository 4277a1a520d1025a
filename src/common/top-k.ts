/**
 * The k best of a stream of (score, id): higher score first, ties to the lower id. A binary heap with the worst
 * kept entry on top, so that most entries of a long stream cost one comparison.
 */
export class TopK {
  private readonly capacity: number;
  private readonly scores: Float64Array;
  private readonly ids: Float64Array;
  private length = 0;

  constructor(k: number) {
    this.capacity = k;
    this.scores = new Float64Array(k);
    this.ids = new Float64Array(k);
  }

  get size(): number {
    return this.length;
  }

  push(score: number, id: number): void {
    if (this.length < this.capacity) {
      this.siftUp(this.length++, score, id);
    } else if (this.capacity > 0 && this.worse(this.scores[0]!, this.ids[0]!, score, id)) {
      this.siftDown(score, id);
    }
  }

  /** The kept entries, best first. The heap is empty afterwards. */
  drain(): Array<{ score: number; id: number }> {
    const entries = Array.from({ length: this.length }, (_, i) => ({
      score: this.scores[i]!,
      id: this.ids[i]!,
    }));
    this.length = 0;
    return entries.sort((a, b) => b.score - a.score || a.id - b.id);
  }

  private worse(scoreA: number, idA: number, scoreB: number, idB: number): boolean {
    return scoreA < scoreB || (scoreA === scoreB && idA > idB);
  }

  private siftUp(start: number, score: number, id: number): void {
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.worse(score, id, this.scores[parent]!, this.ids[parent]!)) break;
      this.scores[i] = this.scores[parent]!;
      this.ids[i] = this.ids[parent]!;
      i = parent;
    }
    this.scores[i] = score;
    this.ids[i] = id;
  }

  private siftDown(score: number, id: number): void {
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= this.length) break;
      const right = child + 1;
      if (
        right < this.length &&
        this.worse(this.scores[right]!, this.ids[right]!, this.scores[child]!, this.ids[child]!)
      ) {
        child = right;
      }
      if (!this.worse(this.scores[child]!, this.ids[child]!, score, id)) break;
      this.scores[i] = this.scores[child]!;
      this.ids[i] = this.ids[child]!;
      i = child;
    }
    this.scores[i] = score;
    this.ids[i] = id;
  }
}
