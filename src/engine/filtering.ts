/** From a filter, as text or JSON, to a condition on rows. */
import type { RowCondition } from "../documents/catalog.js";
import { checkFilter } from "../documents/filter/check-filter.js";
import { compileFilter } from "../documents/filter/compile-filter.js";
import { parseFilter } from "../documents/filter/parse-filter.js";
import type { Filter, FilterInput } from "../documents/filter/types.js";

/** A filter in its text form, such as `lang = en and year >= 2020`, or as JSON. */
export type FilterArgument = string | FilterInput;

/** The filter in full. Errors: INVALID_FILTER naming the place. */
export function readFilter(filter: FilterArgument): Filter {
  return typeof filter === "string" ? parseFilter(filter) : checkFilter(filter);
}

/** Errors: INVALID_FILTER naming the place. */
export function filterCondition(filter: FilterArgument): RowCondition {
  return compileFilter(readFilter(filter));
}
