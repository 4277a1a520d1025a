/** Fields of a filter that no document has: hardly ever what was meant. */
import { MaxsimError } from "../common/errors.js";
import type { Catalog } from "../documents/catalog.js";
import { compileFilter } from "../documents/filter/compile-filter.js";
import { metadataFields, type UnknownField, unknownFields } from "../documents/filter/known-fields.js";
import type { Snapshot } from "../documents/records.js";

/** Documents whose metadata shows which fields there are: so many at so many places, evenly spread. */
const SAMPLE = 50;
const PLACES = 8;
/** Fields that an error lists. */
const LISTED = 12;

/** Those of `fields` that no live document has; none in an index without documents. */
export function unknownFieldsOf(
  catalog: Catalog,
  snapshot: Snapshot,
  fields: readonly string[],
): UnknownField[] {
  if (snapshot.documents === 0) return [];
  return unknownFields(fields, sampledFields(catalog, snapshot)).filter(
    ({ field }) => catalog.matchingDocuments(snapshot, compileFilter({ op: "exists", field })).length === 0,
  );
}

/** Fields of metadata, those of the first documents first. */
function sampledFields(catalog: Catalog, snapshot: Snapshot): Set<string> {
  const fields = new Set<string>();
  for (let place = 0; place < PLACES; place++) {
    const after = Math.floor((place * snapshot.nextDocument) / PLACES) - 1;
    for (const { metadata } of catalog.summaries(snapshot, { after, offset: 0, limit: SAMPLE })) {
      for (const field of metadataFields(metadata)) fields.add(field);
    }
  }
  return fields;
}

/** "no document has the field yeer; did you mean year?" */
export function unknownFieldSentence({ field, nearest }: UnknownField): string {
  const meant = nearest.length === 0 ? "" : `; did you mean ${nearest.join(" or ")}?`;
  return `no document has the field ${field}${meant}`;
}

/** INVALID_FILTER for the first of the unknown fields. */
export function unknownFieldError(
  catalog: Catalog,
  snapshot: Snapshot,
  { field, nearest }: UnknownField,
): MaxsimError {
  const known = [...sampledFields(catalog, snapshot)].slice(0, LISTED);
  const all = known.length === 0 ? "the documents have no metadata" : `fields are ${known.join(", ")}`;
  const hint =
    nearest.length > 0 ? `Did you mean ${nearest.join(" or ")}?` : `Besides id, title, url and path, ${all}.`;
  return new MaxsimError("INVALID_FILTER", `filter: no document has the field ${field}`, { hint });
}
