/** `--filter` of the commands: which documents are meant, and a warning about fields that no document has. */
import type { Command } from "commander";
import type { Logger } from "../common/logger.js";
import { checkFilter } from "../documents/filter/check-filter.js";
import type { UnknownField } from "../documents/filter/known-fields.js";
import { parseFilter } from "../documents/filter/parse-filter.js";
import type { Filter } from "../documents/filter/types.js";
import { unknownFieldSentence } from "../engine/unknown-fields.js";
import { parseJson } from "./option-values.js";

/** `what` says what the command does with the documents that match. */
export function withFilterOption(command: Command, what: string): Command {
  return command.option(
    "--filter <filter>",
    `${what}, such as 'lang = en and year >= 2020', or JSON`,
    filterOption,
  );
}

/** What the value means: JSON when it begins with a brace, else the text form. Errors: INVALID_FILTER. */
export function filterOption(text: string): Filter {
  if (!text.trimStart().startsWith("{")) return parseFilter(text, "--filter");
  return checkFilter(parseJson("--filter", text), "--filter");
}

/** A filter over a field that no document has is not wrong, but hardly ever what was meant. */
export function warnOfUnknownFields(unknown: readonly UnknownField[], logger: Logger): void {
  for (const field of unknown) logger.warn(unknownFieldSentence(field));
}
