/** Which columns of a table hold text, id and title. */
import { MaxsimError } from "../common/errors.js";
import { listNames } from "./record.js";
import type { RecordFile, RecordOptions } from "./types.js";

/** Columns that hold the text when none is named, the first one found. */
const TEXT_COLUMNS = ["text", "content", "body"];

/**
 * The options with the column of the text named. Errors: UNKNOWN_COLUMN naming the columns found, also for a named id or title
 * column that is not there.
 */
export function chooseColumns(
  file: RecordFile,
  names: readonly string[],
  options: RecordOptions,
): RecordOptions & { readonly textColumn: string } {
  const textColumn = options.textColumn ?? TEXT_COLUMNS.find((name) => names.includes(name));
  for (const wanted of [textColumn ?? TEXT_COLUMNS[0]!, options.idColumn, options.titleColumn]) {
    if (wanted === undefined || names.includes(wanted)) continue;
    throw new MaxsimError(
      "UNKNOWN_COLUMN",
      `${file.path} has no column "${wanted}", found ${listNames(names)}`,
      { hint: "Name the columns with --text-column, --id-column and --title-column." },
    );
  }
  return { ...options, textColumn: textColumn! };
}
