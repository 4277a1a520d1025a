/** A part of the documents of a generation, as each way of searching takes it. */
import type { DocumentSet } from "../documents/document-set.js";
import { ordinalOf, type Segment } from "../indexing/segment.js";
import { partBytes, restrictSnapshot } from "../search/restricted-snapshot.js";
import type { SearchSnapshot } from "../search/types.js";

export class Restriction {
  /** What a search with token vectors goes through. */
  readonly snapshot: SearchSnapshot;

  /**
   * @param base the whole generation. @param documents of which the live ones remain; from elsewhere than a filter as well, such
   * as those that hold a phrase.
   */
  constructor(
    private readonly base: SearchSnapshot,
    readonly documents: DocumentSet,
  ) {
    this.snapshot = restrictSnapshot(base, documents);
  }

  /** Bytes of memory beside those of the generation. */
  get bytes(): number {
    return this.documents.bytes + partBytes(this.snapshot);
  }

  /** Whether a passage belongs to a live document that remains; false for a number that no passage has. */
  accepts(passageNo: number): boolean {
    for (const segment of this.snapshot.segments) {
      const { numbers, dead } = segment;
      if (passageNo > numbers.at(-1)!) continue;
      const ordinal = placeOf(segment, passageNo);
      return numbers[ordinal] === passageNo && dead?.[ordinal] !== 1;
    }
    return false;
  }

  /** What is in the set as well. */
  and(documents: DocumentSet): Restriction {
    return new Restriction(this.base, this.documents.and(documents));
  }

  /** What is not in the set. */
  without(documents: DocumentSet): Restriction {
    return new Restriction(this.base, this.documents.without(documents));
  }
}

/** Numbers of a segment have gaps only where compaction dropped passages. */
function placeOf({ numbers, passages }: Segment, passageNo: number): number {
  const first = numbers[0]!;
  if (passageNo < first) return passages;
  return numbers[passages - 1]! - first === passages - 1 ? passageNo - first : ordinalOf(numbers, passageNo);
}
