/** From ranked documents to hits: text of the best passage, place, snippet, token matches. */
import { MaxsimError } from "../common/errors.js";
import type { Catalog } from "../documents/catalog.js";
import type { StoredDocument, StoredPassage } from "../documents/records.js";
import type { RerankFields } from "../rerank/types.js";
import type { RankedDocument } from "../search/types.js";
import { positionUnitOf } from "../text/positions.js";
import { makeSnippet, type Snippet, snippetOf } from "../text/snippet.js";
import { type AskedText, type ComparedHit, compareHits, type HitComparison } from "./compared-hits.js";
import type { Hit, SearchOptions } from "./options.js";

/** What hits show of why they match. */
export interface HitPresentation {
  /** Null: a search by vectors, whose snippets are beginnings of passages. */
  readonly asked: AskedText | null;
  readonly snippets: NonNullable<SearchOptions["snippets"]>;
  readonly explain: boolean;
  /** Null: there are no token vectors to compare with, so snippets are made from words. */
  readonly comparison: HitComparison | null;
}

/** A ranked document with its rows. */
interface Found {
  readonly document: StoredDocument;
  readonly passage: StoredPassage;
  readonly text: string;
  readonly score: number;
}

/** The hits of `ranked`, in their order. Errors: CORRUPT, CLOSED. */
export async function hydrate(
  catalog: Catalog,
  generation: number,
  ranked: readonly RankedDocument[],
  presentation: HitPresentation,
): Promise<Hit[]> {
  const found = findRows(catalog, generation, ranked);
  const compared = await compare(found, presentation);
  return found.map((entry, i) => hit(entry, i + 1, presentation, compared[i]));
}

/**
 * What a reranker reads of ranked documents: id, title, url, the text of the best passage and its `context`, and metadata under names
 * of their own. Errors: CORRUPT.
 */
export function rerankFields(
  catalog: Catalog,
  generation: number,
  ranked: readonly RankedDocument[],
): RerankFields[] {
  return findRows(catalog, generation, ranked).map(({ document, passage, text }) => {
    const { id, title, url, metadata } = document;
    return {
      ...metadata,
      ...{ id, text, context: passage.context },
      ...(title === undefined ? {} : { title }),
      ...(url === undefined ? {} : { url }),
    };
  });
}

function findRows(catalog: Catalog, generation: number, ranked: readonly RankedDocument[]): Found[] {
  const documents = catalog.documents(
    ranked.map(({ documentNo }) => documentNo),
    generation,
  );
  const passages = catalog.passages(ranked.map(({ passageNo }) => passageNo));
  return ranked.map(({ documentNo, passageNo, score }) => {
    const document = documents.get(documentNo);
    const passage = passages.get(passageNo);
    if (document === undefined || passage === undefined || !belongs(passage, document)) {
      throw new MaxsimError(
        "CORRUPT",
        `${catalog.path}: passage ${passageNo}, which a segment names, does not fit its document ${documentNo}`,
        { hint: "Run maxsim verify to learn what is damaged, and maxsim repair." },
      );
    }
    return { document, passage, text: document.text.slice(passage.start, passage.end), score };
  });
}

function belongs(
  { documentNo, passageNo, start, end }: StoredPassage,
  { documentNo: of, firstPassage, passages, text }: StoredDocument,
): boolean {
  const inDocument = passageNo >= firstPassage && passageNo < firstPassage + passages;
  return documentNo === of && inDocument && start >= 0 && start <= end && end <= text.length;
}

async function compare(
  found: readonly Found[],
  { asked, snippets, explain, comparison }: HitPresentation,
): Promise<ReadonlyArray<ComparedHit | undefined>> {
  const wanted = explain || snippets === "matches";
  if (!wanted || asked === null || comparison === null || found.length === 0) return [];
  const passages = found.map(({ passage, text }) => {
    return { passageNo: passage.passageNo, context: passage.context, text };
  });
  return compareHits(comparison, asked, passages, explain);
}

function hit(
  { document, passage, text, score }: Found,
  rank: number,
  presentation: HitPresentation,
  compared: ComparedHit | undefined,
): Hit {
  return {
    rank,
    score,
    id: document.id,
    text,
    ...(document.title === undefined ? {} : { title: document.title }),
    ...(document.url === undefined ? {} : { url: document.url }),
    metadata: document.metadata,
    ...(document.source === undefined ? {} : { source: document.source }),
    passage: {
      index: passage.passageNo - document.firstPassage,
      start: passage.start,
      end: passage.end,
      lineStart: passage.lineStart,
      lineEnd: passage.lineEnd,
      positionUnit: positionUnitOf(document.source?.path),
      context: passage.context,
    },
    snippet: snippetFor(text, presentation, compared),
    ...(compared?.matches === undefined ? {} : { matches: compared.matches }),
  };
}

function snippetFor(
  text: string,
  { asked, snippets }: HitPresentation,
  compared: ComparedHit | undefined,
): Snippet {
  if (snippets === "none") {
    return { text: "", start: 0, highlights: [], cutBefore: false, cutAfter: text.trim() !== "" };
  }
  if (snippets === "matches" && compared !== undefined && compared.words.length > 0) {
    return snippetOf(text, compared.words);
  }
  return makeSnippet(text, asked?.text ?? "");
}
