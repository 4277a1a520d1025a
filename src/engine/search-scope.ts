/** Which documents a search looks at: all, or what the operators of its query leave. */
import type { Catalog } from "../documents/catalog.js";
import { DocumentSet } from "../documents/document-set.js";
import { lexicalKind } from "../documents/records.js";
import type { LexicalQuery } from "../lexical/query.js";
import type { Trace } from "../search/explain.js";
import type { SearchSnapshot } from "../search/types.js";
import type { LoadedSnapshot } from "./load-snapshot.js";
import type { Filtered } from "./restricting.js";
import { Restriction } from "./restriction.js";
import { documentsWithPhrase } from "./word-search.js";

export interface Scope {
  readonly snapshot: SearchSnapshot;
  /** What of the query could not be honoured, or leaves nothing: one sentence each. */
  readonly notes: readonly string[];
}

/**
 * What a filter left, or everything, without the documents that lack a phrase of the query or hold what it excludes.
 * @param whole the generation. @param filtered null without a filter.
 */
export function scopeOf(
  { catalog, loaded }: { readonly catalog: Catalog; readonly loaded: LoadedSnapshot },
  whole: SearchSnapshot,
  filtered: Filtered | null,
  asked: LexicalQuery | null,
  trace: Trace,
): Scope {
  const base = { snapshot: filtered?.restriction.snapshot ?? whole, notes: filtered?.notes ?? [] };
  if (asked === null || asked.phrases.length + asked.excluded.length === 0) return base;
  if (lexicalKind(loaded.catalog.settings) === "off") {
    const ignored = [
      ...asked.phrases.map((phrase) => `"${phrase}"`),
      ...asked.excluded.map((word) => `-${word}`),
    ];
    const note = `${ignored.join(", ")} could not be honoured: the index was made without words`;
    return { ...base, notes: [...base.notes, note] };
  }
  const notes = [...base.notes];
  const restriction = trace.measure(
    "restrict",
    "tokens",
    () => {
      let documents = filtered?.restriction.documents ?? allDocuments(whole);
      for (const phrase of asked.phrases) {
        const having = documentsWithPhrase(catalog, whole, phrase);
        if (having.size === 0) notes.push(`no document holds "${phrase}"`);
        documents = documents.and(having);
      }
      for (const words of asked.excluded) {
        documents = documents.without(documentsWithPhrase(catalog, whole, words));
      }
      return new Restriction(whole, documents);
    },
    ({ snapshot }) => ({ seen: base.snapshot.tokens, kept: snapshot.tokens }),
  );
  return { snapshot: restriction.snapshot, notes };
}

function allDocuments({ segments }: SearchSnapshot): DocumentSet {
  return segments.map(({ documents }) => DocumentSet.of(documents)).reduce((all, some) => all.or(some));
}
