/** What a filter of a search names is looked up before the search: fields that no document has, dates that nothing has. */
import { MaxsimError } from "../common/errors.js";
import type { UnknownField } from "../documents/filter/known-fields.js";
import type { SearchCommandOptions } from "./commands/search.js";
import { commandLogger } from "./common-options.js";
import type { CommandContext } from "./context.js";
import { warnOfUnknownFields } from "./filter-option.js";
import { openView } from "./open-index.js";
import { searchFilter } from "./search-options.js";
import { DATE_FIELD } from "./since-option.js";

/**
 * Warns of fields that no document has. Errors: INVALID_ARGUMENT for `--since` where no document has a date.
 * @returns these fields, undefined without a filter.
 */
export function checkFilterFields(
  options: SearchCommandOptions,
  context: CommandContext,
): readonly UnknownField[] | undefined {
  const filter = searchFilter(options);
  if (filter === undefined) return undefined;
  const view = openView(options.index);
  try {
    if (options.since !== undefined && view.documents > 0) {
      if (view.count({ op: "exists", field: DATE_FIELD }) === 0) throw nothingDated(view.folder);
    }
    const unknown = view.unknownFields(filter);
    warnOfUnknownFields(unknown, commandLogger(context, options));
    return unknown;
  } finally {
    view.close();
  }
}

function nothingDated(folder: string): MaxsimError {
  return new MaxsimError(
    "INVALID_ARGUMENT",
    `--since needs documents with a date, and no document of ${folder} has the metadata field ${DATE_FIELD}`,
    { hint: "Where another field holds it: --filter 'published >= 2024-01-31'." },
  );
}
