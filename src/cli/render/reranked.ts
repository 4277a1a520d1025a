/** Reranked candidates as hits for people. */
import { documentFields, documentId, documentText } from "../../rerank/document-text.js";
import type { RerankDocument } from "../../rerank/types.js";
import { makeSnippet } from "../../text/snippet.js";
import type { RenderableHit } from "./results.js";

/** @param documents the candidates, which `index` counts. @param fields whose values are their texts. */
export function rerankedHits(
  query: string,
  results: ReadonlyArray<{ readonly index: number; readonly score: number }>,
  documents: readonly RerankDocument[],
  fields: readonly string[],
): RenderableHit[] {
  return results.map(({ index, score }, i): RenderableHit => {
    const document = documents[index]!;
    const place = `#${index + 1}`;
    const object = documentFields(document);
    const title = object?.title;
    const titled = typeof title === "string";
    // The title has a place of its own, unless it is all that there is.
    const others = fields.filter((field) => field !== "title");
    const more = others.some((field) => (object?.[field] ?? null) !== null);
    const text = documentText(`document ${index}`, document, titled && more ? others : fields);
    const { highlights, cutBefore, cutAfter, ...snippet } = makeSnippet(text, query);
    return {
      rank: i + 1,
      score,
      id: documentId(document) ?? place,
      ...(titled ? { title } : {}),
      remark: `was ${index + 1}`,
      snippet: { text: snippet.text, highlights, leadingEllipsis: cutBefore, trailingEllipsis: cutAfter },
    };
  });
}
