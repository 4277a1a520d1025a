/** Options of the commands that read files and folders. */
import { type Command, Option } from "commander";
import { MaxsimError } from "../common/errors.js";
import type { CorpusOptions } from "../datasets/types.js";

const UNITS: Readonly<Record<string, number>> = { "": 1 << 20, k: 1 << 10, m: 1 << 20, g: 1 << 30 };

/** The longest text that can be read, 476 MiB, bounds the size of files as well. */
const MAX_FILE_SIZE = 476 * (1 << 20);

/** As commander gives them. */
export interface ReadingCommandOptions {
  readonly textColumn?: string;
  readonly idColumn?: string;
  readonly titleColumn?: string;
  readonly skipInvalid?: boolean;
  readonly hidden?: boolean;
  readonly gitignore?: boolean;
  /** False to take remembered patterns back. */
  readonly include?: readonly string[] | false;
  readonly exclude?: readonly string[] | false;
  /** Bytes. */
  readonly maxFileSize?: number;
}

/**
 * The options, without a default. With `opposites`, each of those that an index remembers can be taken back.
 */
export function withReadingOptions(command: Command, opposites: boolean): Command {
  const opposite = (flag: string, description: string): void => {
    if (opposites) command.option(flag, description);
  };
  command.option(
    "--text-column <name>",
    "column of CSV, TSV and Parquet files, or field of JSONL records, that holds the text",
  );
  command.option("--id-column <name>", "column or field that holds the id");
  command.option("--title-column <name>", "column or field that holds the title");
  command.option("--skip-invalid", "count malformed records instead of stopping at the first");
  opposite("--no-skip-invalid", "stop at the first malformed record again");
  command.addOption(patternOption("--include", "of the files in folders, read those that match; repeatable"));
  opposite("--no-include", "read all files again");
  command.addOption(patternOption("--exclude", "leave out files and folders that match; repeatable"));
  opposite("--no-exclude", "leave out none of them any more");
  command.option("--hidden", "read hidden files and folders as well");
  opposite("--no-hidden", "leave hidden files and folders out again");
  opposite("--gitignore", "leave out again what .gitignore files name");
  command.option("--no-gitignore", "read what .gitignore files leave out as well");
  return command.option(
    "--max-file-size <size>",
    "skip larger files, but for files of records: 500k, 20m (default: 10m; PDF, Word, EPUB and notebooks 100m)",
    sizeOption("--max-file-size"),
  );
}

/** The named options alone. */
export function readingOptions(
  options: ReadingCommandOptions,
): Omit<CorpusOptions, "signal" | "excludePaths"> {
  const { textColumn, idColumn, titleColumn, skipInvalid, hidden, gitignore, maxFileSize } = options;
  const { include, exclude } = options;
  return {
    ...(textColumn === undefined ? {} : { textColumn }),
    ...(idColumn === undefined ? {} : { idColumn }),
    ...(titleColumn === undefined ? {} : { titleColumn }),
    ...(skipInvalid === undefined ? {} : { skipInvalid }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(gitignore === undefined ? {} : { gitignore }),
    ...(include === undefined ? {} : { include: include === false ? [] : include }),
    ...(exclude === undefined ? {} : { exclude: exclude === false ? [] : exclude }),
    ...(maxFileSize === undefined ? {} : { maxFileSize }),
  };
}

function patternOption(flag: string, description: string): Option {
  return new Option(`${flag} <glob>`, description).argParser((glob: string, before: unknown): string[] => {
    if (glob.trim() === "")
      throw new MaxsimError("INVALID_ARGUMENT", `${flag} takes a pattern, found an empty one`);
    return Array.isArray(before) ? [...(before as string[]), glob] : [glob];
  });
}

/** Bytes of a number with a unit: k, m or g (powers of 1024); MiB where there is none. */
function sizeOption(name: string): (text: string) => number {
  return (text) => {
    const match = /^(\d{1,9}(?:\.\d{1,9})?)([kmg]?)(?:i?b)?$/i.exec(text.trim());
    const bytes = match === null ? 0 : Math.floor(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
    if (bytes >= 1 && bytes <= MAX_FILE_SIZE) return bytes;
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `${name} takes a size such as 500k, 20m or 0.4g, at most 476m, found ${JSON.stringify(text)}`,
    );
  };
}
