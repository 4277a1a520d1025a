/** Which fields there are, and what a name that is none of them may have been meant to be. */
import { editDistance } from "../../common/edit-distance.js";
import type { JsonValue } from "../../common/json.js";
import type { Metadata } from "../types.js";
import { formatField } from "./fields.js";
import { TEXT_FIELDS } from "./types.js";

/** Names offered for one unknown name. */
const NEAREST = 3;

/** The fields of one document's metadata, as filters write them: those of nested objects as well. */
export function metadataFields(metadata: Metadata): string[] {
  const fields: string[] = [];
  const visit = (object: Readonly<Record<string, JsonValue>>, parents: readonly string[]): void => {
    for (const [key, value] of Object.entries(object)) {
      const keys = [...parents, key];
      fields.push(formatField({ kind: "metadata", keys }));
      if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        visit(value as Readonly<Record<string, JsonValue>>, keys);
      }
    }
  };
  visit(metadata, []);
  return fields;
}

export interface UnknownField {
  readonly field: string;
  /** Existing names that resemble it, the nearest first, at most three; often empty. */
  readonly nearest: readonly string[];
}

/**
 * Those of `fields` that do not exist. A filter over them is not wrong: it may find nothing, or everything by `not`.
 * @param fields of a filter, from `filterFields`. @param existing from `metadataFields` of the documents or a sample.
 */
export function unknownFields(fields: readonly string[], existing: Iterable<string>): UnknownField[] {
  const known = new Set<string>([...TEXT_FIELDS, ...existing]);
  return fields
    .filter((field) => !known.has(field))
    .map((field) => ({ field, nearest: nearestNames(field, known) }));
}

/** Ignores case. A third of the characters may differ, or the last key of a nested name may be the same. */
function nearestNames(name: string, known: Iterable<string>): string[] {
  const wanted = name.toLowerCase();
  const found: { readonly name: string; readonly distance: number }[] = [];
  for (const candidate of known) {
    const offered = candidate.toLowerCase();
    const isPart = offered.endsWith(`.${wanted}`) || wanted.endsWith(`.${offered}`);
    const limit = Math.max(1, Math.floor(wanted.length / 3));
    const distance = isPart ? 1 : editDistance(wanted, offered, limit);
    if (distance <= limit) found.push({ name: candidate, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return found.slice(0, NEAREST).map((candidate) => candidate.name);
}
