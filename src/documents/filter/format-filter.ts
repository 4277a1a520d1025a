/** Filters as text that `parseFilter` reads back as the same filter. */
import type { Condition, Filter, FilterValue } from "./types.js";

/**
 * Quotes and escapes can make the text of a filter with long lists larger than `parseFilter` takes.
 * @param filter as `checkFilter` or `parseFilter` gave it.
 */
export function formatFilter(filter: Filter): string {
  switch (filter.op) {
    case "and":
    case "or":
      return filter.filters.map(formatUnit).join(` ${filter.op} `);
    case "not":
      return `not ${formatUnit(filter.filter)}`;
    case "exists":
      return `exists ${filter.field}`;
    case "in":
      return `${filter.field} in (${filter.values.map(formatValue).join(", ")})`;
    default:
      return `${filter.field} ${filter.op} ${formatValue(filter.value)}`;
  }
}

function formatUnit(filter: Filter): string {
  const text = formatFilter(filter);
  return filter.op === "and" || filter.op === "or" ? `(${text})` : text;
}

function formatValue(value: FilterValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" && value !== null ? value.date : String(value);
}

/** The fields that a filter names, each once, in the order of the filter. */
export function filterFields(filter: Filter): string[] {
  return [...new Set(filterConditions(filter).map(({ field }) => field))];
}

/** The conditions of a filter, in its order. */
export function filterConditions(filter: Filter): Condition[] {
  if (filter.op === "and" || filter.op === "or") return filter.filters.flatMap(filterConditions);
  return filter.op === "not" ? filterConditions(filter.filter) : [filter];
}
