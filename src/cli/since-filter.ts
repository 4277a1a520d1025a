/** The filter that `--since` means: documents with a date from then on, and others whose files were changed since. */
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import { checkFilter } from "../documents/filter/check-filter.js";
import type { Filter } from "../documents/filter/types.js";
import type { CatalogView } from "../engine/catalog-view.js";
import { formatCount } from "./render/format.js";

/** Field of the metadata that has the date of a document, where it has one. */
const DATE_FIELD = "date";

const HAS_DATE: Filter = { op: "exists", field: DATE_FIELD };
const NOTHING: Filter = { op: "not", filter: { op: "exists", field: "id" } };

/**
 * Files count as they were when they were read; what was changed on disk since then is not known. Errors: INVALID_ARGUMENT
 * where no document has a date or a file, or where more files were changed than a filter can name.
 * @param since ISO 8601, of `sinceOption`.
 */
export function sinceFilter(view: CatalogView, since: string): Filter {
  const dated = view.count(HAS_DATE);
  const files = dated === view.documents ? [] : view.sources();
  if (dated === 0 && files.length === 0 && view.documents > 0) throw nothingDated(view);
  const time = Date.parse(since);
  const changed = files.filter(({ modified }) => modified >= time).map(({ path }) => path);
  const byDate: Filter = { op: ">=", field: DATE_FIELD, value: { date: since } };
  const byFile = changed.length === 0 ? undefined : filesFilter(changed, dated > 0);
  if (dated === 0) return byFile ?? NOTHING;
  return byFile === undefined ? byDate : { op: "or", filters: [byDate, byFile] };
}

/** @param besideDates whether other documents have dates, which count for them. */
function filesFilter(paths: readonly string[], besideDates: boolean): Filter {
  const among: Filter = { op: "in", field: "path", values: paths };
  try {
    checkFilter(among, "--since");
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `--since: ${formatCount(paths.length, "file")} were changed since then, more than one filter can name`,
      {
        hint: "Give a later date, or the documents a date of their own and --filter 'date >= 2024-01-31'.",
        cause: error,
      },
    );
  }
  return besideDates ? { op: "and", filters: [{ op: "not", filter: HAS_DATE }, among] } : among;
}

function nothingDated({ folder }: CatalogView): MaxsimError {
  return new MaxsimError(
    "INVALID_ARGUMENT",
    `--since needs dates: no document of ${folder} has the metadata field ${DATE_FIELD}, and none came from a file`,
    { hint: "Where another field holds the date: --filter 'published >= 2024-01-31'." },
  );
}
