/**
 * Fields of filters read as columns: one text for thousands of rows costs about as much as testing one condition on each row,
 * and serves every further condition on the field.
 */
import type Database from "better-sqlite3";
import { damagedCatalog } from "./damaged-catalog.js";
import { fieldSource } from "./filter/compile-filter.js";
import type { Field } from "./filter/fields.js";
import type { FieldValues } from "./records.js";

/** Characters of one value's JSON; a longer one makes its field unfit for columns. */
export const MAX_VALUE_LENGTH = 512;

/**
 * Documents numbered `first` .. `last` as the generation sees them, deleted ones as well. JSON has no line breaks between its
 * signs and escapes those in strings, so a line is a value. The checksums of the rows are not compared, which would take
 * several times as long. Errors: CORRUPT when a document is there twice.
 */
export function readFieldValues(
  db: Database.Database,
  generation: number,
  fields: readonly Field[],
  first: number,
  last: number,
): FieldValues {
  const sources = fields.map(fieldSource);
  const columns = sources.map(
    ({ sql }, i) => `coalesce(substr(${sql}, 1, ${MAX_VALUE_LENGTH + 1}), '') AS v${i}`,
  );
  const joined = sources.map((_, i) => `group_concat(v${i}, char(10))`);
  const row = db
    .prepare<(string | number)[], (string | null)[]>(
      `SELECT ${["group_concat(document_no)", ...joined].join(", ")}
         FROM (SELECT ${["document_no", ...columns].join(", ")} FROM documents
           WHERE document_no BETWEEN ? AND ? AND gen_added <= ? AND (gen_replaced IS NULL OR gen_replaced > ?)
           ORDER BY document_no)`,
    )
    .raw()
    .get(...sources.flatMap(({ parameters }) => parameters), first, last, generation, generation)!;
  const [numbers, ...texts] = row;
  if (numbers === null || numbers === undefined) return { documents: [], values: fields.map(() => []) };
  const values = texts.map((text) => {
    const lines = text!.split("\n");
    return lines.some((line) => line.length > MAX_VALUE_LENGTH) ? null : lines;
  });
  const documents = numbers.split(",").map(Number);
  if (documents.some((no, i) => i > 0 && documents[i - 1]! >= no))
    throw damagedCatalog(db.name, `documents ${first} to ${last} are not in order, or there twice`);
  return { documents, values };
}
