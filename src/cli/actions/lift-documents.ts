/** Texts of the candidates: from the index, or from the corpus where no index is needed. */
import { resolve } from "node:path";
import { MaxsimError } from "../../common/errors.js";
import { readCorpus } from "../../datasets/corpus.js";
import type { DocumentInput } from "../../documents/types.js";
import { CatalogView } from "../../engine/catalog-view.js";
import type { RerankCandidate } from "./lift-runs.js";

export interface CandidateTexts {
  readonly documents: number;
  /** Those of the ids that there are documents of. */
  present(ids: readonly string[]): ReadonlySet<string>;
  /** The whole documents. Errors: UNKNOWN_DOCUMENT. */
  read(ids: readonly string[]): RerankCandidate[];
  close(): void;
}

/** Errors: those of CatalogView.open. */
export function indexTexts(folder: string): CandidateTexts {
  const view = CatalogView.open(folder);
  return {
    documents: view.documents,
    present: (ids) => view.present(ids),
    read: (ids) => ids.map((id) => candidateOf(id, view.get(id), folder)),
    close: () => view.close(),
  };
}

/** Holds the whole corpus in memory. Errors: those of readCorpus. */
export async function corpusTexts(corpus: string, signal: AbortSignal): Promise<CandidateTexts> {
  const documents = new Map<string, RerankCandidate>();
  for await (const item of readCorpus([resolve(corpus)], { signal })) {
    if (item.kind !== "document") continue;
    documents.set(item.document.id, candidateOf(item.document.id, item.document, corpus));
  }
  return {
    documents: documents.size,
    present: (ids) => new Set(ids.filter((id) => documents.has(id))),
    read: (ids) => ids.map((id) => documents.get(id) ?? candidateOf(id, undefined, corpus)),
    close: () => documents.clear(),
  };
}

function candidateOf(
  id: string,
  document: Pick<DocumentInput, "title" | "text"> | undefined,
  place: string,
): RerankCandidate {
  if (document === undefined) {
    throw new MaxsimError("UNKNOWN_DOCUMENT", `${place} has no document ${JSON.stringify(id)}`, {
      hint: "Somebody changes the index meanwhile: run the comparison again.",
    });
  }
  const { title, text } = document;
  return title === undefined ? { id, text } : { id, title, text };
}
