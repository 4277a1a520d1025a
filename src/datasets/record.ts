/** From one record with named fields, of whatever format, to a document. */
import { describe } from "../common/check.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import type { JsonValue } from "../common/json.js";
import { checkId } from "../documents/check-document.js";
import type { DocumentInput } from "../documents/types.js";
import type { InvalidRecord, RecordFile, RecordOptions } from "./types.js";

export type Fields = ReadonlyMap<string, JsonValue>;

/** Why a record cannot become a document; the reader knows the file and the line. */
export class RecordProblem extends Error {
  override readonly name = "RecordProblem";
}

/**
 * The document of a record: id, text, title and url from their fields, everything else as metadata. Fields of an
 * object `metadata` are merged in and win. Errors: RecordProblem.
 */
export function recordDocument(
  fields: Fields,
  file: RecordFile,
  line: number,
  options: RecordOptions,
): DocumentInput {
  const textField = options.textColumn ?? "text";
  const idField = options.idColumn ?? (fields.has("_id") ? "_id" : "id");
  const titleField = options.titleColumn ?? "title";
  const text = fields.get(textField);
  if (typeof text !== "string") {
    throw new RecordProblem(
      text === undefined
        ? `no field "${textField}", found ${listNames(fields.keys())}`
        : `"${textField}" must be a string, found ${describe(text)}`,
    );
  }
  if (options.idColumn !== undefined && !fields.has(idField)) {
    throw new RecordProblem(`no field "${idField}", found ${listNames(fields.keys())}`);
  }
  const title = label(titleField, fields.get(titleField));
  const url = titleField === "url" ? undefined : label("url", fields.get("url"));
  const metadata = metadataOf(fields, new Set([textField, idField, titleField, "url"]));
  return {
    id: idOf(idField, fields.get(idField)) ?? `${file.name}:${line}`,
    text,
    ...(title === undefined ? {} : { title }),
    ...(url === undefined ? {} : { url }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(file.input === undefined ? { source: { path: file.path, line } } : {}),
  };
}

/** Throws a problem as INVALID_INPUT naming file and line or, with skipInvalid, gives it as an item. */
export function invalidRecord(
  path: string,
  line: number,
  reason: string,
  options: RecordOptions,
  hint = "Correct the line, or leave out malformed records with --skip-invalid (skipInvalid).",
): InvalidRecord {
  if (options.skipInvalid === true) return { kind: "invalid", path, line, reason };
  throw new MaxsimError("INVALID_INPUT", `${path}:${line}: ${reason}`, { hint });
}

/** Names for messages, quoted; the first twenty. */
export function listNames(names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return "none";
  const shown = all.slice(0, 20).map((name) => JSON.stringify(name));
  return shown.join(", ") + (all.length > shown.length ? ` and ${all.length - shown.length} more` : "");
}

function idOf(field: string, value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number") return String(value);
  if (typeof value === "string" && value !== "") return wellFormedId(field, value);
  throw new RecordProblem(
    `"${field}" must be a string that is not empty, or a number, found ${describe(value)}`,
  );
}

/** What an index would refuse is refused here, where the line is known and the record can be left out. */
function wellFormedId(field: string, value: string): string {
  try {
    return checkId(value);
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    throw new RecordProblem(`"${field}": ${error.message}`);
  }
}

function label(field: string, value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new RecordProblem(`"${field}" must be a string, found ${describe(value)}`);
}

function metadataOf(fields: Fields, taken: ReadonlySet<string>): Record<string, JsonValue> {
  // Without a prototype, "__proto__" is a key as any other.
  const metadata: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of fields) {
    if (!taken.has(name) && name !== "metadata" && value !== null) metadata[name] = value;
  }
  const given = taken.has("metadata") ? undefined : fields.get("metadata");
  if (typeof given === "object" && given !== null && !Array.isArray(given)) {
    for (const [name, value] of Object.entries(given)) metadata[name] = value;
  } else if (given !== undefined && given !== null) {
    metadata.metadata = given;
  }
  return metadata;
}
