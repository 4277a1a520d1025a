/**
 * Filters over documents: plain JSON that says which documents are meant. The text form (parse-filter.ts) gives the
 * same objects.
 *
 * | JSON | text | true when |
 * | --- | --- | --- |
 * | `{ op: "=", field: "lang", value: "en" }` | `lang = en` | the value is equal; also `!= < <= > >=` |
 * | `{ op: "in", field: "lang", values: ["en", "de"] }` | `lang in (en, de)` | it is equal to one of them |
 * | `{ op: "exists", field: "author.name" }` | `exists author.name` | the field is there, be it null |
 * | `{ op: "has", field: "tags", value: "draft" }` | `tags has draft` | it is an array with an equal element |
 * | `{ op: "prefix", field: "url", value: "https:" }` | `url prefix "https:"` | it is a string that starts so |
 * | `{ op: "glob", field: "path", value: "docs/*.md" }` | `path glob "docs/*.md"` | it is a path that the pattern matches (glob.ts) |
 * | `{ op: "and", filters: [a, b] }`, also `or` | `a and b`, `a or b` | all are true, any is true |
 * | `{ op: "not", filter: a }` | `not a` | it is not true |
 * | `{ lang: "en", year: [2023, 2024] }` | `lang = en and year in (2023, 2024)` | short for `=`, `in` and `and` |
 *
 * Three rules decide about values:
 *  1. A comparison with a field that is missing, or that holds a value of another type than the filter's, is false;
 *     this goes for `!=` as well. Nothing is converted: 5 is not "5".
 *  2. null is a value: a field that holds it exists, `= null` finds it, and `!= null` finds every other value.
 *  3. `not` is plain negation: it is true wherever the filter behind it is false, be it for a missing field.
 *
 * Strings compare by code points, case matters. true and false have no order. A date compares by time with strings that
 * hold an ISO date (dates.ts) and with nothing else.
 */

export const TEXT_FIELDS = ["id", "title", "url", "path"] as const;

/** Fields of the document itself, all text; `path` is that of the file it came from. They hide metadata of that name. */
export type TextField = (typeof TEXT_FIELDS)[number];

/** A point in time: `2024-05-31` (midnight) or `2024-05-31T10:00`, in UTC unless an offset follows. */
export interface FilterDate {
  readonly date: string;
}

export type FilterValue = string | number | boolean | null | FilterDate;

export const EQUALITY_OPERATORS = ["=", "!="] as const;
export const ORDER_OPERATORS = ["<", "<=", ">", ">="] as const;
export const TEXT_OPERATORS = ["prefix", "glob"] as const;

export type EqualityOperator = (typeof EQUALITY_OPERATORS)[number];
export type OrderOperator = (typeof ORDER_OPERATORS)[number];
export type TextOperator = (typeof TEXT_OPERATORS)[number];

/**
 * `field` is a text field or a key of the metadata. Dots lead into nested objects: `author.name`. A key with odd
 * characters, such as a dot, stands in quotes: `"full name"`, `author."first.name"`. `metadata.title` is the key `title`
 * of the metadata. Elements of arrays have no field; `has` looks into arrays.
 */
export type Condition =
  | { readonly op: EqualityOperator; readonly field: string; readonly value: FilterValue }
  | { readonly op: OrderOperator; readonly field: string; readonly value: string | number | FilterDate }
  | { readonly op: "in"; readonly field: string; readonly values: readonly FilterValue[] }
  | { readonly op: "exists"; readonly field: string }
  | { readonly op: "has"; readonly field: string; readonly value: FilterValue }
  | { readonly op: TextOperator; readonly field: string; readonly value: string };

/** A filter in full, as `checkFilter` and `parseFilter` give it. */
export type Filter =
  | { readonly op: "and"; readonly filters: readonly Filter[] }
  | { readonly op: "or"; readonly filters: readonly Filter[] }
  | { readonly op: "not"; readonly filter: Filter }
  | Condition;

/** The short form: every field equals the value, or one of the values. */
export interface FieldValues {
  readonly [field: string]: FilterValue | readonly FilterValue[];
}

/** What users may hand over as JSON: the full form or the short one, at any depth. */
export type FilterInput =
  | { readonly op: "and" | "or"; readonly filters: readonly FilterInput[] }
  | { readonly op: "not"; readonly filter: FilterInput }
  | Condition
  | FieldValues;

/** Bounds of one filter, so that no filter from outside can hold up a process. */
export const FILTER_LIMITS = {
  /** `and`, `or` and `not` around a condition, and the condition. */
  depth: 16,
  /** Conditions, `and`, `or` and `not` together. */
  nodes: 256,
  /** Values of one `in`. */
  values: 10_000,
  /** UTF-8 bytes of one string or field. */
  stringBytes: 4096,
  /** UTF-8 bytes of a text, or of the fields and values of JSON together. */
  totalBytes: 65_536,
} as const;

/** True for a value of a filter that is a date. */
export function isFilterDate(value: FilterValue): value is FilterDate {
  return typeof value === "object" && value !== null && "date" in value;
}
