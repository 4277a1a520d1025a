/** A part of the documents of a generation, as each way of searching takes it. */
import type { DocumentSet } from "../documents/document-set.js";
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
    base: SearchSnapshot,
    readonly documents: DocumentSet,
  ) {
    this.snapshot = restrictSnapshot(base, documents);
  }

  /** Bytes of memory beside those of the generation. */
  get bytes(): number {
    return this.documents.bytes + partBytes(this.snapshot);
  }
}
