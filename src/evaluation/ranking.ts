/** The order of retrieved documents that every metric is computed on. */
import { MaxsimError } from "../common/errors.js";
import type { RankedDocument } from "./types.js";

/**
 * Document ids best first: by score descending, then by id descending, as trec_eval orders them. It reads scores into 32-bit
 * floats, so those that differ only beyond that are ties; the order of the ids is that of their UTF-8 bytes.
 *
 * @throws INVALID_ARGUMENT for a score that is not finite or a document that occurs twice
 */
export function rankDocuments(queryId: string, documents: readonly RankedDocument[]): string[] {
  const seen = new Set<string>();
  for (const { id, score } of documents) {
    if (!Number.isFinite(score)) {
      throw new MaxsimError(
        "INVALID_ARGUMENT",
        `the run of query ${queryId} must give finite scores, found ${score} for document ${id}`,
      );
    }
    if (seen.has(id)) {
      throw new MaxsimError("INVALID_ARGUMENT", `the run of query ${queryId} names document ${id} twice`, {
        hint: "Keep each document once, with its best score.",
      });
    }
    seen.add(id);
  }
  return documents
    .map(({ id, score }) => ({ id, score: Math.fround(score) }))
    .sort((a, b) => (a.score === b.score ? compareBytes(b.id, a.id) : b.score > a.score ? 1 : -1))
    .map(({ id }) => id);
}

/** UTF-16 order, which `<` has, differs from the order of UTF-8 bytes beyond the basic plane. */
function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
