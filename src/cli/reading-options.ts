/** Options of the commands that read files and folders. */
import type { Command } from "commander";
import type { CorpusOptions } from "../datasets/types.js";
import { integerOption } from "./option-values.js";

const MIB = 1 << 20;

/** As commander gives them. */
export interface ReadingCommandOptions {
  readonly textColumn?: string;
  readonly idColumn?: string;
  readonly titleColumn?: string;
  readonly skipInvalid?: boolean;
  readonly hidden?: boolean;
  readonly gitignore?: boolean;
  /** MiB. */
  readonly maxFileSize?: number;
}

/** The options, each with its opposite, so that a remembered one can be taken back. Without a default. */
export function withReadingOptions(command: Command): Command {
  return command
    .option(
      "--text-column <name>",
      "column of CSV and TSV files, or field of JSONL records, that holds the text",
    )
    .option("--id-column <name>", "column or field that holds the id")
    .option("--title-column <name>", "column or field that holds the title")
    .option("--skip-invalid", "count malformed records instead of stopping at the first")
    .option("--no-skip-invalid", "stop at the first malformed record again")
    .option("--hidden", "read hidden files and folders as well")
    .option("--no-hidden", "leave hidden files and folders out again")
    .option("--gitignore", "leave out again what .gitignore files name")
    .option("--no-gitignore", "read what .gitignore files leave out as well")
    .option(
      "--max-file-size <MiB>",
      "skip larger files, but for JSONL, CSV and TSV (default: 10)",
      integerOption("--max-file-size", 1, 476),
    );
}

/** The named options alone. */
export function readingOptions(options: ReadingCommandOptions): Omit<CorpusOptions, "signal" | "exclude"> {
  const { textColumn, idColumn, titleColumn, skipInvalid, hidden, gitignore, maxFileSize } = options;
  return {
    ...(textColumn === undefined ? {} : { textColumn }),
    ...(idColumn === undefined ? {} : { idColumn }),
    ...(titleColumn === undefined ? {} : { titleColumn }),
    ...(skipInvalid === undefined ? {} : { skipInvalid }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(gitignore === undefined ? {} : { gitignore }),
    ...(maxFileSize === undefined ? {} : { maxFileSize: maxFileSize * MIB }),
  };
}
