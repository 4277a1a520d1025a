/** From ranked documents to hits: text of the best passage, place, snippet. */
import { MaxsimError } from "../common/errors.js";
import type { Catalog } from "../documents/catalog.js";
import type { StoredDocument, StoredPassage } from "../documents/records.js";
import type { RankedDocument } from "../search/types.js";
import { makeSnippet } from "../text/snippet.js";
import type { Hit } from "./options.js";

/** `query` null: a search by vectors, whose snippets are beginnings of passages. */
export function hydrate(
  catalog: Catalog,
  generation: number,
  ranked: readonly RankedDocument[],
  query: string | null,
): Hit[] {
  const documents = catalog.documents(
    ranked.map(({ documentNo }) => documentNo),
    generation,
  );
  const passages = catalog.passages(ranked.map(({ passageNo }) => passageNo));
  return ranked.map((entry, i) => {
    const document = documents.get(entry.documentNo);
    const passage = passages.get(entry.passageNo);
    if (document === undefined || passage === undefined || !belongs(passage, document)) {
      throw new MaxsimError(
        "CORRUPT",
        `${catalog.path}: passage ${entry.passageNo}, which a segment names, does not fit its document ${entry.documentNo}`,
        { hint: "Run maxsim verify to learn what is damaged, and maxsim repair." },
      );
    }
    return hit(document, passage, entry.score, i + 1, query);
  });
}

function belongs(
  { documentNo, passageNo, start, end }: StoredPassage,
  { documentNo: of, firstPassage, passages, text }: StoredDocument,
): boolean {
  const inDocument = passageNo >= firstPassage && passageNo < firstPassage + passages;
  return documentNo === of && inDocument && start >= 0 && start <= end && end <= text.length;
}

function hit(
  document: StoredDocument,
  passage: StoredPassage,
  score: number,
  rank: number,
  query: string | null,
): Hit {
  const text = document.text.slice(passage.start, passage.end);
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
    },
    snippet: makeSnippet(text, query ?? ""),
  };
}
