/** Search by words in what a snapshot shows of the full-text table. */
import type { Catalog } from "../documents/catalog.js";
import { DocumentSet } from "../documents/document-set.js";
import { lexicalKind, type Snapshot } from "../documents/records.js";
import { placeOfPassage } from "../indexing/segment.js";
import { queryTerms } from "../lexical/terms.js";
import { TopDocuments } from "../search/top-documents.js";
import type { RankedDocument, SearchSnapshot } from "../search/types.js";

/**
 * Passages that one search scores at most, 20 to 40 ms: beyond it the most frequent words of a query are left out. At 65,000
 * passages hardly a query reaches it; at a million the words that are left out tell little.
 */
const BUDGET = 25_000;
/** Several passages of one document count once: so many passages are looked at for each document wanted. */
const PASSAGES_PER_DOCUMENT = 4;

const visible = new WeakMap<SearchSnapshot, Uint8Array>();

/** 1 for the number of each passage that the snapshot searches. */
function visiblePassages(snapshot: SearchSnapshot): Uint8Array {
  const known = visible.get(snapshot);
  if (known !== undefined) return known;
  const end = Math.max(0, ...snapshot.segments.map(({ numbers }) => (numbers.at(-1) ?? -1) + 1));
  const marks = new Uint8Array(end);
  for (const { numbers, live } of snapshot.segments) {
    if (live === null) for (const number of numbers) marks[number] = 1;
    else for (const ordinal of live) marks[numbers[ordinal]!] = 1;
  }
  visible.set(snapshot, marks);
  return marks;
}

/** The document of a passage that the snapshot has, dead or live; undefined for one that it has not. */
function documentOf({ segments }: SearchSnapshot, passageNo: number): number | undefined {
  const place = placeOfPassage(segments, passageNo);
  return place?.segment.documents[place.ordinal];
}

export interface RankedByWords {
  /** By their best passage; fewer than wanted when no more documents have one of the words. */
  readonly ranked: readonly RankedDocument[];
  /** See `WordRanking`. */
  readonly scale: number;
}

/** The best documents for the words of a text. Errors: NO_LEXICAL_INDEX. */
export function documentsByWords(
  catalog: Catalog,
  snapshot: SearchSnapshot,
  { settings, passages }: Snapshot,
  text: string,
  limit: number,
): RankedByWords {
  const terms = queryTerms(text, lexicalKind(settings));
  const accepted = visiblePassages(snapshot);
  for (let wanted = limit * PASSAGES_PER_DOCUMENT; ; wanted *= PASSAGES_PER_DOCUMENT) {
    const search = { terms, accepted, limit: wanted, passages, budget: BUDGET };
    const { found, scale } = catalog.searchWords(search);
    const top = new TopDocuments(limit);
    for (const { passageNo, score } of found) {
      const documentNo = documentOf(snapshot, passageNo);
      if (documentNo !== undefined) top.push(documentNo, passageNo, score);
    }
    if (top.size === limit || found.length < wanted) return { ranked: top.ranked(), scale };
  }
}

/** Documents of the snapshot with a passage that holds the words side by side. Errors: NO_LEXICAL_INDEX. */
export function documentsWithPhrase(catalog: Catalog, snapshot: SearchSnapshot, phrase: string): DocumentSet {
  const documents = catalog
    .passagesWith(phrase)
    .flatMap((passageNo) => documentOf(snapshot, passageNo) ?? []);
  return DocumentSet.of(documents);
}
