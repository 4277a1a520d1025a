/** Filters in plain JavaScript: the meaning that the SQL of compile-filter.ts has to agree with. */
import type { JsonValue } from "../../common/json.js";
import type { DocumentInput } from "../types.js";
import { parseDate } from "./dates.js";
import { parseField } from "./field-names.js";
import { globMatcher } from "./glob.js";
import {
  type Condition,
  type Filter,
  type FilterDate,
  type FilterValue,
  isFilterDate,
  type TextField,
} from "./types.js";

/** What a filter looks at: documents as they are added and as they are stored. */
export type FilterableDocument = Pick<DocumentInput, "id" | "title" | "url" | "metadata" | "source">;

/** A missing field is undefined. */
type Test = (stored: JsonValue | undefined) => boolean;

/** True when the document is meant. @param filter as `checkFilter` or `parseFilter` gave it. */
export function matchesFilter(filter: Filter, document: FilterableDocument): boolean {
  return filterPredicate(filter)(document);
}

/** `matchesFilter` for many documents. */
export function filterPredicate(filter: Filter): (document: FilterableDocument) => boolean {
  switch (filter.op) {
    case "and": {
      const parts = filter.filters.map(filterPredicate);
      return (document) => parts.every((part) => part(document));
    }
    case "or": {
      const parts = filter.filters.map(filterPredicate);
      return (document) => parts.some((part) => part(document));
    }
    case "not": {
      const part = filterPredicate(filter.filter);
      return (document) => !part(document);
    }
    default: {
      const read = fieldReader(filter.field);
      const test = conditionTest(filter);
      return (document) => test(read(document));
    }
  }
}

function fieldReader(name: string): (document: FilterableDocument) => JsonValue | undefined {
  const field = parseField(name);
  if (field.kind === "text") return (document) => textOf(document, field.name);
  return (document) => {
    let value: JsonValue | undefined = document.metadata;
    for (const key of field.keys) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
      // Only own keys: a prototype holds nothing that a document has.
      value = Object.hasOwn(value, key) ? (value as Readonly<Record<string, JsonValue>>)[key] : undefined;
    }
    return value;
  };
}

function textOf(document: FilterableDocument, field: TextField): string | undefined {
  return field === "path" ? document.source?.path : document[field];
}

/** Whether a stored value, undefined for a missing one, meets the condition. */
export function conditionTest(condition: Condition): Test {
  switch (condition.op) {
    case "exists":
      return (stored) => stored !== undefined;
    case "in":
      return isAmong(condition.values);
    case "has": {
      const test = comparison("=", condition.value);
      return (stored) => Array.isArray(stored) && (stored as readonly JsonValue[]).some(test);
    }
    case "prefix":
      return (stored) => typeof stored === "string" && stored.startsWith(condition.value);
    case "glob": {
      const matches = globMatcher(condition.value);
      return (stored) => typeof stored === "string" && matches(stored);
    }
    default:
      return comparison(condition.op, condition.value);
  }
}

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** By the sign of what stands left minus what stands right. */
const HOLDS: Readonly<Record<Comparison, (sign: number) => boolean>> = {
  "=": (sign) => sign === 0,
  "!=": (sign) => sign !== 0,
  "<": (sign) => sign < 0,
  "<=": (sign) => sign <= 0,
  ">": (sign) => sign > 0,
  ">=": (sign) => sign >= 0,
};

function comparison(op: Comparison, value: FilterValue): Test {
  const holds = HOLDS[op];
  if (value === null) {
    return (stored) => stored !== undefined && (stored === null) === (op === "=");
  }
  if (typeof value === "string") {
    return (stored) => typeof stored === "string" && holds(compareText(stored, value));
  }
  if (typeof value === "number") {
    return (stored) => typeof stored === "number" && holds(compareNumbers(stored, value));
  }
  if (typeof value === "boolean") {
    return (stored) => typeof stored === "boolean" && (stored === value) === (op === "=");
  }
  const isMeant = timeTest(op, value);
  return (stored) => {
    const time = typeof stored === "string" ? parseDate(stored) : undefined;
    return time !== undefined && isMeant(time);
  };
}

/** The comparison with a date, for times in milliseconds since 1970. */
export function timeTest(op: Comparison, { date }: FilterDate): (time: number) => boolean {
  const holds = HOLDS[op];
  const asked = parseDate(date) as number;
  return (time) => holds(compareNumbers(time, asked));
}

/** Looks strings, numbers, true, false and null up; dates by their time. */
function isAmong(values: readonly FilterValue[]): Test {
  const times = new Set(values.filter(isFilterDate).map((value) => parseDate(value.date)));
  const others = new Set<unknown>(values.filter((value) => !isFilterDate(value)));
  return (stored) => {
    if (others.has(stored)) return true;
    const time = times.size > 0 && typeof stored === "string" ? parseDate(stored) : undefined;
    return time !== undefined && times.has(time);
  };
}

/** The difference could overflow or vanish, the signs cannot. */
function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Negative, zero or positive in the order of code points, which is that of UTF-8 bytes; UTF-16 code units put characters
 * beyond U+FFFF before those from U+E000 on.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const beyondX = isSurrogate(x);
    return beyondX === isSurrogate(y) ? x - y : beyondX ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
