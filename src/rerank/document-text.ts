/** The text of a document that a reranker sees. */
import { describe, invalidArgument } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { RerankDocument, RerankFields } from "./types.js";

export const DEFAULT_FIELDS: readonly string[] = ["title", "text"];

export function checkFields(fields: unknown): readonly string[] {
  if (fields === undefined) return DEFAULT_FIELDS;
  const names = Array.isArray(fields) && fields.length > 0 ? fields : [undefined];
  if (names.some((name) => typeof name !== "string" || name === "")) {
    throw invalidArgument("fields", "an array of one or more names", fields);
  }
  return names as readonly string[];
}

/**
 * A string is its own text; of an object the values of `fields` on lines of their own: texts as they are, numbers and booleans in
 * words, anything else as JSON. `name` is for messages, such as "documents[3]". Errors: INVALID_DOCUMENT.
 */
export function documentText(name: string, document: RerankDocument, fields: readonly string[]): string {
  if (typeof document === "string") return document;
  const object = documentFields(document);
  if (object === undefined) {
    throw new MaxsimError(
      "INVALID_DOCUMENT",
      `${name} must be a text or an object with one, found ${describe(document)}`,
    );
  }
  const values = fields
    .map((field) => ({ field, value: object[field] }))
    .filter(({ value }) => value !== undefined && value !== null);
  if (values.length === 0) {
    throw new MaxsimError(
      "INVALID_DOCUMENT",
      `${name}${named(document)} must have one of the fields ${fields.join(", ")}, found ${namesOf(object)}`,
      { hint: "Name the fields that hold the text with the option fields." },
    );
  }
  return values
    .map(({ field, value }) => valueText(`${field} of ${name}${named(document)}`, value))
    .filter((text) => text !== "")
    .join("\n");
}

function valueText(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object") return String(value);
  try {
    // Undefined where toJSON says so.
    return JSON.stringify(value) ?? "";
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
    throw new MaxsimError("INVALID_DOCUMENT", `${name} cannot be written as JSON: ${reason}`, {
      hint: "Name fields that hold texts with the option fields.",
      cause,
    });
  }
}

/** The fields of an object; undefined for a text and for what is no document. */
export function documentFields(document: RerankDocument): RerankFields | undefined {
  const object = typeof document === "object" && document !== null && !Array.isArray(document);
  return object ? (document as RerankFields) : undefined;
}

/** The `id` of an object, if it has one that is text. */
export function documentId(document: RerankDocument): string | undefined {
  const id = documentFields(document)?.id;
  return typeof id === "string" ? id : undefined;
}

function named(document: RerankDocument): string {
  const id = documentId(document);
  return id === undefined ? "" : ` (${describe(id)})`;
}

function namesOf(document: RerankFields): string {
  const names = Object.keys(document);
  if (names.length === 0) return "none";
  return `${names.slice(0, 8).join(", ")}${names.length > 8 ? ", ..." : ""}`;
}
